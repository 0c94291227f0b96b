"""What must a database offer so that we can change it under governance?

A dialect is one folder: it reads schemas, runs frozen statements, makes scratch databases and turns what a
driver was sent into frozen statements. `open_writer` is called in exactly one place, `stages/execute.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from mcp_migrate.dialects.fetching import Fetched, Query
from mcp_migrate.dialects.holders import Holder
from mcp_migrate.dialects.inverting import Inverter
from mcp_migrate.dialects.keeper import Entry, Keeper
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.dialects.told import Counted, Left, Mark, Observed
from mcp_migrate.model import LeftHead, Statement
from mcp_migrate.schema.model import Schema


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: how long to wait for a lock, how long one statement may run."""

    lock_timeout: float = 3.0
    statement_timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """A throwaway database. `url` opens it and nothing else.

    With `holds_schema` it already is a copy of the target's schema and version table (without rows); else it is
    empty and the revisions are replayed. `named` is what its default schema is called in everything that is said,
    where the database itself would say the scratch's own name.
    """

    url: str
    holds_schema: bool
    named: str | None = None


def quoted(*names: str, mark: str) -> str:
    """The names as one, each within the database's own `quote_mark`."""
    return ".".join(f"{mark}{name.replace(mark, mark * 2)}{mark}" for name in names)


class Reader(Protocol):
    """A read-only session on a target."""

    def server(self) -> str:
        """The product and its version, as ``PostgreSQL 15.8``."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Which database this is, by what it is and not by the way to it; a part that nobody may read says so."""
        ...

    def powers(self) -> Powers:
        """What the role of this session could do here, and what time it is."""
        ...

    def schema(self, *, version_table: str) -> Schema:
        """Read the whole schema, leaving out `version_table` and everything of our own."""
        ...

    def revisions(self, version_table: str) -> tuple[str, ...]:
        """The rows of Alembic's version table, sorted; empty when the table is not there."""
        ...

    def mark(self, apply_id: str) -> Mark | None:
        """What this apply left here; None when nothing of it was committed."""
        ...

    def heads(self) -> tuple[LeftHead, ...]:
        """The newest heads of the ledger that applies left in this very database, the largest first."""
        ...

    def left_by(self, statement: Statement) -> Left | None:
        """What stands here as this statement leaves it when it fails; None where that is nothing, or cannot be told."""
        ...

    def count_rows(self, tables: Iterable[str]) -> Mapping[str, int]:
        """Rows of each ``schema.table`` that exists; those that do not exist are left out."""
        ...

    def estimate_rows(self) -> Mapping[str, int]:
        """The rows that the database believes are in each ``schema.table``; what it does not know is left out."""
        ...

    def kept(self) -> tuple[Entry, ...] | None:
        """The manifest of undo data on this target, the oldest first; None where there is no place for any."""
        ...

    def faults(self, *, seconds: float) -> Mapping[str, tuple[str, ...]]:
        """What can be asked here beside the schema, by name, each with what does not hold: () where all is well.

        No question takes longer than `seconds`; one that would is told as a fault.
        """
        ...

    def count_returned(self, sql: str, *, at_most: int, seconds: float) -> Counted:
        """How many rows a query returns, counted no further than `at_most`. It can only read."""
        ...

    def fetch(self, query: Query) -> Fetched:
        """The first rows of a query. It can only read. Raises: StatementFailedError."""
        ...


