"""The one error of operations."""

from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """An operation was refused and changed nothing.

    Args:
        rule: What is required, as a sentence for the administrator.
        field: The form field it belongs to; None when it is about the whole object.

    """

    def __init__(self, rule: str, *, field: str | None = None) -> None:
        super().__init__(rule, code="refused")
        self.rule = rule
        self.field = field
