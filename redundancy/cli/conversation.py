"""Commands about the conversation itself: what is set holds for it alone, and ends with it."""

from collections.abc import Iterator

from redundancy.cli.grammar import Call, Command, Do, Kind, Style
from redundancy.errors import Refused

# Minutes.
_LONGEST_IDLE = 99_999
_NO_PAGES = "Pages are made in sessions over SSH only."
_NO_TIMEOUT = "Only sessions over SSH end when they are idle."


def _pagination(*, on: bool) -> Do:
    def do(call: Call) -> Iterator[str]:
        if on and call.session.paged is None:
            raise Refused(_NO_PAGES)
        if call.session.paged is not None:
            call.session.paged = on
        yield f"Automatic pagination is turned {'on' if on else 'off'}"

    return do


def _show_pagination(call: Call) -> Iterator[str]:
    yield f"Automatic Pagination : {'On' if call.session.paged else 'Off'}."


def _timeout(call: Call) -> Iterator[str]:
    minutes = call.values[Kind.MINUTES]
    if not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes[:6]) <= _LONGEST_IDLE):
        raise Refused(f"The timeout is a number of minutes from 1 to {_LONGEST_IDLE}.")
    if call.session.idle is None:
        raise Refused(_NO_TIMEOUT)
    if not call.confirm():
        raise Refused("Nothing was done.")
    call.session.idle = int(minutes) * 60.0
    yield f"The session timeout is set to {minutes} minutes"


def _show_timeout(call: Call) -> Iterator[str]:
    if call.session.idle is None:
        raise Refused(_NO_TIMEOUT)
    yield f"The session timeout is set to {call.session.idle / 60:g} minutes"


def _style(style: Style) -> Do:
    def do(call: Call) -> Iterator[str]:
        call.session.style = style
        yield f"The style is set to {style}"

    return do


COMMANDS = tuple(
    Command(usage, summary, do, writes=False)
    for usage, summary, do in (
        ("set cli pagination off", "show output without a stop", _pagination(on=False)),
        ("set cli pagination on", "stop after each page of output", _pagination(on=True)),
        (
            "set cli session timeout <minutes>",
            "end the session after so many minutes without a key",
            _timeout,
        ),
        *(
            (f"set cli style {style}", f"print the state of nodes as in the {style}", _style(style))
            for style in Style
        ),
        ("show cli pagination", "show whether output stops after each page", _show_pagination),
        ("show cli session timeout", "show after how long the session ends", _show_timeout),
    )
)
