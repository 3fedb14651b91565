"""Forms of service parameters, enterprise parameters and the login profile."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms

from redundancy.catalog import ENTERPRISE_PARAMETERS, PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.forms.base import PageForm, name_errors
from redundancy.login_profiles import NODE_SIZES, Mode
from redundancy.models import Server
from redundancy.selectors.parameters import PER_NODE
from redundancy.srm.words import say

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
        for parameter in [each for each in PARAMETERS if each.key in keys]:
            self.fields[parameter.key] = _field(parameter, disabled=read_only)
            hidden = forms.CharField(required=False, widget=forms.HiddenInput)
            self.fields[_SEEN + parameter.key] = hidden

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
    # The operation judges all parameters at once.
    field.validators = []
    return field


def contents(present: Mapping[str, str], typed: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the contents of a form of the values ``present``, with ``typed`` in the place of some."""
    seen = {_SEEN + key: text for key, text in present.items()}
    return {**present, **(typed or {}), **seen}


def contents_again(form: ParametersForm, present: Mapping[str, str]) -> dict[str, str]:
    """Return the contents of a form like ``form`` on the values ``present``; what was typed stays."""
    seen = form.expected()
    typed = {key: text for key, text in form.values().items() if text.strip() != seen.get(key)}
    return contents(present, typed)


class EnterpriseForm(PageForm):
    """A drop-down for each enterprise parameter, under its key."""

    def __init__(self, *args: Any, read_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in ENTERPRISE_PARAMETERS:
            # The operation judges the value.
            select = forms.Select(choices=[(choice, choice) for choice in each.choices])
            self.fields[each.key] = forms.CharField(
                label=each.name, required=False, disabled=read_only, widget=select
            )


_SIZES = [
    ("", say("Not-Selected")),
    *(
        (str(size), say("{size:,} users ({hardware})", size=size, hardware=hardware))
        for size, hardware in NODE_SIZES.items()
    ),
]


class LoginProfileForm(PageForm):
    """For how many users each node is made, and how the pair shares its users."""

    def __init__(self, *args: Any, servers: Sequence[Server], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for server in servers:
            label = say("Node Size of {server}", server=server.name)
            self.fields[f"size_{server.slot}"] = forms.ChoiceField(label=label, choices=_SIZES)
        self.fields["mode"] = forms.ChoiceField(
            label=say("Mode"), choices=[(mode.value, mode.value) for mode in Mode]
        )
        name_errors(self)
        self.servers = servers

    @property
    def mode(self) -> Mode:
        """How the pair shares its users."""
        return Mode(self.text("mode"))

    @property
    def sizes(self) -> dict[int, int]:
        """For how many users each node is made, by the key of the node."""
        return {server.pk: int(self.text(f"size_{server.slot}")) for server in self.servers}


def snapshot_fields(snapshot: Mapping[int, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return the hidden fields that carry the values of nodes, by the nodes' keys."""
    return [
        (f"{_SEEN}{pk}_{key}", text)
        for pk, texts in snapshot.items()
        for key, text in texts.items()
    ]


def posted_snapshot(
    data: Mapping[str, str], servers: Sequence[Server]
) -> dict[int, dict[str, str]]:
    """Return the values of these nodes that a sent form carries."""
    return {
        server.pk: {
            parameter.key: data[name]
            for parameter in PER_NODE
            if (name := f"{_SEEN}{server.pk}_{parameter.key}") in data
        }
        for server in servers
    }
