"""How do the entries of several threads share one commit?

Whoever comes while others write stands in line. When these are done, the first in line writes for all who stand there:
one transaction and one wait for the disk. With a single writer nothing waits for anybody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from mcp_migrate.errors import Action, LedgerUnavailableError, MigrateError
from mcp_migrate.ledger.events import Draft

Row = dict[str, Any]
_MOMENT = 0.00005
"""Seconds for which who writes waits for each of those who came the last time: about what it needs to come again."""
_ABREAST = 2
"""How many of those who are called wake at once: one works while the other comes round."""


def _closed() -> threading.Lock:
    """A gate that is opened once: an `Event` does the same at several times the cost."""
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Waiting:
    """What one caller wants recorded: all of it or nothing. Settled once it has rows or an error."""

    drafts: Sequence[Draft]
    texts: Sequence[str]
    moment: str
    consumes: Sequence[str]
    rows: tuple[Row, ...] | None = None
    error: MigrateError | None = None
    called: bool = False
    gate: threading.Lock = field(default_factory=_closed)

    @property
    def settled(self) -> bool:
        return self.rows is not None or self.error is not None

    def outcome(self) -> tuple[Row, ...]:
        """The rows that are on the disk now. Raises: whatever kept them off it."""
        if self.error is not None:
            raise self.error
        return self.rows or ()


class Line:
    """Those who wait for their entries; `write` settles each of a group, or raises for all of it."""

    def __init__(self, write: Callable[[Sequence[Waiting]], None]) -> None:
        self._write = write
        self._waiting: deque[Waiting] = deque()
        self._called: deque[Waiting] = deque()
        self._writing = False
        self._crowd = 1
        self._missing, self._all_there = 0, _closed()
        self._lock = threading.Lock()

    def settle(self, mine: Waiting) -> tuple[Row, ...]:
        """Get `mine` written, by whoever's turn it is, and say what came of it."""
        with self._lock:
            self._waiting.append(mine)
            self._missing -= 1
            if self._missing == 0:
                self._all_there.release()
            first, self._writing = not self._writing, True
            mine.called = first
        if not first:
            self._wait(mine)
        if not mine.settled:
            self._write_all()
        return mine.outcome()

    def _wait(self, mine: Waiting) -> None:
        try:
            mine.gate.acquire()
            self._wake()
        except BaseException:  # who is interrupted here leaves the line, and its turn to the next
            with self._lock:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                called, mine.called = mine.called, True
            while self._called:
                self._wake()
            if called and not mine.settled:
                self._call(())
            raise

    def _write_all(self) -> None:
        group = self._come()
        try:
            if len(group) < self._crowd:  # those of the last commit are about to come again: one for all of them
                self._await(self._crowd - len(group))
                group += self._come()
            self._crowd = len(group)
            self._write(group)
        except MigrateError as error:
            _fail(group, error)
        except BaseException:  # nor may who is interrupted while writing for others leave them waiting
            left = "The ledger was left while it was written."
            _fail(group, LedgerUnavailableError(left, hint="Call again.").then(Action.AGAIN))
            raise
        finally:
            self._call(group)

    def _await(self, missing: int) -> None:
        """Until so many more stand in line, or they take longer than they should."""
        with self._lock:
            self._missing, self._all_there = missing - len(self._waiting), _closed()
        if self._missing > 0:
            self._all_there.acquire(timeout=missing * _MOMENT)

    def _come(self) -> list[Waiting]:
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _call(self, group: Sequence[Waiting]) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._writing = following is not None
            called = [each for each in (*((following,) if following else ()), *group) if not each.called]
            for each in called:  # still in the lock: who is interrupted just now has to know that it is their turn
                each.called = True
            self._called.extend(called)
        for _ in called[:_ABREAST]:
            self._wake()

    def _wake(self) -> None:
        """Each wakes the next: all at once would stand in each other's way, for the interpreter is one."""
        with suppress(IndexError):  # the last was called, or somebody who left called all the others
            self._called.popleft().gate.release()


def parted(group: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    """Who uses up an approval stands alone; all who stand between such are written at once."""
    for consumes, part in groupby(group, lambda each: bool(each.consumes)):
        together = tuple(part)
        yield from ((each,) for each in together) if consumes else (together,)


def _fail(group: Sequence[Waiting], error: MigrateError) -> None:
    """None of it is in the log, whatever was prepared; who has an error of their own keeps it."""
    for each in group:
        each.error = each.error or error