class Writer(Reader, Protocol):
    """The one session that may change a target. It was opened for a list of frozen statements.

    It holds the target's lock from the moment it is entered, refuses any statement that is not the next frozen
    one, commits when the context is left without an exception and rolls back otherwise.
    """

    @property
    def stands(self) -> bool:
        """Whether something that was sent stays, whatever comes."""
        ...

    def finish(self) -> None:
        """Commit what was done, without letting the target's lock go; nothing of it is at stake from then on.

        Raises:
            StatementFailedError, PartiallyAppliedError: it could not be committed, as `run`.
        """
        ...

    def follow(self, statements: Sequence[Statement]) -> AbstractContextManager[Writer]:
        """Under the same lock, after `finish`: the session for exactly these statements, left as the first one is."""
        ...

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """From now on each commit says in the same transaction how many statements stand; `plan` is its digest.

        Raises:
            StatementFailedError: there is no place for it, and no right to make one.
        """
        ...

    def leave_head(self, head: LeftHead) -> None:
        """After `leave_mark`, and with it: what this database knows of the ledger from now on. It stays.

        Raises:
            StatementFailedError: there is no place for it.
        """
        ...

    def old_transactions(self, tables: Collection[str] | None, *, seconds: float) -> tuple[Holder, ...]:
        """Other sessions whose transaction is older than that and holds a lock on one of these ``schema.table``.

        On any table where there are no `tables`. Where the server does not tell which tables, all old ones.
        """
        ...

    def observing(self) -> Callable[[], Observed] | None:
        """Each call tells what happened on this session since the one before; None where the server does not say."""
        ...

    def look(self, sql: str, row: Sequence[Any]) -> str:
        """The digest of what a frozen read gives here and now (see `dialects.values.rows_digest`).

        Raises:
            StatementFailedError: it cannot be read.
        """
        ...

    def run(self, statement: Statement) -> int:
        """Run the next frozen statement; the number of rows it touched (-1 when unknown).

        Raises:
            StatementFailedError: the database refused it.
            LockTimeoutError: a lock was not to be had in time.
            ValidationFailedError: it is not the next frozen statement, or a ``version`` statement did not hit
                exactly one row.
            PartiallyAppliedError: it failed after a statement that cannot be rolled back.
        """
        ...


class Dialect(Protocol):
    """One database product."""

    name: str
    quote_mark: str
    maker: str | None
    """The URL with which scratch databases are made, where that is not the one that reads or writes."""
    marks_stay: bool
    """Whether the marks of applies stand apart from the user's tables, so that nobody has to clear them."""

    def open_reader(self, url: str) -> AbstractContextManager[Reader]:
        """Raises: TargetUnreachableError."""
        ...

    def open_writer(
        self, url: str, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """Raises: TargetUnreachableError, LockedError (another apply runs on this target)."""
        ...

    def clear_marks(self, url: str, *, keep: Collection[str]) -> None:
        """Forget all marks but those of the applies to `keep`, where marks stand among the user's tables."""
        ...

    def prune(self, url: str, *, keys: Collection[str]) -> tuple[str, ...]:
        """Remove the undo data under these keys whose time is over; the keys of what was removed.

        Raises:
            LockedError: an apply is running. TargetUnreachableError: it cannot be removed.
        """
        ...

    def open_scratch(self, url: str) -> AbstractContextManager[Scratch]:
        """Make a scratch database for the target at `url` and remove it afterwards.

        Raises:
            TargetUnreachableError: the target cannot be reached.
            RehearsalFailedError: no scratch database can be made here; says what would help.
        """
        ...

    def freeze(self, sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        """Turn what the driver was sent into frozen text and rows of JSON values (see `dialects.values`)."""
        ...

    def reads(self, sql: str) -> tuple[str, ...] | None:
        """The user tables a plain SELECT reads: () when it looks at catalogs alone.

        None when `sql` may do anything else than read: it then belongs to the plan.
        """
        ...

    def keeper(self) -> Keeper | None:
        """What keeps undo data here; None where none is kept."""
        ...

    def inverter(self) -> Inverter | None:
        """What takes a schema back where a project does not say how; None where nothing does."""
        ...

    def open_rehearsal(
        self, scratch: Scratch, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """The same session as `open_writer` gives, on a scratch database and nothing else."""
        ...

    def copy_rows(self, source: str, scratch: Scratch, tables: Iterable[str], *, most: int) -> bool:
        """Fill tables of a scratch database with the target's rows; False where that is too much or cannot be done."""
        ...

    def copy_kept(self, source: str, scratch: Scratch, keys: Collection[str], *, most: int) -> int | None:
        """Make the places of the undo data under these keys on a scratch database; how many rows they hold.

        With more than `most` of them, they are made without rows. None where they cannot be made.
        """
        ...

    def remake(
        self, scratch: Scratch, schema: Schema, *, source: str, version_table: str, revisions: Sequence[str] | None
    ) -> bool:
        """Make an empty scratch database what `schema` says, with these rows in its version table (None: without it).

        `source` is the target that it was read of, which can be asked once more.

        False where that cannot be done here, or not of this schema; the scratch database is still empty then.
        """
        ...

    def listing(self, sql: str) -> str:
        """A read whose rows are those of the read `sql`, in a form that is the same whoever asks."""
        ...

    def commits(self, sql: str) -> bool:
        """Whether the database ends the transaction in which this is sent, so that nothing of it rolls back."""
        ...
