"""``import_cluster --apply`` and ``--undo``: what is said, what is asked, and how it ends."""

import getpass
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.management.base import CommandError

from redundancy.cluster import plan_report
from redundancy.cluster.lab_plan import Plan
from redundancy.cluster.snapshot import Snapshot
from redundancy.errors import Refused
from redundancy.models import PresenceUser, RedundancyGroup, Server
from redundancy.srm.words import english
from redundancy.twin.reads import kept_copy, planned
from redundancy.twin.writes import Replaced, apply_cluster, undo

Tell = Callable[[str], object]


def chosen(snapshots: list[Snapshot], number: int | None) -> Snapshot:
    """Return the snapshot that is meant: the only one, or the one of this number, from 1 on."""
    if number is None and len(snapshots) > 1:
        raise CommandError(
            f"There are {len(snapshots)} snapshots; name one with --snapshot 1 to {len(snapshots)}.",
            returncode=2,
        )
    place = number or 1
    if not 1 <= place <= len(snapshots):
        raise CommandError(f"There are {len(snapshots)} snapshot(s).", returncode=2)
    return snapshots[place - 1]


def show(snapshot: Snapshot, tell: Tell | None) -> Plan:
    """Return the plan of a snapshot's lab, told to ``tell`` where it is given."""
    plan = planned(snapshot)
    if tell is not None:
        for line in plan_report.text(plan):
            tell(line)
    return plan


def carry_out(plan: Plan, *, name: str, as_told: bool, yes: bool) -> Replaced:
    """Replace the lab, after asking unless ``yes``."""
    if plan.refusals:
        raise CommandError("No lab can be made of it.", returncode=2)
    if not yes:
        _ask(f"Replace the present lab ({_present()})? It is kept, and --undo puts it back.")
    return _done(lambda: apply_cluster(plan=plan, name=name, actor=actor(), as_told=as_told))


def put_back(tell: Tell, *, yes: bool) -> None:
    """Put the lab back that was replaced, after asking unless ``yes``."""
    copy = kept_copy()
    if copy is not None:
        tell(
            f"Kept since {copy.made_at:%Y-%m-%d %H:%M} UTC: {copy.servers:,} server(s), "
            f"{copy.groups:,} group(s), {copy.users:,} user(s)."
        )
        if not yes:
            _ask(f"Put it back? The present lab ({_present()}) is lost.")
    replaced = _done(lambda: undo(actor=actor()))
    tell(f"Put back: {words(replaced)}.")


def words(replaced: Replaced) -> str:
    """Return how large a lab is."""
    return (
        f"{replaced.servers:,} server(s), {replaced.groups:,} group(s), {replaced.users:,} user(s)"
    )


def actor() -> str:
    """Return who sits at the terminal, told apart from a user of the pages of that name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # no name belongs to the user's number
        name = str(os.getuid())
    return f"{name} (import_cluster)"


def _present() -> str:
    present = Replaced(
        Server.objects.count(), RedundancyGroup.objects.count(), PresenceUser.objects.count()
    )
    return words(present)


def _ask(question: str) -> None:
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was changed: it was not confirmed.", returncode=2)


def _done(operation: Callable[[], Replaced]) -> Replaced:
    try:
        return operation()
    except Refused as refused:
        raise CommandError(_rules(refused.rules), returncode=2) from None


def _rules(rules: Iterable[tuple[str, Any]]) -> str:
    return "Nothing was changed. " + " ".join(
        f"{field}: {english(rule)}" if field else english(rule) for rule, field in rules
    )
