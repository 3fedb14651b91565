"""The forms of an administrator's own cluster."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxLengthValidator

from redundancy.cluster.writes import LONGEST_NAME, LONGEST_NOTE
from redundancy.forms.base import PageForm, text_field
from redundancy.pull.sources import AXL, PEM, PORTS, SSH, Source
from redundancy.srm.words import say

# Files of one upload; a ZIP file holds more.
MOST_FILES = 50
# Characters of certificates: some 30 of them.
_LONGEST_CA = 65_536
_ASKED = ("kind", "host", "port", "user", "password", "ca", "unverified", "host_key")
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
    """Files, a pasted output, or a server that is asked; ``collected`` and ``asked`` are their fields."""

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
    kind = forms.ChoiceField(
        label=say("By"), required=False, choices=[(AXL, say("AXL")), (SSH, say("SSH"))], initial=AXL
    )
    host = text_field(say("Host"), help_text=say("Of CUCM, or of a node of IM and Presence."))
    port = forms.IntegerField(
        label=say("Port"),
        required=False,
        help_text=say("Empty: {axl} for AXL, {ssh} for SSH.", axl=PORTS[AXL], ssh=PORTS[SSH]),
    )
    user = text_field(say("User"))
    password = forms.CharField(
        label=say("Password"),
        required=False,
        strip=False,
        help_text=say("It is used once, and kept nowhere."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    ca = forms.CharField(
        label=say("CA"),
        required=False,
        max_length=_LONGEST_CA,
        help_text=say("For AXL: certificates to be trusted (PEM); empty: those of this system."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
    unverified = forms.BooleanField(label=say("Do not verify the certificate"), required=False)
    host_key = text_field(
        say("Host key"),
        help_text=say("For SSH: its fingerprint (SHA256:…); empty: those that this system knows."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invalid = say("Port: must be from 1 to 65535.")
        self.fields["port"].error_messages["invalid"] = str(invalid)
        most = say("CA: at most {most:,} characters.", most=_LONGEST_CA)
        self.fields["ca"].validators = [MaxLengthValidator(_LONGEST_CA, str(most))]

    @property
    def collected(self) -> list[forms.BoundField]:
        """The fields of what was collected."""
        return [self[name] for name in self.fields if name not in _ASKED]

    @property
    def asked(self) -> list[forms.BoundField]:
        """The fields of a server that is asked."""
        return [self[name] for name in _ASKED]

    def clean(self) -> dict[str, Any]:
        """Require something to read, one way or the other, and not too many files."""
        cleaned: dict[str, Any] = super().clean() or {}
        files = cleaned.get("file") or []
        given = bool(files or cleaned.get("pasted", "").strip())
        if cleaned.get("host"):
            self._check_asked(cleaned, given=given)
        elif not given and not self.errors:
            self.add_error("file", say("Files: choose files, or paste an output."))
        if len(files) > MOST_FILES:
            rule = say(
                "Files: at most {most} are taken at once; a ZIP file holds more.", most=MOST_FILES
            )
            self.add_error("file", rule)
        return cleaned

    def _check_asked(self, cleaned: dict[str, Any], *, given: bool) -> None:
        if given:
            rule = say("Host: ask a server, or give files or an output, not both.")
            self.add_error("host", rule)
        for name in ("user", "password"):
            if not cleaned.get(name) and name not in self.errors:
                label = self.fields[name].label
                self.add_error(name, say("{label} is required.", label=label))
        ca = cleaned.get("ca", "").strip()
        if ca and not ca.startswith(PEM):
            # Anything else would be taken for the name of a file of this machine.
            rule = say("CA: must be certificates in the format PEM, from {begin} on.", begin=PEM)
            self.add_error("ca", rule)
        elif ca and cleaned.get("unverified"):
            rule = say("CA: give one, or choose not to verify the certificate, not both.")
            self.add_error("ca", rule)

    def source(self) -> Source | None:
        """Return the server that is to be asked; None where files or an output are given."""
        host, port = self.text("host"), self.cleaned_data["port"]
        if not host:
            return None
        kind = self.text("kind") or AXL
        return Source(
            kind,
            host,
            self.text("user"),
            PORTS[kind] if port is None else port,
            ca=self.text("ca").strip(),
            verify=not self.cleaned_data["unverified"],
            host_key=self.text("host_key"),
        )

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
