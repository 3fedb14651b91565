"""The forms of *Tools > Fault Lab*: one for each fault, so that Enter puts in force what was typed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms

from redundancy.forms.base import PageForm
from redundancy.models import Server

BOTH = "both"


class FaultForm(PageForm):
    """A fault that can be put in force. ``key`` is what its button sends.

    Args:
        nodes: The two nodes of the group it is about.

    """

    key: ClassVar[str] = ""
    button: ClassVar[str] = ""
    # What it does, where the fields do not say it.
    note: ClassVar[str] = ""

    def __init__(self, *args: Any, nodes: Sequence[Server] = (), **kwargs: Any) -> None:
        # The fields of several of these forms stand on one page.
        super().__init__(*args, auto_id=f"id_{self.key}_%s", **kwargs)
        self.nodes = {str(node.pk): node for node in nodes}

    def node(self, name: str) -> Server | None:
        """Return the node chosen in ``name``; None when it is none of the group's."""
        return self.nodes.get(self.text(name))


class CutForm(FaultForm):
    """Cut the link, one way or both."""

    key, button = "cut", "Cut Link"
    direction = forms.ChoiceField(label="Heartbeats that get lost")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [(BOTH, "both ways")]
        if len(self.nodes) == 2:
            (one, first), (two, second) = self.nodes.items()
            ways += [(one, f"from {first} to {second}"), (two, f"from {second} to {first}")]
        direction = self.fields["direction"]
        assert isinstance(direction, forms.ChoiceField)
        direction.choices = ways


def _measure(label: str, *, whole: bool = False) -> forms.Field:
    kind = forms.IntegerField if whole else forms.FloatField
    number = "a whole number" if whole else "a number"
    return kind(
        label=label,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"}),
        error_messages={"invalid": f"{label} must be {number}."},
    )


class DelayForm(FaultForm):
    """Let heartbeats arrive late."""

    key, button = "delay", "Delay Heartbeats"
    seconds = _measure("Delay (lab seconds)")


class LoseForm(FaultForm):
    """Lose some heartbeats by chance."""

    key, button = "lose", "Lose Heartbeats"
    percent = _measure("Heartbeats lost (percent)", whole=True)


class RestoreForm(FaultForm):
    """Restore the link."""

    key, button = "restore", "Restore Link"
    note = "No cut, no delay, no loss. Heartbeats that are under way still arrive late."


class MoveForm(FaultForm):
    """Let a session move fail."""

    key, button = "move", "Fail Next User Move"
    note = "The next move of users of this group fails, whichever node asks for it."


class HoldForm(FaultForm):
    """Let session moves wait."""

    key, button = "hold", "Hold User Moves"
    note = (
        "No move of users of this group is carried out until they are released: a pair that turns"
        " over stays in its transition."
    )


class ReleaseForm(FaultForm):
    """Let session moves be carried out again."""

    key, button = "release", "Release User Moves"
    note = (
        "What was held is carried out when the node asks for it again, within a heartbeat interval."
    )


class StartForm(FaultForm):
    """Let a start of services fail."""

    key, button = "start", "Fail Next Service Start"
    chosen = forms.ChoiceField(label="Node whose critical services do not start")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["chosen"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [(pk, node.name) for pk, node in self.nodes.items()]


class PauseForm(FaultForm):
    """Let nobody look at the nodes."""

    key, button = "pause", "Pause Observer"
    seconds = _measure("Pause (lab seconds)")


LINK_FORMS = (CutForm, DelayForm, LoseForm, RestoreForm)
WORK_FORMS = (MoveForm, HoldForm, ReleaseForm, StartForm)
FORMS: dict[str, type[FaultForm]] = {
    form.key: form for form in (*LINK_FORMS, *WORK_FORMS, PauseForm)
}
