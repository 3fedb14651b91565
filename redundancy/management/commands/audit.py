"""Check the invariants of high availability on the live tables: ``manage.py audit``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from redundancy.selectors.audit import audit, counted


class Command(BaseCommand):
    """Name each breach of the invariants I1 to I6 and I9; exit code 1 when there is one."""

    help = "Check that the invariants of high availability hold, and name each breach."

    @no_translations
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the audit over the whole history."""
        breaches = audit()
        if breaches:
            lines = "\n".join(str(breach) for breach in breaches)
            raise CommandError(f"{lines}\n{len(breaches)} breach(es).", returncode=1)
        groups, sessions = counted()
        self.stdout.write(f"I1 to I6 and I9 hold: {groups} group(s), {sessions} session(s).")
