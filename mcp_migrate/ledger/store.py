"""How does an event get into the ledger, durably and once, and how is it found again?

There is no statement here that changes or removes an entry, and the database's own triggers refuse them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mcp_migrate.errors import AlreadyUsedError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger.events import Draft, Event, Head, body_of, stamp
from mcp_migrate.ledger.following import Follower, Following
from mcp_migrate.ledger.kinds import Kind
from mcp_migrate.ledger.line import Line, Row, Waiting, parted
from mcp_migrate.ledger.merkle import Frontier
from mcp_migrate.ledger.proofs import Kept, Look, prove_consistency, prove_inclusion
from mcp_migrate.ledger.rows import event_of, event_with, grow, kept_of, no_such
from mcp_migrate.ledger.storage import Storage, open_storage
from mcp_migrate.ledger.trouble import CUT, TAMPERED

if TYPE_CHECKING:
    from sqlalchemy import Select

_Made = TypeVar("_Made")
_Learnt = TypeVar("_Learnt", bound=Follower)


class Ledger:
    """One ledger, for all threads of a process; other processes may have it open as well."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._beside = storage.beside()
        self._looking = self._lock if self._beside is storage else threading.Lock()
        self._line = Line(self._write)
        self._last: tuple[Any, Frontier] = (None, Frontier())
        self.after: list[Callable[[Sequence[Event]], None]] = []
        """Who is told of each entry once it is on the disk, by the thread that wrote it."""
        self._remembered: dict[Any, Any] = {}
        self._following = Following()

    @classmethod
    def open(cls, url: str, *, create: bool = True, remember: Path | None = None) -> Self:
        """Open the ledger at `url`, making an empty one where `create` allows it.

        A file has its head beside it; of one on a server, `remember` is where this machine keeps the last head it saw.

        Raises:
            ConfigInvalidError: `url` names neither an SQLite file nor a PostgreSQL database.
            LedgerUnavailableError: it cannot be opened, or something else is stored there.
            LedgerCorruptError: its triggers or tables are not as we made them.
        """
        return cls(open_storage(url, create=create, remember=remember))

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return self._storage.place

    def append(self, *drafts: Draft, at: datetime) -> tuple[Event, ...]:
        """Record all of `drafts`, or none; they are on the disk when this returns.

        Raises:
            InvalidArgumentsError: a body cannot be held.
            AlreadyUsedError: an approval among them was consumed before.
            LedgerUnavailableError: it cannot be written, or goes on elsewhere; ``recorded`` when only its head is not.
            LedgerCorruptError: what is there does not fit together, or entries at its end are gone.
        """
        moment = stamp(at)
        bodies = [body_of(draft) for draft in drafts]
        consumes = [str(draft.subject) for draft in drafts if draft.kind == Kind.APPROVAL_CONSUMED]
        rows = self._line.settle(Waiting(drafts, [body.text for body in bodies], moment, consumes))
        events = tuple(event_with(row, body.value) for row, body in zip(rows, bodies, strict=True))
        for told in self.after:
            told(events)
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
        return self._select(_queries().last(kind, where or {}, limit, self._storage.said))

    def unanswered(self, kind: str, answer: str, *, where: Mapping[str, str]) -> tuple[Event, ...]:
        """Entries of `kind` whose subject has no entry of kind `answer`; `where` holds words of their bodies."""
        return self._select(_queries().unanswered(kind, answer, where, self._storage.said))

    def no_earlier(self, now: datetime, *, since: Event) -> datetime:
        """`now`, but no earlier than what was recorded since then: a clock that is set back makes nothing good again.

        Older entries do not count: what was made after a clock had run ahead is not over before its time.
        """
        with self._looking:
            [row] = self._beside.select(_queries().latest(since.seq))
        try:
            return max(now, datetime.fromisoformat(row["at"]))
        except (ValueError, TypeError) as error:
            raise self._corrupt(f"the time of an entry after {since.seq} is none") from error

    def remembered(self, kind: Callable[[], _Made]) -> _Made:
        """What this process made of the entries so far, one of each kind: the log only grows, so it stays true."""
        with self._lock:
            made: _Made = self._remembered.setdefault(kind, kind())
            return made

    def current(self, kind: Callable[[], _Learnt]) -> _Learnt:
        """What this process knows by heart, kept up with all that is there now, whoever appended it."""
        return self._following.current(kind, self)

    def kinds(self, since: int, limit: int) -> Sequence[tuple[int, str]]:
        """The number and kind of up to `limit` entries from `since` on: a look that costs next to nothing."""
        with self._looking:
            return self._beside.kinds(since, limit)

    def size(self) -> int:
        """How many entries there are."""
        with self._looking:
            last = self._beside.tail()
        return last[0] + 1 if last else 0

    def head(self) -> Head:
        """The size of the log and its root."""
        with self._lock:
            return _head(self._frontier())

    def root_at(self, size: int) -> str:
        """The root of the log as it was with `size` entries. Raises: InvalidArgumentsError."""
        with self._lock:
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

    def peaks_before(self, seq: int) -> tuple[bytes, ...]:
        """The perfect subtrees that the log before entry `seq` is made of. Raises: InvalidArgumentsError."""
        with self._lock:
            try:
                return self._kept([seq])[seq].before
            except (ValueError, KeyError) as error:
                raise no_such(f"an entry {seq}", self._frontier().size) from error

    def _proved(
        self, what: str, prove: Callable[[int, int, Look], tuple[bytes, ...]], at: int, size: int
    ) -> tuple[bytes, ...]:
        with self._lock:
            known = self._frontier().size
            if size > known:
                raise no_such(what, known)
            try:
                return prove(at, size, self._kept)
            except (ValueError, KeyError) as error:
                raise no_such(what, known) from error

    def _kept(self, seqs: Collection[int]) -> Mapping[int, Kept]:
        asked = {"seqs": sorted({*seqs, *(seq - 1 for seq in seqs if seq)})}
        return kept_of(seqs, self._storage.select(_queries().KEPT, asked))

    def left_open(self) -> Sequence[str]:
        """What its database would let this server do to it, or may lose, in words."""
        with self._lock:
            return self._storage.left_open()

    def close(self) -> None:
        """Let go of it. Whatever was appended is there already."""
        with self._looking:
            self._beside.close()
        with self._lock:
            self._storage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, group: Sequence[Waiting]) -> None:
        """Write the entries of all who wait in one transaction. Who holds up the others alone fails alone."""
        with self._lock, self._storage.turn():
            with self._storage.writing():
                begun = frontier = self._frontier()
                self._check_head(frontier)
                self._check_moved(group)
                for each in parted(group):
                    frontier = self._put(each, frontier)
            if frontier.size > begun.size:
                self._storage.publish(_head(frontier))

    def _put(self, part: Sequence[Waiting], frontier: Frontier) -> Frontier:
        """Write the entries of those who share one fate, and say what the tree is like after them."""
        grown, rows = frontier, list[tuple[Row, ...]]()
        for each in part:
            made, grown = grow(grown, each)
            rows.append(made)
        try:
            self._storage.put([row for made in rows for row in made], part[0].consumes)
        except AlreadyUsedError as error:
            part[0].error = error
            return frontier
        for each, made in zip(part, rows, strict=True):
            each.rows = made
            if made:  # what the database will show as its end, if all of this gets there
                self._last = (tuple(made[-1][name] for name in ("seq", "kind", "root", "frontier")), grown)
        return grown

    def _frontier(self) -> Frontier:
        """The frontier after the last entry; it must give that entry's root."""
        row = self._storage.tail()
        if row != self._last[0]:
            self._last = (row, self._held(row[0], row[2], row[3]) if row else Frontier())
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
        known = self._storage.known()
        if known.size > frontier.size:
            raise self._corrupt(f"it has {frontier.size} entries and had {known.size}", hint=CUT)
        if known.root != self._root_at(known.size, frontier):
            by = self._storage.vouching
            raise self._corrupt(f"its first {known.size} entries are not those {by} vouches for")

    def _check_moved(self, group: Sequence[Waiting]) -> None:
        """Refuse to go on here where the log goes on elsewhere: there would be two."""
        last = self._last[0]
        if last is None or last[1] != Kind.LEDGER_MOVED:
            return
        if not all(draft.kind == Kind.LEDGER_CONTINUED for each in group for draft in each.drafts):
            raise LedgerUnavailableError(
                f"The ledger {self.place} was moved: it goes on elsewhere, as its last entry says.",
                hint="Set `ledger` to where it is now. Had moving it been cut short: run the same `ledger move` again.",
            )

    def _root_at(self, size: int, frontier: Frontier) -> str | None:
        if size in {0, frontier.size}:
            return _head(frontier if size else Frontier()).root
        root = next((row["root"] for row in self._storage.select(_queries().ROOT_OF, {"seq": size - 1})), None)
        return root.hex() if isinstance(root, bytes) else None

    def _corrupt(self, why: str, hint: str = TAMPERED) -> LedgerCorruptError:
        return LedgerCorruptError(f"The ledger {self.place} was tampered with: {why}.", hint=hint)

    def _select(self, query: Select[Any]) -> tuple[Event, ...]:
        with self._looking:
            rows = self._beside.select(query)
        return tuple(self._entry(row) for row in rows)

    def _entry(self, row: Mapping[Any, Any]) -> Event:
        try:
            return event_of(row)
        except (ValueError, TypeError, RecursionError) as error:
            raise self._corrupt(f"the body of entry {row['seq']} is not what was written") from error


def _head(frontier: Frontier) -> Head:
    return Head(frontier.size, frontier.root.hex())


def _queries() -> ModuleType:
    from mcp_migrate.ledger import queries  # SQLAlchemy loads when a ledger is opened, not before

    return queries
