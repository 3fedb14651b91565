"""Make sure that somebody can sign in: ``manage.py ensure_admin``."""

import os
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, no_translations

from redundancy.management.joined import JoinedCommand

NAME = "admin"


class Command(JoinedCommand):
    """Create the administrator on the first start, and never touch one afterwards."""

    help = (
        "Creates the superuser 'admin' when there is no superuser, with the password ADMIN_PASSWORD "
        "or, when that is empty, a generated one, which is printed once."
    )

    @no_translations
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Create the administrator, or say why not."""
        users = get_user_model().objects
        given = os.environ.get("ADMIN_PASSWORD", "")
        if users.filter(is_superuser=True).exists():
            admin = users.filter(username=NAME).first()
            if given and not (admin and admin.check_password(given)):
                self.stdout.write(
                    "ADMIN_PASSWORD is not used: there is an administrator already. "
                    f"Change a password with: manage.py changepassword {NAME}"
                )
            return
        if users.filter(username=NAME).exists():
            self.stdout.write(
                f"There is no administrator, and the name {NAME} belongs to an ordinary user. "
                "Create one with: manage.py createsuperuser"
            )
            return
        if given:
            try:
                validate_password(given, get_user_model()(username=NAME))
            except ValidationError as broken:
                raise CommandError(f"ADMIN_PASSWORD: {' '.join(broken.messages)}") from None
        password = given or secrets.token_urlsafe(12)
        users.create_superuser(NAME, password=password)
        shown = "the one in ADMIN_PASSWORD" if given else f"{password}   (shown only this once)"
        self.stdout.write(f"Sign in as: {NAME}   password: {shown}")
