"""The forms of signing in, and of changing one's own password."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts

from redundancy import passwords
from redundancy.errors import Refused
from redundancy.forms.base import name_errors
from redundancy.operations.throttle import TryLater
from redundancy.srm.words import say


class SignInForm(AuthenticationForm):
    """User name and password, with messages that name their field.

    ``try_later``: the refusal, when there were too many failed tries.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.try_later: TryLater | None = None
        name_errors(self)

    def clean_password(self) -> str:
        """Refuse a password that is longer than any can be."""
        return _not_too_long(self.cleaned_data["password"])

    def clean(self) -> dict[str, Any]:
        """Return what was typed; remember a refusal."""
        try:
            return super().clean()
        except TryLater as refused:
            self.try_later = refused
            raise


class OwnPasswordForm(PasswordChangeForm):
    """The password that holds, and the new one twice. ``try_later`` as above."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.try_later: TryLater | None = None
        for name, label in {
            "old_password": say("Current Password"),
            "new_password1": say("New Password"),
            "new_password2": say("Confirm New Password"),
        }.items():
            self.fields[name].label = label
        rules = password_validators_help_texts()
        self.fields["new_password1"].help_text = " ".join(map(str, rules))
        self.label_suffix = ""
        name_errors(self)

    def clean_old_password(self) -> str:
        """Refuse a wrong password: by the same rule as a sign-in, for it can be guessed here, too."""
        typed = _not_too_long(self.cleaned_data["old_password"])
        try:
            found = authenticate(username=self.user.get_username(), password=typed)
        except TryLater as refused:
            self.try_later = refused
            raise
        if found is None or found.pk != self.user.pk:
            raise Refused(say("Current Password is not right."))
        return typed


def _not_too_long(password: str) -> str:
    if len(password) > passwords.LONGEST:
        raise Refused(
            say("Password must have at most {most:,} characters.", most=passwords.LONGEST)
        )
    return password
