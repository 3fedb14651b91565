"""What a client is asked to do, on its standard input; what it got for it goes to its standard output.

The clients run in an environment of their own, where the product and pytest are not installed.
"""

import json
import sys
from dataclasses import dataclass, field

# Ends every wait of a client: seconds, generous for a busy machine.
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Order:
    """Where to sign in, and what to type.

    ``how``: the client's own word for the way in. ``rows``: those of the terminal. ``lines``: each is typed when what
    stands beside it was seen; the first one is typed at the first prompt.
    """

    port: int
    user: str
    password: str
    host: str = "127.0.0.1"
    how: str = ""
    rows: int = 200
    lines: list[str] = field(default_factory=list)


def taken() -> Order:
    """Return the order."""
    return Order(**json.load(sys.stdin))


def deliver(answers: list[str]) -> None:
    """Hand over what came for each line."""
    json.dump(answers, sys.stdout)
