"""How is a SQLite database changed? In one transaction that holds its write lock from the first moment."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from mcp_migrate.dialects import values
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.sequence import FrozenSequence, one_row, unread
from mcp_migrate.dialects.sqlite.heads import leave_head
from mcp_migrate.dialects.sqlite.reader import MARKS, SqliteReader, sqlite_path, unreachable
from mcp_migrate.errors import LockedError, LockTimeoutError, MigrateError, StatementFailedError
from mcp_migrate.model import LeftHead, Statement, digest

_STEPS_BETWEEN_LOOKS = 10_000
_LONGEST_MESSAGE = 500
_CONTROL = frozenset(
    {sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
)


class SqliteWriter(SqliteReader):
    """Runs frozen statements on one connection, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, statements: Sequence[Statement], limits: Limits) -> None:
        super().__init__(connection)
        self._sequence = FrozenSequence(statements)
        self._limits = limits
        self.failed: MigrateError | None = None

    @property
    def stands(self) -> bool:
        """Nothing does before the end: there is one transaction."""
        return False

    def finish(self) -> None:
        """The lock of a SQLite database is that of its transaction, so both end together, when the session is left."""
        raise TypeError("the lock would be let go")

    def follow(self, statements: Sequence[Statement]) -> AbstractContextManager[SqliteWriter]:
        """As `finish`."""
        raise TypeError(f"the lock would be let go before {len(statements)} statements")

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """In the one transaction there is: it stands when all statements do."""
        columns = "apply_id TEXT PRIMARY KEY, plan TEXT NOT NULL, done INTEGER NOT NULL"
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS main.{MARKS} ({columns})")
        self._connection.execute(
            f"INSERT INTO main.{MARKS} VALUES (?, ?, ?)",  # noqa: S608  a constant
            (apply_id, plan, self._sequence.total),
        )

    def leave_head(self, head: LeftHead) -> None:
        """In the same transaction."""
        leave_head(self._connection, head, digest(self.identity()))

    def old_transactions(self, tables: Collection[str] | None, *, seconds: float) -> tuple[()]:  # noqa: ARG002  nobody has any
        """The lock on the file is ours: nobody else has a transaction that writes."""
        return ()

    def observing(self) -> None:
        """The one lock there is, on the file, is held from the first statement to the last."""

    def look(self, sql: str, row: Sequence[Any]) -> str:
        """The digest of its rows, inside the transaction."""
        try:
            return values.rows_digest(self._connection.execute(sql, [values.thaw(value) for value in row]).fetchall())
        except sqlite3.Error as error:
            raise unread(str(error)[:_LONGEST_MESSAGE]) from error

    def run(self, statement: Statement) -> int:
        """Run the next frozen statement; the rows it touched. After a failure there is none."""
        if self.failed is not None:
            raise self.failed
        try:
            return self._run(statement)
        except MigrateError as error:
            self.failed = error
            raise

    def _run(self, statement: Statement) -> int:
        frozen = self._sequence.take(statement)
        self._watch(time.monotonic() + self._limits.statement_timeout)
        try:
            touched = self._send(frozen)
        except sqlite3.Error as error:
            raise _failed(frozen, error) from error
        finally:
            self._connection.set_progress_handler(None, 0)
        one_row(frozen, touched)
        return touched

    def _send(self, frozen: Statement) -> int:
        """Send the text as it is; the driver takes one statement at a time and refuses more."""
        if not frozen.parameters:
            return self._touched(frozen.sql, ())
        rows = [tuple(values.thaw(value) for value in row) for row in frozen.parameters]
        return sum(self._touched(frozen.sql, row) for row in rows)

    def _touched(self, sql: str, row: tuple[object, ...]) -> int:
        """The rows touched. A RETURNING clause does its work while its rows are fetched, and counts by them."""
        cursor = self._connection.execute(sql, row)
        returned = cursor.fetchall()
        return len(returned) if cursor.description else cursor.rowcount

    def _watch(self, end: float) -> None:
        self._connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS_BETWEEN_LOOKS)


