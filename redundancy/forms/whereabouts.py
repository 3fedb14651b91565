"""The form that asks who served a user."""

from django import forms

from redundancy.forms.base import PageForm, text_field
from redundancy.srm.words import say

_SHAPES = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]


class WhereaboutsForm(PageForm):
    """Which user, and at what moment."""

    userid = text_field(say("User ID"), required=True)
    at = forms.DateTimeField(
        label=say("Lab time"),
        required=False,
        input_formats=_SHAPES,
        widget=forms.DateTimeInput(attrs={"autocomplete": "off"}, format="%Y-%m-%d %H:%M:%S"),
        help_text=say(
            "such as 2026-11-22 14:03 or 2026-11-22 14:03:30; empty for the whole history"
        ),
        error_messages={
            "invalid": say(
                "Lab time must be a time such as 2026-11-22 14:03 or 2026-11-22 14:03:30."
            )
        },
    )
