"""The form of *Login Profile*, and the values that were seen of both nodes of a group."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from redundancy.forms.base import PageForm, name_errors
from redundancy.login_profiles import NODE_SIZES, Mode
from redundancy.models import Server
from redundancy.selectors.parameters import PER_NODE
from redundancy.srm.words import say

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
            self.fields[f"size_{server.slot}"] = forms.ChoiceField(
                label=say("Node Size of {server}", server=server.name),
                choices=_SIZES,
            )
        self.fields["mode"] = forms.ChoiceField(
            label=say("Mode"), choices=[(mode.value, mode.value) for mode in Mode]
        )
        name_errors(self)
        self.servers = servers

    @property
    def mode(self) -> Mode:
        """The mode that was chosen."""
        return Mode(self.text("mode"))

    @property
    def sizes(self) -> dict[int, int]:
        """The sizes that were chosen, by the key of the node."""
        return {server.pk: int(self.text(f"size_{server.slot}")) for server in self.servers}


def seen_fields(values: Mapping[int, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return hidden fields that carry these values of nodes, by their key."""
    return [
        (f"seen_{pk}_{key}", text) for pk, texts in values.items() for key, text in texts.items()
    ]


def seen(data: Mapping[str, str], servers: Sequence[Server]) -> dict[int, dict[str, str]]:
    """Return the values of these nodes that a sent form carries."""
    return {
        server.pk: {
            parameter.key: data[name]
            for parameter in PER_NODE
            if (name := f"seen_{server.pk}_{parameter.key}") in data
        }
        for server in servers
    }
