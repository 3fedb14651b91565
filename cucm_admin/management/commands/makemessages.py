"""Collect what is to be translated: Django's command, which also knows this project's own functions."""

from django.core.management.commands import makemessages

# Functions, and which of their arguments is a sentence: those of ``redundancy.srm.words``, and the
# rows of SRM's tables, which are sentences as data.
SENTENCES = ("say:1", "say_row:1", "mark:1", "say_count:1,2", "Rule:3", "_row:6")


class Command(makemessages.Command):
    """Write the catalogues of translations."""

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        *(f"--keyword={each}" for each in SENTENCES),
    ]
