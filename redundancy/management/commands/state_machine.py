"""Write the generated part of docs/state-machine.md."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, no_translations

from redundancy.srm.diagram import render

MARK = "<!-- Below: written by `python manage.py state_machine` from redundancy/srm/table.py. -->"


def document() -> Path:
    """Return the file that holds the table."""
    return Path(settings.BASE_DIR) / "docs" / "state-machine.md"


class Command(BaseCommand):
    """Bring docs/state-machine.md up to the table of transitions."""

    help = "Write the diagram and the table of SRM's transitions into docs/state-machine.md."

    @no_translations
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Replace everything below the mark."""
        path = document()
        prose = path.read_text().split(MARK)[0]
        path.write_text(f"{prose}{MARK}\n\n{render()}")
        self.stdout.write(f"{path.name} is up to date.")
