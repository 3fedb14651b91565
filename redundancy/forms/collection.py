"""The form that begins a log collection."""

from datetime import UTC, datetime
from typing import Any

from django import forms

from redundancy.forms.base import PageForm
from redundancy.models import RedundancyGroup
from redundancy.selectors import groups

SHAPE = "%Y-%m-%d %H:%M:%S"


def moment_field(label: str) -> forms.CharField:
    """Return a field for a moment of lab time in UTC."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "placeholder": "YYYY-MM-DD HH:MM:SS"})
    return forms.CharField(label=label, widget=widget)


class CollectionForm(PageForm):
    """Which group, and which span of lab time."""

    group = forms.ModelChoiceField(
        RedundancyGroup.objects.none(), label="Presence Redundancy Group", empty_label=None
    )
    since = moment_field("From (lab time, UTC)")
    until = moment_field("To (lab time, UTC)")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.fields["group"]
        assert isinstance(group, forms.ModelChoiceField)
        group.queryset = groups.find_groups()

    def clean_since(self) -> float:
        """Return the moment in lab seconds."""
        return self._moment("since")

    def clean_until(self) -> float:
        """Return the moment in lab seconds."""
        return self._moment("until")

    def _moment(self, name: str) -> float:
        text = self.text(name)
        try:
            return datetime.strptime(text, SHAPE).replace(tzinfo=UTC).timestamp()
        except ValueError:
            label = self.fields[name].label
            raise forms.ValidationError(
                f"{label} must be a moment such as 2026-11-22 14:03:00."
            ) from None
