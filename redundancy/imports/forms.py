"""The form of *Bulk Administration > Import Users*."""

from django import forms

from redundancy.forms.base import PageForm
from redundancy.srm.words import say


class ImportForm(PageForm):
    """A file of users, and whether they are added as soon as the check finds no error."""

    file = forms.FileField(
        label=say("File"),
        # What may be in it, and how large it may be, is the operation's to say.
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    at_once = forms.BooleanField(
        label=say("Import at once when the check finds no error"), required=False
    )
