"""Keep snapshots of an administrator's own cluster: as drafts when they were read, then for good."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from redundancy.cluster.checks import findings
from redundancy.cluster.document import document_of, pack, people_of, rest_of
from redundancy.cluster.reader.reading import Reading
from redundancy.cluster.snapshot import Snapshot
from redundancy.errors import Refused
from redundancy.models import ClusterSnapshot, EventKind
from redundancy.operations import events
from redundancy.srm.words import say, say_count

# Snapshots that are kept, and bytes of one of them as it is stored.
MOST_SNAPSHOTS = 500
LARGEST = 8 * 1024 * 1024
# Snapshots of one input.
MOST_AT_ONCE = 50
# How long a draft waits for somebody to keep it, and how many wait at a time.
DRAFT = timedelta(hours=4)
MOST_DRAFTS = 100
LONGEST_NAME, LONGEST_NOTE = 100, 2000


def draft(
    *, reading: Reading, snapshots: Sequence[Snapshot], name: str = "", actor: str
) -> list[ClusterSnapshot]:
    """Store what was read as drafts, and return them: kept by ``keep``, dropped after some hours.

    ``name``: of the cluster; where none is given, that of its first node.

    Raises:
        Refused: It is too much, or the name is too long.

    """
    if len(snapshots) > MOST_AT_ONCE:
        raise Refused(
            say(
                "File: It holds {number:,} snapshots, and {most} are taken at once.",
                number=len(snapshots),
                most=MOST_AT_ONCE,
            ),
            field="file",
        )
    _check_texts(name, "")
    batch, rest = uuid.uuid4().hex, pack(rest_of(reading))
    rows = []
    for snapshot in snapshots:
        found = findings(snapshot)
        row = ClusterSnapshot(
            name=name.strip() or _name_of(snapshot),
            taken_at="" if snapshot.taken is None else f"{snapshot.taken:%Y-%m-%d %H:%M:%S}",
            actor=actor,
            batch=batch,
            all_read=not (reading.refused or reading.dropped),
            groups=len(snapshot.groups),
            nodes=len(snapshot.nodes),
            users=_users_of(snapshot),
            findings=len(found),
            document=pack(document_of(snapshot, found)),
            people=pack(people_of(snapshot)),
            rest=rest,
        )
        if len(row.document) + len(row.people) + len(row.rest) > LARGEST:
            limit = LARGEST // 1024 // 1024
            raise Refused(
                say("File: A snapshot must not be larger than {limit} MB, packed.", limit=limit),
                field="file",
            )
        rows.append(row)
    with transaction.atomic():
        _forget_drafts(MOST_DRAFTS - len(rows))
        for row in rows:
            row.save()
    return rows


def keep(
    *, rows: Sequence[ClusterSnapshot], name: str = "", note: str = "", actor: str
) -> list[ClusterSnapshot]:
    """Keep drafts for good, all of them or none; return them.

    Raises:
        Refused: There are too many snapshots, none is left of the drafts, or a text is too long.

    """
    _check_texts(name, note)
    with transaction.atomic():
        found = list(
            ClusterSnapshot.objects.defer("document", "people", "rest")
            .select_for_update()
            .filter(pk__in=[row.pk for row in rows], kept=False)
            .order_by("pk")
        )
        if not found:
            raise Refused(say("There is nothing to keep: read the files again."))
        if ClusterSnapshot.objects.filter(kept=True).count() + len(found) > MOST_SNAPSHOTS:
            rule = say(
                "At most {most} snapshots are kept: delete some that are not needed.",
                most=MOST_SNAPSHOTS,
            )
            raise Refused(rule)
        for row in found:
            row.kept, row.note = True, note.strip()
            row.name = name.strip() or row.name
            row.save(update_fields=["kept", "note", "name"])
        sentence = say_count(
            "{count} snapshot of the cluster {cluster} was kept.",
            "{count} snapshots of the cluster {cluster} were kept.",
            len(found),
            cluster=found[0].name,
        )
        events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return found


def describe(
    *, snapshot: ClusterSnapshot, name: str, note: str, baseline: bool, actor: str
) -> ClusterSnapshot:
    """Change the name, the note and the mark of a baseline, of which a cluster has one; return it.

    Raises:
        Refused: The name is missing or too long, or the note is.

    """
    if not name.strip():
        raise Refused(say("Cluster is required."), field="name")
    _check_texts(name, note)
    with transaction.atomic():
        if baseline:
            others = ClusterSnapshot.objects.filter(name=name.strip(), baseline=True)
            others.exclude(pk=snapshot.pk).update(baseline=False)
        snapshot.name, snapshot.note = name.strip(), note.strip()
        became = baseline and not snapshot.baseline
        snapshot.baseline = baseline
        snapshot.save(update_fields=["name", "note", "baseline"])
        if became:
            sentence = say("{snapshot} is the baseline now.", snapshot=snapshot.title)
            events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return snapshot


def delete_snapshot(*, snapshot: ClusterSnapshot, actor: str) -> None:
    """Delete a snapshot."""
    sentence = say("The snapshot {snapshot} was deleted.", snapshot=snapshot.title)
    ClusterSnapshot.objects.filter(pk=snapshot.pk).delete()
    events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)


def note_asked(*, way: str, host: str, user: str, outcome: str, actor: str) -> None:
    """Tell the history that a server was to be asked for its cluster, and what came of it.

    ``way``: AXL or SSH; ``user``: as whom it was asked; ``outcome``: as a sentence. The password is in none of them.
    """
    words = {"host": host, "way": way.upper(), "user": user, "outcome": outcome}
    sentence = say("Import Cluster: {host}, by {way} as {user}. {outcome}", **words)
    events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)


def _check_texts(name: str, note: str) -> None:
    for label, field, text, most in (
        (say("Cluster"), "name", name, LONGEST_NAME),
        (say("Note"), "note", note, LONGEST_NOTE),
    ):
        if len(text.strip()) > most:
            rule = say("{label}: at most {most} characters are allowed.", label=label, most=most)
            raise Refused(rule, field=field)
        if "\x00" in text:
            raise Refused(
                say("{label} must not contain null characters.", label=label), field=field
            )


def _forget_drafts(most: int) -> None:
    """Drop drafts that nobody has kept for long, and the oldest where there are more than ``most``."""
    drafts = ClusterSnapshot.objects.filter(kept=False)
    drafts.filter(made_at__lt=timezone.now() - DRAFT).delete()
    surplus = list(drafts.order_by("-pk").values_list("pk", flat=True)[max(0, most) :])
    drafts.filter(pk__in=surplus).delete()


def _name_of(snapshot: Snapshot) -> str:
    """Return what a cluster may be called of which only nodes are known."""
    presence = [node.name for node in snapshot.nodes.values() if node.is_presence]
    names = presence or list(snapshot.nodes) or list(snapshot.groups)
    shown = "".join(c for c in names[0] if c.isprintable()) if names else ""
    return shown[:LONGEST_NAME] or "-"


def _users_of(snapshot: Snapshot) -> int:
    if snapshot.users or snapshot.all_users is None:
        return len(snapshot.users)
    return int(snapshot.all_users.text)
