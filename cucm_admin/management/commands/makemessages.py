"""Collect what is to be translated: Django's command, which also knows this project's own functions."""

from typing import Any

from django.core.management.commands import makemessages

# Functions, and which of their arguments is a sentence: those of ``redundancy.srm.words``, and the
# rows of SRM's tables, which are sentences as data.
SENTENCES = ("say:1", "say_row:1", "mark:1", "say_count:1,2", "Rule:3", "_row:6")


# What is no part of the product or speaks on the terminal alone, and the catalogues themselves: all
# goes into the one of the settings.
ELSEWHERE = ["tests", ".venv", "var", "stack", "locale"]


class Command(makemessages.Command):
    """Write the catalogues of translations."""

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        *(f"--keyword={each}" for each in SENTENCES),
        # Fields are in braces; "5 % of the users" has none besides.
        *(f"--flag={each.split(',')[0]}:no-python-format" for each in SENTENCES),
    ]

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect from this project alone; of each text its file, without a line that soon is wrong."""
        options["ignore_patterns"] = [*options["ignore_patterns"], *ELSEWHERE]
        options.update(no_wrap=True, no_obsolete=True, add_location="file")
        super().handle(*args, **options)
