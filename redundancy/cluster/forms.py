"""The forms of an administrator's own cluster."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from redundancy.cluster.writes import LONGEST_NAME, LONGEST_NOTE
from redundancy.forms.base import PageForm, text_field
from redundancy.srm.words import say

# Files of one upload; a ZIP file holds more.
MOST_FILES = 50
_NAME_HELP = say("Snapshots of one cluster have one name. Empty: that of its first node.")


class _Several(forms.FileInput):
    allow_multiple_selected = True


class _Files(forms.FileField):
    """Any number of files."""

    widget = _Several

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the files that were sent."""
        given: Sequence[Any] = data if isinstance(data, list | tuple) else [data] if data else []
        return [forms.FileField.clean(self, each, initial) for each in given]


def _note() -> forms.CharField:
    return forms.CharField(
        label=say("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_NOTE}),
    )


class ReadForm(PageForm):
    """Files, or a pasted output."""

    file = _Files(label=say("Files"), required=False, allow_empty_file=True)
    pasted = forms.CharField(
        label=say("Pasted output"),
        required=False,
        strip=False,
        # Django's own limit of what is no file.
        help_text=say("At most 2 MB; what is longer is taken as a file."),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    name = text_field(say("Cluster"), help_text=_NAME_HELP)

    def clean(self) -> dict[str, Any]:
        """Require something to read, and not too many files."""
        cleaned: dict[str, Any] = super().clean() or {}
        files = cleaned.get("file") or []
        if not files and not cleaned.get("pasted", "").strip() and not self.errors:
            self.add_error("file", say("Files: choose files, or paste an output."))
        if len(files) > MOST_FILES:
            rule = say(
                "Files: at most {most} are taken at once; a ZIP file holds more.", most=MOST_FILES
            )
            self.add_error("file", rule)
        return cleaned

    def given(self) -> "list[UploadedFile[Any]]":
        """Return the files."""
        found: list[UploadedFile[Any]] = self.cleaned_data["file"]
        return found


class KeepForm(PageForm):
    """What a snapshot is kept with."""

    name = text_field(say("Cluster"))
    note = _note()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["maxlength"] = LONGEST_NAME


class DescribeForm(KeepForm):
    """What may be changed of a kept snapshot."""

    baseline = forms.BooleanField(
        label=say("Baseline: what this cluster is to be like"), required=False
    )
