"""The form of *System > Enterprise Parameters*."""

from typing import Any

from django import forms

from redundancy.catalog import ENTERPRISE_PARAMETERS
from redundancy.forms.base import PageForm


class EnterpriseForm(PageForm):
    """A drop-down for each enterprise parameter, under its key."""

    def __init__(self, *args: Any, read_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in ENTERPRISE_PARAMETERS:
            # What it may be is the operation's to say.
            self.fields[each.key] = forms.CharField(
                label=each.name,
                required=False,
                disabled=read_only,
                widget=forms.Select(choices=[(choice, choice) for choice in each.choices]),
            )
