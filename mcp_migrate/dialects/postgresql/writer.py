"""How is a PostgreSQL database changed? In one transaction, under an advisory lock, one frozen statement at a time.

A statement that cannot be in a transaction ends the one before it and runs by itself; from then on a failure leaves
the target between two revisions, and is told as exactly that.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects import values
from mcp_migrate.dialects.heads import no_place
from mcp_migrate.dialects.holders import Holder, in_the_way, named
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.postgresql.observing import Observer
from mcp_migrate.dialects.postgresql.reader import PostgresReader, qualified, quote
from mcp_migrate.dialects.postgresql.reads import listing, reads
from mcp_migrate.dialects.postgresql.sending import sending
from mcp_migrate.dialects.postgresql.trouble import left_standing, refused, uncommitted, unlocked
from mcp_migrate.dialects.postgresql.waiting import Watch, lock_owners, old_transactions
from mcp_migrate.dialects.sequence import FrozenSequence, one_row, unread
from mcp_migrate.drivers.postgresql import connect, driver, message
from mcp_migrate.errors import (
    LockedError,
    MigrateError,
    PartiallyAppliedError,
    StatementFailedError,
    ValidationFailedError,
)
from mcp_migrate.model import LeftHead, Statement, digest

if TYPE_CHECKING:
    import psycopg

_LOCK = int.from_bytes(hashlib.sha256(b"mcp-migrate apply").digest()[:8], "big", signed=True)
"""One key for each database: advisory locks of PostgreSQL belong to the database they are taken in."""

_LOCKABLE = frozenset("rpv")
"""Tables, and views, whose tables are locked with them; nobody writes to what is left without a plan of its own."""
_UNSIGNED = (1 << 64) - 1
_POLL_SECONDS = 0.05


class PostgresWriter(PostgresReader):
    """Runs frozen statements on one connection.

    `failed` is why no further statement runs. `stands` says that something may stay whatever comes: a statement was
    sent outside the transaction, and `committed` are the numbers of those that are known to stand.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], statements: Sequence[Statement], watch: Watch | None = None
    ) -> None:
        super().__init__(connection)
        self._watch, self._sending = watch, sending(connection, self._ask)
        self._sequence = FrozenSequence(statements)
        self.committed: list[int] = []
        self.stands = False
        self._marked: str | None = None
        self.failed: MigrateError | None = None

    @property
    def holders(self) -> tuple[Holder, ...]:
        """Who was last seen in the way of the statement that was sent last."""
        return self._watch.holders if self._watch else ()

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return bool(self._connection.closed)

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """A row that is brought up to date in each transaction, so it says what stands."""
        try:
            self._sending.leave_mark(apply_id, plan)
        except driver().Error as error:
            raise StatementFailedError(
                f"The target has no place for the mark of this apply: {message(error)}.",
                hint="Nothing ran. Have an admin run once: CREATE SCHEMA mcp_migrate AUTHORIZATION <its role>.",
            ) from error
        self._marked = apply_id

    def leave_head(self, head: LeftHead) -> None:
        """In the first transaction, as the mark."""
        try:
            self._sending.leave_head(head, digest(self.identity()))
        except driver().Error as error:
            raise no_place(message(error), "Have an admin put the store in order") from error

    def old_transactions(self, tables: Collection[str] | None, *, seconds: float) -> tuple[Holder, ...]:
        """As `pg_locks` tells."""
        return old_transactions(self._connection, tables, seconds)

    def observing(self) -> Observer:
        """Locks and files, as the catalogs of this session tell them."""
        return Observer(self._ask)

    def look(self, sql: str, row: Sequence[Any]) -> str:
        """The digest of its rows, inside the transaction; until it ends nobody else writes to the tables it read.

        No isolation level does that: what others commit after the snapshot is not seen, and is there all the same.
        """
        try:
            self._hold_still(reads(sql) or ())
            found = self._connection.execute(listing(sql).encode(), [values.thaw(value) for value in row] or None)
            return values.rows_digest(found.fetchall())
        except driver().Error as error:
            if error.sqlstate == "55P03":
                raise unlocked(self) from error
            raise unread(message(error)) from error

    def _hold_still(self, tables: Iterable[str]) -> None:
        for table in tables:
            name = quote(qualified(table))
            kinds = self._ask(
                "SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)", name
            )
            if kinds and kinds[0][0] in _LOCKABLE:
                self._sending.hold_still(name)

    def run(self, statement: Statement) -> int:
        """Run the next frozen statement; the rows it touched. After a failure there is none."""
        if self.failed is not None:
            raise self.failed
        try:
            return self._run(statement)
        except MigrateError as error:
            self.failed = error
            raise

    def commit(self) -> None:
        """Commit what was done since the transaction began.

        Raises:
            StatementFailedError: it could not be committed.
            PartiallyAppliedError: the same after other statements stand, or when nobody can tell.
        """
        self._bring_mark_up_to_date(self._sequence.ran)
        self._commit()

    @contextmanager
    def follow(self, statements: Sequence[Statement]) -> Iterator[PostgresWriter]:
        """Another list of frozen statements on this session; its lock outlives transactions."""
        _stay_inside(statements)
        self._begin_with(statements)
        self._connection.execute("BEGIN")
        yield from _inside(self._connection, self)
        self._begin_with(())

    def finish(self) -> None:
        """Commit; nothing of what ran is at stake from then on."""
        self.commit()
        self._begin_with(())

    def _begin_with(self, statements: Sequence[Statement]) -> None:
        self._sequence, self._marked, self.committed, self.stands = FrozenSequence(statements), None, [], False

    def _commit(self) -> None:
        try:
            done = self._connection.execute("COMMIT").statusmessage
        except driver().Error as error:
            raise uncommitted(self, message(error), lost=self.lost) from error
        if done != "COMMIT":  # so PostgreSQL answers when a statement of the transaction had failed
            raise uncommitted(self, "a statement had failed", lost=False)

    def _run(self, statement: Statement) -> int:
        frozen = self._sequence.take(statement)
        if not frozen.transactional:
            self._bring_mark_up_to_date(self._sequence.ran[:-1])
            self._commit()
            self.committed = self._sequence.ran[:-1]
            self.stands = True
        try:
            with self._watch.statement() if self._watch else nullcontext():
                touched = self._send(frozen)
            if not frozen.transactional:
                self.committed = self._sequence.over(touched)
                self._connection.execute("BEGIN")
                self._bring_mark_up_to_date(self.committed)
                self._commit()
                self._connection.execute("BEGIN")
        except driver().Error as error:
            raise refused(self, frozen, error) from error
        one_row(frozen, touched)
        return touched

    def _bring_mark_up_to_date(self, ran: Sequence[int]) -> None:
        """What goes wrong here is told by the commit that follows."""
        if self._marked is not None:
            with suppress(driver().Error):
                self._sending.mark_done(self._marked, len(ran))

    def _send(self, frozen: Statement) -> int:
        """As the credential says that opened the session."""
        return self._sending.statement(frozen)