@contextmanager
def open_writer(
    url: str, statements: Sequence[Statement], *, limits: Limits, durable: bool = True
) -> Iterator[SqliteWriter]:
    """The session for exactly these statements; commits when it is left without an exception.

    What is not `durable` is thrown away: the disk is not waited for.

    Raises:
        LockedError: another session is writing.
        TargetUnreachableError: the file cannot be opened.
    """
    path = sqlite_path(url)
    if not path.parent.is_dir():
        raise unreachable(path, "its folder does not exist")
    try:
        opened = sqlite3.connect(path, timeout=limits.lock_timeout, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise unreachable(path, str(error)) from error
    with closing(opened) as connection:
        if not durable:
            connection.execute("PRAGMA synchronous = OFF")
        _begin(connection, str(path.name), limits)
        connection.set_authorizer(_stay_inside)
        writer = SqliteWriter(connection, statements, limits)
        try:
            yield writer
        except BaseException:
            connection.set_authorizer(None)
            connection.rollback()
            raise
        connection.set_authorizer(None)
        if writer.failed is not None:  # whoever swallowed it: half a plan is no plan
            connection.rollback()
            raise writer.failed
        _commit(connection)


def clear_marks(url: str, *, keep: Collection[str]) -> None:
    """Take marks away, and the table with the last one; when somebody else writes, the next apply does it."""
    with closing(sqlite3.connect(sqlite_path(url), timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            marked = {row[0] for row in connection.execute(f"SELECT apply_id FROM main.{MARKS}")}  # noqa: S608  a constant
            for apply_id in marked.difference(keep):
                connection.execute(f"DELETE FROM main.{MARKS} WHERE apply_id = ?", (apply_id,))  # noqa: S608  a constant
            if marked.isdisjoint(keep):
                connection.execute(f"DROP TABLE main.{MARKS}")
            connection.execute("COMMIT")
        except sqlite3.OperationalError:
            return


def _begin(connection: sqlite3.Connection, name: str, limits: Limits) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if _busy(error):
            raise LockedError(
                f"Another session is writing to {name}; its lock was not free within {limits.lock_timeout:g} s.",
                hint="Nothing ran. Make the same call again in a moment.",
            ) from error
        raise StatementFailedError(f"{name} cannot be written: {error}.", hint="Check the file's rights.") from error
    except sqlite3.DatabaseError as error:
        raise StatementFailedError(f"{name} is no database: {error}.", hint="Check the target's url.") from error


def _commit(connection: sqlite3.Connection) -> None:
    """Commit; without a write-ahead log a session that is reading can stand in the way."""
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        connection.rollback()
        if _busy(error):
            raise LockTimeoutError(
                "Another session was reading when the changes were to be committed.",
                hint="Everything was rolled back. Make the same call again in a moment.",
            ) from error
        raise StatementFailedError(
            f"The changes could not be committed: {str(error)[:_LONGEST_MESSAGE]}.",
            hint="Everything was rolled back, nothing changed.",
        ) from error


def _busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _stay_inside(action: int, *_what: object) -> int:
    """No statement of a plan may end the transaction it runs in, or open another file."""
    return sqlite3.SQLITE_DENY if action in _CONTROL else sqlite3.SQLITE_OK


def _failed(statement: Statement, error: sqlite3.Error) -> StatementFailedError | LockTimeoutError:
    interrupted = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT
    what = f"Statement {statement.n} of revision {statement.revision}"
    if _busy(error):
        return LockTimeoutError(f"{what} did not get its lock in time.", hint="Nothing changed. Try again.")
    why = "it took longer than statement_timeout" if interrupted else str(error)
    return StatementFailedError(
        f"{what} failed: {why[:_LONGEST_MESSAGE]}.",
        hint="Everything was rolled back, nothing changed. Mend the revision and plan again.",
        statement=statement.n,
        revision=statement.revision,
    )
