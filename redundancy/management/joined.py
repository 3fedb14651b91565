"""Commands that need the tables of this version."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from cucm_admin import joining


class JoinedCommand(BaseCommand):
    """A command that is not carried out on a database of another version, or under other settings.

    It says so in one line, and ends with ``unfit_code``. Called by other code it is carried out at once.
    """

    unfit_code = 1
    # Whether it is a process of the running system.
    serves = False

    def needs_tables(self, options: dict[str, Any]) -> bool:  # noqa: ARG002 - others ask
        """Return whether the command, with these ``options``, uses the tables."""
        return True

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Join the installation, and carry the command out."""
        if self._called_from_command_line and self.needs_tables(options):  # type: ignore[attr-defined]
            wrong = ""
            try:
                joining.join(serves=self.serves)
            except joining.Unfit as unfit:
                wrong = str(unfit.code)
            except DatabaseError as error:
                wrong = f"The database cannot be used: {joining.line_of(error)}"
            if wrong:
                self.stderr.write(wrong)
                sys.exit(self.unfit_code)
        return super().execute(*args, **options)
