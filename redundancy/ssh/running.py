"""One command in a thread of its own: Django and its database connections stay out of the event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import DatabaseError, connections

from redundancy.cli.grammar import Session
from redundancy.cli.run import run
from redundancy.errors import Refused
from redundancy.origin import coming_from

FAILED = "Executed command unsuccessfully"
# Lines that wait for a slow reader; then the command waits, too.
_WAITING = 500


class _Stopped(Exception):
    """The command is no longer wanted."""


@dataclass(slots=True)
class Question:
    """A command asks whether to go on; ``answer`` takes it."""

    answer: "Future[bool]" = field(default_factory=Future)

    def leave(self) -> None:
        """Answer for somebody who has left: that is no yes."""
        self.answer.set_result(False)


@dataclass(slots=True)
class Page:
    """A command shows lines with a question below them; ``answer`` takes one of the ``keys``, the first to leave."""

    lines: Sequence[str]
    question: str
    keys: str
    answer: "Future[str]" = field(default_factory=Future)

    def leave(self) -> None:
        """Answer for somebody who has left."""
        self.answer.set_result(self.keys[0])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who gives commands. ``address``: the client's. ``may_write``: whether the role may change anything.

    ``node``: the key of the node that was dialled; None where nodes have no addresses.
    """

    name: str
    address: str
    may_write: bool
    node: int | None = None


class Running:
    """A command that was begun. Iterate to get its lines, questions and pages in their order.

    Without a session nobody looks at pages. ``failed``, at its end: whether it could not be carried out.
    """

    def __init__(self, line: str, caller: Caller, session: Session | None = None) -> None:
        self._line = line
        self._caller = caller
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._made: deque[str | Question | Page] = deque()
        self._room = threading.Condition()
        self._news = asyncio.Event()
        self._stopped = self._ended = False
        self._question: Question | Page | None = None
        self.failed = False

    async def __aiter__(self) -> AsyncIterator[str | Question | Page]:
        threading.Thread(target=self._work, name="command", daemon=True).start()
        while not self._ended or self._made:
            await self._news.wait()
            self._news.clear()
            while self._made:
                with self._room:
                    made = self._made.popleft()
                    self._room.notify()
                yield made

    def stop(self) -> None:
        """Let the command end before its next line; what it has done stays done."""
        with self._room:
            self._stopped = True
            self._made.clear()
            self._room.notify()
        if self._question is not None and not self._question.answer.done():
            self._question.leave()

    def _put(self, made: str | Question | Page) -> None:
        with self._room:
            self._room.wait_for(lambda: self._stopped or len(self._made) < _WAITING)
            if self._stopped:
                raise _Stopped
            self._made.append(made)
        self._loop.call_soon_threadsafe(self._news.set)

    def _ask(self) -> bool:
        self._question = question = Question()
        self._put(question)
        return question.answer.result()

    def _look(self, lines: Sequence[str], question: str, keys: str) -> str:
        self._question = page = Page(lines, question, keys)
        self._put(page)
        return page.answer.result()

    def _pause(self, seconds: float) -> None:
        with self._room:
            if self._room.wait_for(lambda: self._stopped, seconds):
                raise _Stopped

    def _work(self) -> None:
        try:
            with coming_from(self._caller.address), suppress(_Stopped):
                self._carry_out()
        finally:
            # The thread ends with the command, and its connections with it.
            connections.close_all()
            self._ended = True
            # The loop may have ended meanwhile.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._news.set)

    def _carry_out(self) -> None:
        caller = self._caller
        try:
            for text in run(
                self._line,
                actor=caller.name,
                warn=self._put,
                confirm=self._ask,
                may_write=caller.may_write,
                session=self._session,
                look=self._look if self._session else None,
                pause=self._pause,
                here=caller.node,
            ):
                self._put(text)
        except Refused as refused:
            self._fail(refused.rule)
        except DatabaseError as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            self._fail(f"The database cannot be used: {said[0]}")

    def _fail(self, reason: str) -> None:
        self.failed = True
        self._put(reason)
        self._put(FAILED)
