"""The one rule for passwords that Django does not bring."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError

from redundancy.srm.words import say

# Characters. A longer one is never compared: hashing it would take the longer.
SHORTEST, LONGEST = 12, 1000


class Length:
    """Validator of the settings: neither too short to be safe nor too long to be compared."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:  # noqa: ARG002
        """Raise ValidationError unless the password has the right length."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise ValidationError(str(self.get_help_text()), code="password_length")

    def get_help_text(self) -> str:
        """Return the rule, for people."""
        return say(
            "The password must have {shortest} to {longest:,} characters.",
            shortest=SHORTEST,
            longest=LONGEST,
        )
