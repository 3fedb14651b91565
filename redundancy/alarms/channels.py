"""Send to channels outside: e-mail, webhook, syslog and whatever else Apprise knows.

Apprise is imported where it is used: it takes memory that a system without channels saves.
"""

import logging

from redundancy.srm.words import english, say


def problem_of(url: str) -> str:
    """Return why nothing can be sent to this address; empty when it can."""
    import apprise

    if apprise.Apprise().add(url):
        return ""
    return say(
        "Address is not one that Apprise knows, such as mailto://user:password@host, "
        "json://host/path or rsyslog://host."
    )


def masked(url: str) -> str:
    """Return the address with its secrets masked."""
    import apprise

    made = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    return str(made.url(privacy=True)).partition("?")[0] if made else say("not a known address")


def send(url: str, title: str, text: str) -> str:
    """Send one message; return why it failed, empty when it did not. Takes some seconds at most."""
    import apprise

    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
        target = apprise.Apprise()
        target.add(url)
        if target.notify(title=title, body=text):
            return ""
        lines: list[str] = said.getvalue().strip().splitlines()
    if not lines:
        return say("it was not accepted")
    return lines[-1].replace(url, english(masked(url)))
