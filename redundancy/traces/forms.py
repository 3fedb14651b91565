"""The form that begins a log collection."""

from datetime import UTC, datetime
from typing import Any

from django import forms

from redundancy.clock import lab_now
from redundancy.forms.base import PageForm
from redundancy.models import Incident, RedundancyGroup
from redundancy.selectors import groups
from redundancy.srm.words import say, together
from redundancy.traces import reads
from redundancy.traces.reads import SHAPE


def _moment_field(label: str) -> forms.CharField:
    """Return a field for a moment of lab time in UTC; the form says when it may be left empty."""
    attributes = {"autocomplete": "off", "placeholder": say("YYYY-MM-DD HH:MM:SS")}
    widget = forms.TextInput(attrs=attributes)
    return forms.CharField(label=label, required=False, widget=widget)


class CollectionForm(PageForm):
    """An incident, or a group and a span of lab time.

    Args:
        linked: The incident that the page was opened for; it is among those to choose from.

    """

    incident = forms.ModelChoiceField(
        Incident.objects.none(),
        required=False,
        label=say("Incident"),
        empty_label=say("None: the group and the time below"),
        help_text=say(
            "An incident brings its own group and time; what is chosen below does not count then."
        ),
    )
    group = forms.ModelChoiceField(
        RedundancyGroup.objects.none(), label=say("Presence Redundancy Group"), empty_label=None
    )
    since = _moment_field(say("From (lab time, UTC)"))
    until = _moment_field(say("To (lab time, UTC)"))

    def __init__(self, *args: Any, linked: Incident | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group, incident = self.fields["group"], self.fields["incident"]
        assert isinstance(group, forms.ModelChoiceField)
        assert isinstance(incident, forms.ModelChoiceField)
        group.queryset = groups.by_name()
        incident.queryset = reads.recent_incidents()
        # Any incident is taken, but not all are shown; none is looked for where no form is drawn.
        incident.choices = lambda: [("", str(incident.empty_label)), *_offered(linked)]

    def clean_since(self) -> float:
        """Return the moment in lab seconds."""
        return self._moment("since")

    def clean_until(self) -> float:
        """Return the moment in lab seconds."""
        return self._moment("until")

    def clean(self) -> dict[str, Any]:
        """Give an incident its own group and span."""
        cleaned = super().clean() or {}
        incident = cleaned.get("incident")
        if incident is not None:
            since, until = reads.span_of(incident, lab_now())
            cleaned |= {"group": incident.group, "since": since, "until": until}
        return cleaned

    def _moment(self, name: str) -> float:
        # An incident brings its own; one that does not exist has an error at its field.
        if self.data.get("incident"):
            return 0.0
        text, label = self.text(name), self.fields[name].label
        if not text:
            raise forms.ValidationError(say("{label} is required.", label=label))
        try:
            return datetime.strptime(text, SHAPE).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise forms.ValidationError(
                say("{label} must be a moment such as 2026-11-22 14:03:00.", label=label)
            ) from None


def _offered(linked: Incident | None) -> list[tuple[int, str]]:
    recent = list(reads.recent_incidents()[: reads.RECENT])
    if linked is not None and linked not in recent:
        recent.append(linked)
    return [(incident.pk, _named(incident)) for incident in recent]


def _named(incident: Incident) -> str:
    opened, state = f"{incident.opened_at:{SHAPE}}", "" if incident.closed_at else say("open")
    parts = [opened, incident.group_name, say(incident.reason), state]
    return say("{number}: {told}", number=incident.pk, told=together(parts, ", "))
