"""What the forms of all pages have in common."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms

from redundancy.errors import Refused
from redundancy.srm.words import say

T = TypeVar("T")


def name_errors(form: forms.BaseForm) -> None:
    """Let every message of ``form`` name its field, and tell assistive technology what is required."""
    for name, field in form.fields.items():
        label = field.label or name
        field.error_messages |= {
            "required": str(say("{label} is required.", label=label)),
            "invalid_choice": str(say("{label}: choose one of the list.", label=label)),
            "null_characters_not_allowed": str(
                say("{label} must not contain null characters.", label=label)
            ),
        }
        if field.required:
            field.widget.attrs["aria-required"] = "true"


class PageForm(forms.Form):
    """A form that reads what was typed and leaves the rules to the operation.

    Every message names its field, because the Status fieldset repeats it away from the field. The
    browser does not check: it would stop at the first error, in its own words.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, read_only: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        name_errors(self)
        for field in self.fields.values():
            field.disabled = field.disabled or read_only

    def refuse(self, refused: Refused) -> None:
        """Show the rules an operation refused by, each at its field where the form has it."""
        for rule, name in refused.rules:
            self.add_error(name if name in self.fields else None, rule)

    def carry_out(self, operation: Callable[[], T]) -> T | None:
        """Return what ``operation`` returns when the form is valid.

        None, with what is wrong in the form, when it is not or the operation refused.
        """
        if not self.is_valid():
            return None
        try:
            return operation()
        except Refused as refused:
            self.refuse(refused)
            return None

    def text(self, name: str) -> str:
        """Return what was typed into ``name``; empty when the form does not have it."""
        value = self.cleaned_data.get(name, "")
        return value if isinstance(value, str) else ""


def text_field(label: str, *, required: bool = False, help_text: str = "") -> forms.CharField:
    """Return a line of text."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=required, widget=widget, help_text=help_text)
