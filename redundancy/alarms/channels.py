"""Send to channels outside: e-mail, webhook, syslog and whatever else is allowed.

By a process of its own (`redundancy.alarms.sender`): it can be ended wherever it hangs, and a worker
that tells nobody needs no memory for Apprise.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings

from redundancy.alarms import addresses
from redundancy.srm.words import say

# Wall seconds that one delivery may take, whatever it hangs at.
SECONDS = 20
# What the process that sends is given of the environment: neither keys nor other passwords.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class Sender:
    """Sends to one channel, one message after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        # Whether it had to be ended: then it sends nothing more.
        self.over = False

    def send(self, url: str, title: str, text: str) -> str:
        """Send one message; return why it failed, empty when it did not. Takes SECONDS at most."""
        if not url:
            return say(
                "its address cannot be read: it was stored under another SECRET_KEY. Set it again"
            )
        if problem := addresses.problem_of(url):
            return problem
        order = {
            "url": url,
            "title": title,
            "text": text,
            "private": settings.ALARM_ALLOW_PRIVATE,
            "seconds": SECONDS,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self.over = True
            if self._process.wait() == -signal.SIGALRM:
                return say("it was not over after {count} seconds", count=SECONDS)
            return say("the process that sends ended")
        return str(json.loads(answer)["error"])


@contextlib.contextmanager
def sender() -> Iterator[Sender]:
    """Start the process that sends, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "redundancy.alarms.sender"],
        cwd=settings.BASE_DIR,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        yield Sender(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def send(url: str, title: str, text: str) -> str:
    """Send one message; return why it failed, empty when it did not. Takes some seconds at most."""
    with sender() as by:
        return by.send(url, title, text)
