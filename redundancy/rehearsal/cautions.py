"""What an administrator would be asked about before a step, the same in virtual time and live."""

from collections.abc import Iterable

from redundancy.planned.reads.before_ha import TOO_EARLY
from redundancy.planned.reads.sessions import SessionsBack
from redundancy.srm.words import english, together


def of_enabling(sessions: Iterable[SessionsBack]) -> list[str]:
    """Return of each node whose sessions are not back what enabling High Availability now does."""
    return [english(together([each.sentence, TOO_EARLY])) for each in sessions if each.missing]
