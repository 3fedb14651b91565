"""The form of the sign-in page."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm

from redundancy.forms.base import name_errors


class SignInForm(AuthenticationForm):
    """User name and password, with messages that name their field."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_errors(self)
