"""The filter of the HA event history."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from redundancy.forms.base import PageForm, text_field
from redundancy.history.reads.events import Wanted
from redundancy.models import EventKind
from redundancy.srm.words import say

# As a browser's field of date and time sends it, and as somebody types it.
FORMATS = [
    f"%Y-%m-%d{between}{clock}" for between in ("T", " ") for clock in ("%H:%M:%S", "%H:%M")
] + ["%Y-%m-%d"]


def _moment(label: str) -> forms.DateTimeField:
    field = forms.DateTimeField(
        label=label,
        required=False,
        input_formats=FORMATS,
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}
        ),
    )
    field.error_messages["invalid"] = say(
        "{label}: give a date and a time, as in 2026-05-13 02:48:48.", label=label
    )
    return field


class HistoryForm(PageForm):
    """Which events are shown; everything is optional, and stands in the address."""

    group = text_field(say("Presence Redundancy Group"))
    node = text_field(say("Server"))
    kind = forms.ChoiceField(
        label=say("Kind"), required=False, choices=[("", say("All")), *EventKind.choices]
    )
    since = _moment(say("From (lab time)"))
    until = _moment(say("To (lab time)"))
    find = text_field(say("Text"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].widget.attrs["list"] = "group-names"
        self.fields["node"].widget.attrs["list"] = "node-names"

    def clean(self) -> dict[str, Any]:
        """Check that the time span is one."""
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", say("To must not be before From."))
        return cleaned

    @property
    def wanted(self) -> Wanted:
        """What was asked for. To be read when the form is valid."""
        until = self._time("until")
        return Wanted(
            group=self.text("group"),
            node=self.text("node"),
            kind=self.text("kind"),
            since=self._time("since"),
            # Up to the end of the second that was typed.
            until=until and until + timedelta(microseconds=999_999),
            text=self.text("find"),
        )

    @property
    def query(self) -> list[tuple[str, str]]:
        """What an address carries to ask for the same."""
        return [(name, self.data[name]) for name in self.fields if self.data.get(name)]

    def _time(self, name: str) -> datetime | None:
        value = self.cleaned_data.get(name)
        return value if isinstance(value, datetime) else None
