"""Django's own checks of the product, in one process: what is wrong, and whether a migration is missing."""

import os

import django
from django.core.management import call_command


def main() -> None:
    """Print what is found, and end with 1 where it is more than nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
    django.setup()
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check_changes=True, dry_run=True)


if __name__ == "__main__":
    main()
