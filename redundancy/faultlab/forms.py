"""The forms of *Tools > Fault Lab*: one for each fault, so that Enter puts in force what was typed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms

from redundancy.forms.base import PageForm
from redundancy.models import Server
from redundancy.srm.words import say

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

    key, button = "cut", say("Cut Link")
    direction = forms.ChoiceField(label=say("Heartbeats that get lost"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [(BOTH, say("both ways"))]
        if len(self.nodes) == 2:
            (one, first), (two, second) = self.nodes.items()
            ways += [(one, _way(first, second)), (two, _way(second, first))]
        direction = self.fields["direction"]
        assert isinstance(direction, forms.ChoiceField)
        direction.choices = ways


def _way(sender: Server, receiver: Server) -> str:
    return say("from {sender} to {receiver}", sender=sender.name, receiver=receiver.name)


def _measure(label: str, *, whole: bool = False) -> forms.Field:
    kind = forms.IntegerField if whole else forms.FloatField
    if whole:
        rule = say("{label} must be a whole number.", label=label)
    else:
        rule = say("{label} must be a number.", label=label)
    return kind(
        label=label,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"}),
        error_messages={"invalid": rule},
    )


class DelayForm(FaultForm):
    """Let heartbeats arrive late."""

    key, button = "delay", say("Delay Heartbeats")
    seconds = _measure(say("Delay (lab seconds)"))


class LoseForm(FaultForm):
    """Lose some heartbeats by chance."""

    key, button = "lose", say("Lose Heartbeats")
    percent = _measure(say("Heartbeats lost (percent)"), whole=True)


class RestoreForm(FaultForm):
    """Restore the link."""

    key, button = "restore", say("Restore Link")
    note = say("No cut, no delay, no loss. Heartbeats that are under way still arrive late.")


class MoveForm(FaultForm):
    """Let a session move fail."""

    key, button = "move", say("Fail Next User Move")
    note = say("The next move of users of this group fails, whichever node asks for it.")


class HoldForm(FaultForm):
    """Let session moves wait."""

    key, button = "hold", say("Hold User Moves")
    note = say(
        "No move of users of this group is carried out until they are released: a pair that turns"
        " over stays in its transition."
    )


class ReleaseForm(FaultForm):
    """Let session moves be carried out again."""

    key, button = "release", say("Release User Moves")
    note = say(
        "What was held is carried out when the node asks for it again, within a heartbeat interval."
    )


class StartForm(FaultForm):
    """Let a start of services fail."""

    key, button = "start", say("Fail Next Service Start")
    chosen = forms.ChoiceField(label=say("Node whose critical services do not start"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["chosen"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [(pk, node.name) for pk, node in self.nodes.items()]


class PauseForm(FaultForm):
    """Let nobody look at the nodes."""

    key, button = "pause", say("Pause Observer")
    seconds = _measure(say("Pause (lab seconds)"))


LINK_FORMS = (CutForm, DelayForm, LoseForm, RestoreForm)
WORK_FORMS = (MoveForm, HoldForm, ReleaseForm, StartForm)
FORMS: dict[str, type[FaultForm]] = {
    form.key: form for form in (*LINK_FORMS, *WORK_FORMS, PauseForm)
}
