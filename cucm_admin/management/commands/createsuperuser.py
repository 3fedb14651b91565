"""Django's ``createsuperuser``, which lets nobody pass by the rules for passwords."""

import os
from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError


class Command(createsuperuser.Command):
    """Create a superuser. The rules hold without a terminal, too, and cannot be answered away."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Create the user, or end with the rule that the password breaks."""
        given = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
        if given and not options["interactive"]:
            _keep_the_rules(given, User(username=options["username"] or ""))
        # At the terminal Django asks whether a rule may be broken; an error of another class ends it.
        vars(createsuperuser)["validate_password"] = _keep_the_rules
        try:
            return super().handle(*args, **options)
        finally:
            vars(createsuperuser)["validate_password"] = validate_password


def _keep_the_rules(password: str, user: Any) -> None:
    try:
        validate_password(password, user)
    except ValidationError as broken:
        raise CommandError(" ".join(broken.messages)) from None
