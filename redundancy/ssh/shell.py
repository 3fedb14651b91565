"""One conversation at the prompt: the banner, lines and their echo, commands with pages, until it is left."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from os.path import commonprefix

from django.db import connections

from redundancy.cli import parser
from redundancy.cli.grammar import LEAVE, Kind
from redundancy.cli.run import all_names, new_session
from redundancy.errors import Refused
from redundancy.ssh import pager
from redundancy.ssh.line import Key, Line
from redundancy.ssh.pager import Pager
from redundancy.ssh.running import FAILED, Caller, Page, Question, Running

PROMPT = "\r\nadmin:"
_QUESTION = "Continue (y/n)?"
_BANNER = (
    "Command Line Interface is starting up, please wait ...",
    "",
    "   Welcome to the Platform Command Line Interface",
    "",
    "Lab Installation:",
    "\tIM and Presence high availability",
    "\tsimulated nodes, real Server Recovery Manager",
    "\tnothing here is a vendor's system",
    "",
)
# Without a node they mean the one that was dialled, and the connection goes with it.
_TAKE_THIS_NODE_DOWN = (["utils", "system", "restart"], ["utils", "system", "shutdown"])
# What may be typed ahead while a command runs, in characters; then nothing more is read.
_AHEAD = 65_536
# Seconds without a key after which a conversation ends; `set cli session timeout` changes the minutes.
IDLE = 30 * 60.0


class Gone(Exception):
    """Nobody types any more."""


class Stuck(Exception):
    """What is printed was not taken for as long as somebody may be idle."""


class Keys:
    """What was typed and is not yet read."""

    def __init__(self, pause: Callable[[bool], None]) -> None:
        self._typed: deque[str] = deque()
        self._news = asyncio.Event()
        self._pause = pause
        self._paused = self._gone = self._returned = False
        # Called by Ctrl-C while a command runs; what was typed before it is dropped.
        self.interrupt: Callable[[], None] | None = None

    def feed(self, text: str) -> None:
        """Take what was typed."""
        for character in text:
            # CR LF ends one line, not two.
            second, self._returned = character == "\n" and self._returned, character == "\r"
            if second:
                continue
            if character == "\x03" and self.interrupt is not None:
                self._typed.clear()
                self.interrupt()
            else:
                self._typed.append(character)
        if len(self._typed) > _AHEAD and not self._paused:
            self._paused = True
            self._pause(True)
        self._news.set()

    def end(self) -> None:
        """Nothing more will be typed."""
        self._gone = True
        self._news.set()

    def drop_enter(self) -> None:
        """Drop an Enter that came with what was read last."""
        if self._typed and self._typed[0] in "\r\n":
            self._typed.popleft()

    async def next(self) -> str:
        """Return the next character. Raises Gone when there will be none."""
        while not self._typed:
            if self._gone:
                raise Gone
            self._news.clear()
            await self._news.wait()
        if self._paused and len(self._typed) < _AHEAD // 2:
            self._paused = False
            self._pause(False)
        return self._typed.popleft()


class Shell:
    """The conversation. ``write``: sends text; ``drained``: waits until the other side has taken it."""

    def __init__(
        self,
        caller: Caller,
        keys: Keys,
        write: Callable[[str], None],
        drained: Callable[[], Awaitable[None]],
        *,
        rows: int,
        helpful: bool,
    ) -> None:
        self._caller = caller
        self._keys = keys
        self._write = write
        self._drained = drained
        self._line = Line(helpful)
        self.pager = Pager(rows)
        self._session = new_session()
        self._session.paged, self._session.idle = True, IDLE

    async def converse(self) -> None:
        """Hold the conversation to its end: left, idle for too long, or cut off (Gone, Stuck)."""
        self._write("".join(f"{line}\r\n" for line in _BANNER))
        try:
            while (line := await self._ask_for_line()) is not None:
                if line.strip() in LEAVE:
                    self._write("\r\n")
                    return
                if line.strip():
                    self._write("\r\n")
                    await self._carry_out(line)
        except TimeoutError:
            minutes = f"{(self._session.idle or IDLE) / 60:g}"
            self._write(f"\r\nThe session was idle for {minutes} minutes and is closed.\r\n")

    async def run(self, line: str) -> bool:
        """Carry one command out with nobody to ask and no pages; return whether it succeeded."""
        running = Running(line, self._caller)
        try:
            async for made in running:
                if isinstance(made, Question):
                    made.answer.set_result(True)
                elif isinstance(made, str):
                    self._say(made)
                await self._taken()
        finally:
            running.stop()
        return not running.failed

    async def _taken(self) -> None:
        """Wait until the other side has taken what was written. Raises Stuck when it takes nothing."""
        try:
            await asyncio.wait_for(self._drained(), self._session.idle)
        except TimeoutError:
            raise Stuck from None

    async def _key(self) -> str:
        return await asyncio.wait_for(self._keys.next(), self._session.idle)

    async def _ask_for_line(self) -> str | None:
        """Return the next line; None when it is left."""
        self._write(PROMPT)
        while True:
            echo, key = self._line.press(await self._key())
            self._write(echo)
            match key:
                case Key.ENTER:
                    return self._line.begin()
                case Key.LEAVE:
                    self._write("\r\n")
                    return None
                case Key.INTERRUPT:
                    self._line.begin()
                    self._write(PROMPT)
                case Key.HELP if parser.is_select(self._line.text):
                    # In a statement it is a character, echoed already.
                    self._line.put("?")
                case Key.HELP:
                    await self._help()
                case Key.COMPLETE:
                    await self._complete()

    async def _help(self) -> None:
        lines = parser.explain(self._line.text).splitlines()
        self._write("".join(f"\r\n{line}" for line in lines) + f"\r\n{PROMPT}{self._line.text}")

    async def _complete(self) -> None:
        """Put what all candidates share; where it is nothing, show them."""
        known = await asyncio.to_thread(_names)
        found = list(parser.complete(self._line.text, known.__getitem__))
        # Characters are meant, not parts of paths.
        shared = commonprefix([each.text[each.replaces :] for each in found])  # noqa: RUF071
        if len(found) == 1:
            self._write(self._line.put(f"{shared} "))
        elif shared:
            self._write(self._line.put(shared))
        elif found:
            shown = "  ".join(candidate.text for candidate in found)
            self._write(f"\r\n{shown}\r\n{PROMPT}{self._line.text}")

    async def _carry_out(self, line: str) -> None:
        """Carry a command out. Raises Gone when it has taken this node down."""
        try:
            words = parser.clean(line).lower().split()
        except Refused as refused:
            return self._say(refused.rule, FAILED)
        running = Running(line, self._caller, self._session)
        self._keys.interrupt = running.stop
        self.pager.on = self._session.paged is not False
        self.pager.begin()
        try:
            async for made in running:
                self._keys.interrupt = running.stop if isinstance(made, str) else None
                if isinstance(made, Question):
                    made.answer.set_result(await self._sure())
                elif isinstance(made, Page):
                    made.answer.set_result(await self._look(made))
                elif not await self._print(made):
                    running.stop()
                await self._taken()
        finally:
            self._keys.interrupt = None
            running.stop()
        if words in _TAKE_THIS_NODE_DOWN and not running.failed:
            raise Gone
        return None

    def _say(self, *lines: str) -> None:
        self._write("".join(f"{line}\r\n" for line in lines))

    async def _print(self, line: str) -> bool:
        """Print a line, after a key where the page is full; return whether more is wanted."""
        if self.pager.full:
            self._write(pager.PROMPT)
            self._keys.interrupt = None
            wanted = None
            while wanted is None:
                wanted = self.pager.press(await self._key())
            self._write(pager.GONE)
            if not wanted:
                return False
        self._write(f"{line}\r\n")
        self.pager.printed()
        return True

    async def _look(self, page: Page) -> str:
        """Show a page of a file; return the key that was pressed below it."""
        self._say(*page.lines)
        self._write(page.question)
        key = ""
        while not key or key not in page.keys:
            key = (await self._key()).lower()
            if key == "\x03":
                key = page.keys[0]
        # Some scripts send an Enter with the key.
        self._keys.drop_enter()
        self._write("\r\n")
        return key

    async def _sure(self) -> bool:
        """Ask whether to go on; only y and yes do."""
        self._write(_QUESTION)
        answer = Line()
        while True:
            echo, key = answer.press(await self._key())
            self._write(echo)
            if key is not None:
                self._write("\r\n")
                return key is Key.ENTER and answer.text.strip().lower() in {"y", "yes"}


def _names() -> dict[Kind, list[str]]:
    try:
        return all_names()
    finally:
        # This thread may serve another conversation, or end.
        connections.close_all()
