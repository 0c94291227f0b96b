"""Do the entries of several threads share a commit, and never a fate?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import cast

import pytest

from mcp_migrate.errors import AlreadyUsedError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Kind, Ledger, verify
from mcp_migrate.ledger.line import Line, Waiting


class Disk:
    """Takes groups when it is let, and remembers them."""

    def __init__(self) -> None:
        self.groups, self.free, self.wrong = list[int](), threading.Event(), list[BaseException]()

    def write(self, group: Sequence[Waiting]) -> None:
        self.groups.append(len(group))
        self.free.wait(10)
        if self.wrong:
            raise self.wrong.pop()
        for each in group:
            each.rows = ()


class Interrupted:
    """The gate of one who is interrupted at it: as soon as they stand there, or just when they are called."""

    def __init__(self, *, called: bool) -> None:
        self._called = threading.Event()
        if not called:
            self._called.set()

    def acquire(self) -> None:
        self._called.wait(10)
        raise KeyboardInterrupt

    def release(self) -> None:
        self._called.set()


def waiting() -> Waiting:
    return Waiting((), (), "", ())


def crowd(line: Line, disk: Disk, *others: Waiting) -> list[BaseException | None]:
    """One writes, the others come meanwhile, one after the other; what came of each."""
    with ThreadPoolExecutor(1 + len(others)) as pool:
        came = [pool.submit(line.settle, waiting())]
        while not disk.groups:
            threading.Event().wait(0.001)
        for each in others:
            before = len(line._waiting)
            came.append(pool.submit(line.settle, each))
            while len(line._waiting) == before and not came[-1].done():
                threading.Event().wait(0.001)
        disk.free.set()
        return [each.exception() for each in came]


@pytest.mark.proves("ledger-group-commit")
def test_whoever_comes_while_others_write_shares_the_next_commit() -> None:
    disk = Disk()
    assert crowd(Line(disk.write), disk, *(waiting() for _ in range(7))) == [None] * 8
    assert disk.groups == [1, 7]


@pytest.mark.proves("ledger-group-commit")
def test_a_commit_that_fails_or_is_interrupted_leaves_nobody_waiting() -> None:
    full = LedgerUnavailableError("The disk is full.", hint="Make room.")
    for wrong in (full, KeyboardInterrupt()):
        disk = Disk()
        disk.wrong = [wrong]
        line = Line(disk.write)
        outcomes = crowd(line, disk, *(waiting() for _ in range(3)))
        assert isinstance(outcomes[0], type(wrong))
        assert outcomes[1:] == [None] * 3
        assert line.settle(waiting()) == ()


@pytest.mark.proves("ledger-group-commit")
@pytest.mark.parametrize("called", [True, False])
def test_who_is_interrupted_in_the_line_leaves_nobody_behind(*, called: bool) -> None:
    disk = Disk()
    leaving = [Waiting((), (), "", (), gate=cast("threading.Lock", Interrupted(called=called))) for _ in range(2)]
    outcomes = crowd(Line(disk.write), disk, waiting(), *leaving, waiting(), waiting())
    assert [type(each) for each in outcomes] == [type(None)] * 2 + [KeyboardInterrupt] * 2 + [type(None)] * 2


@pytest.mark.proves("ledger-group-commit", "approval-one-use")
def test_an_approval_that_was_used_fails_alone_in_its_group(ledger: Ledger, url: str, now: datetime) -> None:
    used = Draft(Kind.APPROVAL_CONSUMED, {}, subject="req_1")
    plain = Draft(Kind.CALL_RECEIVED, {"n": 1})
    ledger.append(used, at=now)
    group = [
        Waiting([plain], ["{}"], now.isoformat(), []),
        Waiting([plain, used], ["{}", "{}"], now.isoformat(), ["req_1"]),
        Waiting([plain], ["{}"], now.isoformat(), []),
    ]
    ledger._write(group)
    assert [len(each.rows or ()) for each in group] == [1, 0, 1]
    assert isinstance(group[1].error, AlreadyUsedError)
    assert [event.kind for event in ledger.read()] == [Kind.APPROVAL_CONSUMED, Kind.CALL_RECEIVED, Kind.CALL_RECEIVED]
    assert verify(url).ok
