"""The form of *System > Service Parameters*: some parameters, and the values that were seen with them."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.forms.base import PageForm

_SEEN = "seen_"


def posted_keys(data: Mapping[str, Any]) -> set[str]:
    """Return the parameters that a sent form holds."""
    return PARAMETER_BY_KEY.keys() & data.keys()


class ParametersForm(PageForm):
    """The parameters ``keys``, in the order of the catalogue.

    What was seen when the form was made goes along, so that a form that has grown old is refused.
    """

    def __init__(
        self, *args: Any, keys: Collection[str], read_only: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        chosen = [parameter for parameter in PARAMETERS if parameter.key in keys]
        for parameter in chosen:
            self.fields[parameter.key] = _field(parameter, disabled=read_only)
        for parameter in chosen:
            self.fields[_SEEN + parameter.key] = forms.CharField(
                required=False, widget=forms.HiddenInput
            )

    def values(self) -> dict[str, str]:
        """Return what was typed, by the keys of the parameters."""
        return {key: self.text(key) for key in self.fields if key in PARAMETER_BY_KEY}

    def expected(self) -> dict[str, str]:
        """Return the values that were seen, of those that the form was sent with."""
        return {key: self.text(_SEEN + key) for key in self.values() if _SEEN + key in self.data}


def _field(parameter: Parameter, *, disabled: bool) -> forms.Field:
    # Its name stands in a cell of its own, with its help.
    attributes = {"aria-labelledby": f"name-{parameter.key}"}
    widget: forms.Widget
    if parameter.unit == "bool":
        widget = forms.Select(attrs=attributes, choices=[("True", "True"), ("False", "False")])
    else:
        typed = {"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}
        widget = forms.TextInput(attrs=attributes | typed)
    field = forms.CharField(label=parameter.name, required=False, widget=widget, disabled=disabled)
    # What it may be is the operation's to say, of all parameters at once.
    field.validators = []
    return field


def shown(present: Mapping[str, str], typed: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the contents of a form of the values ``present``, with ``typed`` in the place of some."""
    return {
        **present,
        **(typed or {}),
        **{_SEEN + key: text for key, text in present.items()},
    }


def renewed(form: ParametersForm, present: Mapping[str, str]) -> dict[str, str]:
    """Return the contents of a form like ``form`` on the values ``present``; what was typed stays."""
    seen = form.expected()
    typed = {key: text for key, text in form.values().items() if text.strip() != seen.get(key)}
    return shown(present, typed)
