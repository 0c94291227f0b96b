"""How does an event get into the ledger, durably and once, and how is it found again?

There is no statement here that changes or removes an entry, and the file's own triggers refuse them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mcp_migrate.errors import AlreadyUsedError, LedgerCorruptError
from mcp_migrate.ledger import sqlite
from mcp_migrate.ledger.events import Draft, Event, Head, Kind, body_text, stamp
from mcp_migrate.ledger.line import Line, Row, Waiting
from mcp_migrate.ledger.merkle import Frontier
from mcp_migrate.ledger.proofs import Kept, Look, prove_consistency, prove_inclusion
from mcp_migrate.ledger.rows import event_of, grow, kept_of, no_such
from mcp_migrate.ledger.sidecar import publish, read_sidecar, turn
from mcp_migrate.ledger.trouble import translated, unavailable

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.engine import Connection

_Made = TypeVar("_Made")
_TAMPERED = "Run `mcp-migrate ledger verify`, keep the file as evidence, and restore a backup."


class Ledger:
    """One ledger file, for all threads of a process; other processes may have it open as well."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._line = Line(self._write)
        dialect = connection.dialect
        self._insert, self._tail = (_queries().text_of(each, dialect) for each in (_queries().INSERT, _queries().TAIL))
        self._last: tuple[Any, Frontier] = (None, Frontier())
        self._file = _identity(path)
        self.after: Callable[[Sequence[Event]], None] | None = None
        """What is told of each entry once it is on the disk."""
        self._remembered: dict[Any, Any] = {}

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open the ledger at `url`, making an empty one where `create` allows it.

        Raises:
            ConfigInvalidError: `url` does not name an SQLite file.
            LedgerUnavailableError: it cannot be opened, or something else is stored there.
            LedgerCorruptError: its triggers or tables are not as we made them.
        """
        path = sqlite.locate(url)
        with translated(path):
            if create:
                sqlite.create(path)
            connection = sqlite.connect(path, "rw")
            changed = sqlite.changed_schema(connection)
            if changed:
                connection.close()
                raise LedgerCorruptError(f"The ledger {path} was altered: {'; '.join(changed)}.", hint=_TAMPERED)
            return cls(path, connection)

    def append(self, *drafts: Draft, at: datetime) -> tuple[Event, ...]:
        """Record all of `drafts`, or none; they are on the disk when this returns.

        Raises:
            InvalidArgumentsError: a body cannot be held.
            AlreadyUsedError: an approval among them was consumed before.
            LedgerUnavailableError: it cannot be written; ``recorded`` when only the head file could not.
            LedgerCorruptError: what is there does not fit together, or entries at its end are gone.
        """
        moment = stamp(at)
        texts = [body_text(draft) for draft in drafts]
        consumes = [str(draft.subject) for draft in drafts if draft.kind == Kind.APPROVAL_CONSUMED]
        rows = self._line.settle(Waiting(drafts, texts, moment, consumes))
        events = tuple(event_of(row) for row in rows)
        if self.after is not None:
            self.after(events)
        return events

    def find(self, kind: str, subject: str) -> tuple[Event, ...]:
        """All events of `kind` about `subject`, oldest first."""
        return self._select(_queries().find(kind, subject))

    def read(
        self, *, since: int = 0, kind: str | None = None, workflow: str | None = None, limit: int = 100
    ) -> tuple[Event, ...]:
        """Up to `limit` events from `since` on, oldest first."""
        return self._select(_queries().read(since, kind, workflow, limit))

    def last(
        self, kind: str, *, limit: int = 1, where: Mapping[str | tuple[str, ...], str] | None = None
    ) -> tuple[Event, ...]:
        """Up to `limit` events of `kind`, newest first, whose body has these texts; a tuple is a path."""
        return self._select(_queries().last(kind, where or {}, limit))

    def unanswered(self, kind: str, answer: str, *, where: Mapping[str, str]) -> tuple[Event, ...]:
        """Entries of `kind` whose subject has no entry of kind `answer`; `where` holds words of their bodies."""
        return self._select(_queries().unanswered(kind, answer, where))

    def remembered(self, kind: Callable[[], _Made]) -> _Made:
        """What this process made of the entries so far, one of each kind: the log only grows, so it stays true."""
        with self._lock:
            made: _Made = self._remembered.setdefault(kind, kind())
            return made

    def head(self) -> Head:
        """The size of the log and its root."""
        with self._lock, translated(self._path):
            return _head(self._frontier())

    def root_at(self, size: int) -> str:
        """The root of the log as it was with `size` entries. Raises: InvalidArgumentsError."""
        with self._lock, translated(self._path):
            frontier = self._frontier()
            root = self._root_at(size, frontier) if 0 <= size <= frontier.size else None
        if root is None:
            raise no_such(f"a state with {size} entries", frontier.size)
        return root

    def prove_inclusion(self, seq: int, size: int) -> tuple[bytes, ...]:
        """That entry `seq` is in the log as it was with `size` entries. Raises: InvalidArgumentsError."""
        return self._proved(f"an entry {seq} among {size}", prove_inclusion, seq, size)

    def prove_consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """That the log of `size` entries begins with the one of `old` entries. Raises: InvalidArgumentsError."""
        return self._proved(f"a growth from {old} to {size} entries", prove_consistency, old, size)

    def _proved(
        self, what: str, prove: Callable[[int, int, Look], tuple[bytes, ...]], at: int, size: int
    ) -> tuple[bytes, ...]:
        with self._lock, translated(self._path):
            known = self._frontier().size
            if size > known:
                raise no_such(what, known)
            try:
                return prove(at, size, self._kept)
            except (ValueError, KeyError) as error:
                raise no_such(what, known) from error

    def _kept(self, seqs: Collection[int]) -> Mapping[int, Kept]:
        asked = {"seqs": sorted({*seqs, *(seq - 1 for seq in seqs if seq)})}
        return kept_of(seqs, self._connection.execute(_queries().KEPT, asked))

    def close(self) -> None:
        """Let go of the file. Whatever was appended is there already."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, group: Sequence[Waiting]) -> None:
        """Write the entries of all who wait in one transaction. Who holds up the others alone fails alone."""
        with self._lock, self._turn():
            with self._transaction():
                begun = frontier = self._frontier()
                self._check_head(frontier)
                for each in group:
                    frontier = self._put(each, frontier)
            if frontier.size > begun.size:
                self._publish(_head(frontier))

    def _put(self, waiting: Waiting, frontier: Frontier) -> Frontier:
        rows = tuple(grow(frontier, waiting))
        driver = sqlite.driver(self._connection)
        if not waiting.consumes:  # nothing that could be in the way of this entry alone
            self._send(driver, rows)
        elif used := self._send_apart(driver, rows, waiting.consumes):
            waiting.error = used
            return frontier
        waiting.rows = rows
        return rows[-1]["grown"] if rows else frontier

    def _send(self, driver: sqlite3.Connection, rows: Sequence[Row]) -> None:
        text, names = self._insert
        driver.executemany(text, [[row[name] for name in names] for row in rows])

    def _send_apart(
        self, driver: sqlite3.Connection, rows: Sequence[Row], consumes: Sequence[str]
    ) -> AlreadyUsedError | None:
        """Send what may have been used up already, so that it fails without the others."""
        driver.execute("SAVEPOINT apart")
        try:
            with translated(self._path, consumes=consumes):
                self._send(driver, rows)
        except AlreadyUsedError as error:
            driver.execute("ROLLBACK TO apart")
            return error
        driver.execute("RELEASE apart")
        return None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Hold the write lock of the file, across processes: all is committed at the end, or nothing."""
        with translated(self._path):
            driver = sqlite.driver(self._connection)
            driver.execute("BEGIN IMMEDIATE")
            try:
                self._check_place()
                yield
                driver.execute("COMMIT")
            finally:
                driver.rollback()  # does nothing after COMMIT, or where SQLite has rolled back by itself

    def _publish(self, head: Head) -> None:
        """Write the head beside the file, while it is still our turn so that a later head stays."""
        with translated(self._path, recorded=True):
            publish(self._path, head)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Be the only process that writes, until the head is beside the entries."""
        with translated(self._path), ExitStack() as held:
            try:
                held.enter_context(turn(self._path, within=sqlite.TURN_SECONDS))
            except FileNotFoundError as error:
                raise self._corrupt("its head file is missing") from error
            yield

    def _frontier(self) -> Frontier:
        """The frontier after the last entry; it must give that entry's root."""
        row = sqlite.driver(self._connection).execute(self._tail[0]).fetchone()
        if row != self._last[0]:
            self._last = (row, self._held(*row) if row else Frontier())
        return self._last[1]

    def _held(self, seq: int, root: object, stored: object) -> Frontier:
        try:
            # A forger may have stored a value of another type.
            frontier = Frontier.from_bytes(seq + 1, stored if isinstance(stored, bytes) else b"")
        except ValueError as error:
            raise self._corrupt(f"entry {seq} has a broken frontier") from error
        if frontier.root != root:
            raise self._corrupt(f"the root of entry {seq} does not fit its frontier")
        return frontier

    def _check_head(self, frontier: Frontier) -> None:
        """Refuse to build on a log whose end was cut: the next head would hide that it was."""
        known = read_sidecar(self._path)
        if known is None:
            raise self._corrupt("its head file is missing")
        if known.size > frontier.size:
            raise self._corrupt(f"it has {frontier.size} entries and had {known.size}")
        if known.root != self._root_at(known.size, frontier):
            raise self._corrupt(f"its first {known.size} entries are not those its head file vouches for")

    def _root_at(self, size: int, frontier: Frontier) -> str | None:
        if size in {0, frontier.size}:
            return _head(frontier if size else Frontier()).root
        root = self._connection.execute(_queries().ROOT_OF, {"seq": size - 1}).scalar_one_or_none()
        return root.hex() if isinstance(root, bytes) else None

    def _check_place(self) -> None:
        """A file that was moved away still takes entries, and nobody would ever find them."""
        if _identity(self._path) != self._file:
            raise unavailable(self._path, "the file was replaced while it was open")

    def _corrupt(self, why: str) -> LedgerCorruptError:
        return LedgerCorruptError(f"The ledger {self._path} was tampered with: {why}.", hint=_TAMPERED)

    def _select(self, query: Select[Any]) -> tuple[Event, ...]:
        with self._lock, translated(self._path):
            return tuple(self._entry(row) for row in self._connection.execute(query).mappings())

    def _entry(self, row: Mapping[Any, Any]) -> Event:
        try:
            return event_of(row)
        except (ValueError, TypeError, RecursionError) as error:
            raise self._corrupt(f"the body of entry {row['seq']} is not what was written") from error


def _head(frontier: Frontier) -> Head:
    return Head(frontier.size, frontier.root.hex())


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _queries() -> ModuleType:
    from mcp_migrate.ledger import queries  # SQLAlchemy loads when a ledger is opened, not before

    return queries