@contextmanager
def open_writer(url: str, statements: Sequence[Statement], *, limits: Limits) -> Iterator[PostgresWriter]:
    """The session for exactly these statements; commits when it is left without an exception.

    Raises:
        TargetUnreachableError: the server cannot be reached.
        LockedError: another apply runs on this database.
        ValidationFailedError: a statement would end the transaction that the others run in.
    """
    _stay_inside(statements)
    with connect(url) as connection:
        for name, value in _session(limits).items():
            connection.execute("SELECT set_config($1, $2, false)", [name, value])
        take_lock(connection, limits.lock_timeout)
        connection.execute("BEGIN")
        with Watch(url, connection.info.backend_pid, limits.lock_timeout / 3).running() as watch:
            writer = PostgresWriter(connection, statements, watch)
            yield from _inside(connection, writer)


def _inside(connection: psycopg.Connection[Any], writer: PostgresWriter) -> Iterator[PostgresWriter]:
    """The writer; then commit, or roll back and say what stands."""
    try:
        yield writer
    except BaseException as error:
        _roll_back(connection)
        if writer.stands and not isinstance(error, PartiallyAppliedError):
            raise left_standing(writer, error) from error
        raise
    if writer.failed is not None:  # whoever swallowed it: half a plan is no plan
        _roll_back(connection)
        raise writer.failed
    writer.commit()


def _roll_back(connection: psycopg.Connection[Any]) -> None:
    """A session that is gone has been rolled back by the server."""
    with suppress(driver().Error):
        connection.execute("ROLLBACK")


def _stay_inside(statements: Sequence[Statement]) -> None:
    """Refuse transaction control. A text the parser does not know is left to the server: it holds none."""
    import postgast

    for statement in statements:
        try:
            kinds = [parsed.stmt.WhichOneof("node") for parsed in postgast.parse(statement.sql).stmts]
        except (postgast.PgQueryError, ValueError):
            continue
        if "transaction_stmt" in kinds:
            raise ValidationFailedError(
                f"Statement {statement.n} of revision {statement.revision} controls the transaction it would run in.",
                hint="Nothing ran. Take it out of the revision; Alembic's autocommit_block() is for what has to run "
                "outside a transaction.",
            )


def _session(limits: Limits) -> dict[str, str]:
    """Settings of the session. Names and strings mean what they meant when the plan was recorded and judged."""
    return {
        "lock_timeout": _milliseconds(limits.lock_timeout),
        "statement_timeout": _milliseconds(limits.statement_timeout),
        "client_encoding": "UTF8",  # as the texts are sent, whatever the database's own is
        "search_path": "public",
        "standard_conforming_strings": "on",
        "default_transaction_isolation": "read committed",  # else what is kept of a table is older than its lock
    }


def _milliseconds(seconds: float) -> str:
    """At least one: PostgreSQL takes none at all for no limit."""
    return f"{max(1, round(seconds * 1000))}ms"


def take_lock(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Take the lock of this database, which ends with the session whatever happens."""
    end = time.monotonic() + seconds
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock($1)", [_LOCK]).fetchone()
        if row is not None and row[0]:
            return
        if time.monotonic() > end:
            holders = lock_owners(connection, _LOCK & _UNSIGNED)
            raise LockedError(
                f"Another apply is running on this target.{named(holders)}",
                hint="Nothing ran. Make the same call again in a moment.",
                **in_the_way(holders),
            )
        time.sleep(_POLL_SECONDS)
