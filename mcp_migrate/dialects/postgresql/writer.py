"""How is a PostgreSQL database changed? In one transaction, under an advisory lock, one frozen statement at a time.

A statement that cannot be in a transaction ends the one before it and runs by itself; from then on a failure leaves
the target between two revisions, and is told as exactly that.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects import values
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.postgresql.connection import connect, driver, message
from mcp_migrate.dialects.postgresql.reader import PostgresReader
from mcp_migrate.dialects.sequence import FrozenSequence, one_row
from mcp_migrate.errors import LockedError, LockTimeoutError, MigrateError, PartiallyAppliedError, StatementFailedError
from mcp_migrate.model import Statement

if TYPE_CHECKING:
    import psycopg

_LOCK = int.from_bytes(hashlib.sha256(b"mcp-migrate apply").digest()[:8], "big", signed=True)
"""One key for each database: advisory locks of PostgreSQL belong to the database they are taken in."""

_POLL_SECONDS = 0.05
_LOCK_NOT_AVAILABLE, _QUERY_CANCELED = "55P03", "57014"


class PostgresWriter(PostgresReader):
    """Runs frozen statements on one connection."""

    def __init__(self, connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> None:
        super().__init__(connection)
        self._sequence = FrozenSequence(statements)
        self.committed: list[int] = []

    def run(self, statement: Statement) -> int:
        """Run the next frozen statement; the rows it touched."""
        frozen = self._sequence.take(statement)
        if not frozen.transactional:
            self._connection.execute("COMMIT")
            self.committed = self._sequence.ran[:-1]
        try:
            touched = self._send(frozen)
        except driver().Error as error:
            raise self._failed(frozen, error) from error
        if not frozen.transactional:
            self.committed = self._sequence.ran
            self._connection.execute("BEGIN")
        one_row(frozen, touched)
        return touched

    def _send(self, frozen: Statement) -> int:
        """Send the text as it is. A binary result asks for the protocol in which one text is one statement."""
        if not frozen.parameters:
            return self._connection.execute(frozen.sql.encode(), binary=True).rowcount
        rows = [[values.thaw(value) for value in row] for row in frozen.parameters]
        return sum(self._connection.execute(frozen.sql.encode(), row, binary=True).rowcount for row in rows)

    def _failed(self, frozen: Statement, error: Any) -> MigrateError:
        what = f"Statement {frozen.n} of revision {frozen.revision}"
        details = {"statement": frozen.n, "revision": frozen.revision}
        if self.committed:
            return _partial(
                f"{what} failed after others had been committed: {message(error)}", self.committed, **details
            )
        if error.sqlstate == _LOCK_NOT_AVAILABLE:
            return LockTimeoutError(
                f"{what} did not get its lock within lock_timeout.",
                hint="Everything was rolled back. Make the same call again when the table is less busy.",
                **details,
            )
        why = "it took longer than statement_timeout" if error.sqlstate == _QUERY_CANCELED else message(error)
        return StatementFailedError(
            f"{what} failed: {why}.",
            hint="Everything was rolled back, nothing changed. Mend the revision and plan again.",
            **details,
        )


def _partial(what: str, ran: list[int], **details: Any) -> PartiallyAppliedError:
    return PartiallyAppliedError(
        f"{what}.",
        hint="A person has to look: the statements named in `ran` stand. Do not try again before that.",
        ran=ran,
        **details,
    )


@contextmanager
def open_writer(url: str, statements: Sequence[Statement], *, limits: Limits) -> Iterator[PostgresWriter]:
    """The session for exactly these statements; commits when it is left without an exception.

    Raises:
        TargetUnreachableError: the server cannot be reached.
        LockedError: another apply runs on this database.
    """
    with connect(url) as connection:
        for name, value in _session(limits).items():
            connection.execute("SELECT set_config($1, $2, false)", [name, value])
        _take_lock(connection, limits.lock_timeout)
        connection.execute("BEGIN")
        writer = PostgresWriter(connection, statements)
        try:
            yield writer
            connection.execute("COMMIT")
        except BaseException as error:
            if not connection.closed:
                connection.execute("ROLLBACK")
            if writer.committed and not isinstance(error, PartiallyAppliedError):
                raise _partial(
                    f"The apply failed after statements had been committed: {error}", writer.committed
                ) from error
            raise


def _session(limits: Limits) -> dict[str, str]:
    """Settings of the session. Names and strings mean what they meant when the plan was recorded and judged."""
    return {
        "lock_timeout": f"{int(limits.lock_timeout * 1000)}ms",
        "statement_timeout": f"{int(limits.statement_timeout * 1000)}ms",
        "search_path": "public",
        "standard_conforming_strings": "on",
    }


def _take_lock(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Take the lock of this database, which ends with the session whatever happens."""
    end = time.monotonic() + seconds
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock($1)", [_LOCK]).fetchone()
        if row is not None and row[0]:
            return
        if time.monotonic() > end:
            raise LockedError(
                "Another apply is running on this target.", hint="Nothing ran. Make the same call again in a moment."
            )
        time.sleep(_POLL_SECONDS)
