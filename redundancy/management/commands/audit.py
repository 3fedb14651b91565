"""Check the invariants of high availability on the live tables: ``manage.py audit``."""

from typing import Any

from django.core.management.base import CommandError, no_translations
from django.db import DatabaseError

from redundancy.management.joined import JoinedCommand
from redundancy.monitor.audit import INVARIANTS, audit, counted
from redundancy.srm.words import english


class Command(JoinedCommand):
    """Name each breach of the invariants; exit code 1 when there is one, 2 when nothing could be checked."""

    unfit_code = 2
    help = "Check that the invariants of high availability hold, and name each breach."

    @no_translations
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the audit over the whole history."""
        try:
            breaches, (groups, sessions) = audit(), counted()
        except DatabaseError as error:
            raise CommandError(
                f"Nothing was checked: the database cannot be read ({error}). If it is new, run "
                "manage.py migrate first.",
                returncode=2,
            ) from None
        if breaches:
            lines = "\n".join(str(breach) for breach in breaches)
            raise CommandError(f"{lines}\n{len(breaches)} breach(es).", returncode=1)
        if not (groups or sessions):
            raise CommandError(
                "Nothing was checked: there is no presence redundancy group and no session.",
                returncode=2,
            )
        if not sessions:
            self.stdout.write("There is no session: what is said of sessions was checked of none.")
        self.stdout.write(f"Checked {groups} group(s) and {sessions} session(s). It holds that")
        for rule in INVARIANTS.values():
            self.stdout.write(f"- {english(rule)}")
