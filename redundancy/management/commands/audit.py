"""Check the invariants of high availability on the live tables: ``manage.py audit``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from redundancy.monitor.audit import INVARIANTS, audit, counted
from redundancy.srm.words import english


class Command(BaseCommand):
    """Name each breach of the invariants; exit code 1 when there is one."""

    help = "Check that the invariants of high availability hold, and name each breach."

    @no_translations
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the audit over the whole history."""
        breaches = audit()
        if breaches:
            lines = "\n".join(str(breach) for breach in breaches)
            raise CommandError(f"{lines}\n{len(breaches)} breach(es).", returncode=1)
        groups, sessions = counted()
        self.stdout.write(f"Checked {groups} group(s) and {sessions} session(s). It holds that")
        for rule in INVARIANTS.values():
            self.stdout.write(f"- {english(rule)}")
