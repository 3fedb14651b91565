"""The forms of *Tools > Fault Lab*: one for each act, so that Enter does what was typed beside it."""

from collections.abc import Sequence
from typing import Any

from django import forms

from redundancy.faultlab.writes import FaultAct
from redundancy.forms.base import PageForm, name_errors
from redundancy.models import Server
from redundancy.srm.words import say

BOTH = "both"
# What an act can take that is chosen or typed; the rest is the group of the page.
_FIELDS = ("sender", "node", "seconds", "percent")


class FaultForm(PageForm):
    """A fault of ``nodes``, the two of a group, that can be put in force or taken away, as ``act`` says."""

    def __init__(
        self, *args: Any, act: FaultAct, nodes: Sequence[Server] = (), **kwargs: Any
    ) -> None:
        # The fields of several of these forms stand on one page.
        super().__init__(*args, auto_id=f"id_{act.key}_%s", **kwargs)
        self.act = act
        self.nodes = {str(node.pk): node for node in nodes}
        self.fields |= {name: self._field(name) for name in _FIELDS if name in act.takes}
        name_errors(self)

    def values(self) -> dict[str, Any]:
        """Return what was typed and chosen, as the act's operation takes it."""
        chosen = {name: self.cleaned_data[name] for name in self.fields}
        for name in chosen.keys() & {"sender", "node"}:
            # None of the group's: both ways.
            chosen[name] = self.nodes.get(chosen[name])
        return chosen

    def _field(self, name: str) -> forms.Field:
        label = self.act.label
        if name == "sender":
            return forms.ChoiceField(label=label, choices=[(BOTH, say("both ways")), *self._ways()])
        if name == "node":
            choices = [(pk, node.name) for pk, node in self.nodes.items()]
            return forms.ChoiceField(label=label, choices=choices)
        kind, rule = (
            (forms.IntegerField, say("{label} must be a whole number.", label=label))
            if name == "percent"
            else (forms.FloatField, say("{label} must be a number.", label=label))
        )
        widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"})
        return kind(label=label, widget=widget, error_messages={"invalid": rule})

    def _ways(self) -> list[tuple[str, str]]:
        pairs = zip(self.nodes.items(), reversed(self.nodes.values()), strict=True)
        return [
            (pk, say("from {sender} to {receiver}", sender=sender.name, receiver=receiver.name))
            for (pk, sender), receiver in pairs
        ]
