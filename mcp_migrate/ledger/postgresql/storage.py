"""How does a PostgreSQL database keep a ledger? An advisory lock keeps others out, and entries in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mcp_migrate.errors import AlreadyUsedError, LedgerUnavailableError, MigrateError
from mcp_migrate.ledger import queries
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.line import Row
from mcp_migrate.ledger.postgresql import connecting
from mcp_migrate.ledger.postgresql.connecting import connect, driver
from mcp_migrate.ledger.postgresql.place import Place, locate
from mcp_migrate.ledger.postgresql.remembered import Remembered
from mcp_migrate.ledger.postgresql.shape import left_open
from mcp_migrate.ledger.postgresql.trouble import translated, unavailable
from mcp_migrate.ledger.scan import COLUMNS
from mcp_migrate.ledger.storage import Tail

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Executable
    from sqlalchemy.engine import Connection

_Found = TypeVar("_Found")
_CLASS = 0x6D636D67
_WAIT_SECONDS = 10
_BEGIN = f"""
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '{_WAIT_SECONDS}s';
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply';
SELECT pg_advisory_xact_lock(({_CLASS}::bigint << 32) | to_regclass('{{schema}}.events')::oid::bigint);
"""
"""Each statement sees what was committed when it began, so what comes after the lock sees all that others wrote."""


class PostgresqlStorage:
    """One database, reached over one connection; a lost one is made again when it is next needed.

    One that is `beside` another reaches what that one reaches: when that one had to call again, so does this.
    """

    vouching = "this server"
    said = staticmethod(queries.said_in_postgresql)

    def __init__(
        self, place: Place, connection: Connection | None, remembered: Remembered, of: PostgresqlStorage | None = None
    ) -> None:
        self.place, self._place, self._remembered = str(place), place, remembered
        self._connection, self._of = connection, of
        self.lost = self._lost_of = 0
        self._closed = False
        table = f"{place.schema}.events"
        self._insert = f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608  checked names
        self._tail = f"SELECT seq, kind, root, frontier FROM {table} ORDER BY seq DESC LIMIT 1"  # noqa: S608  checked names
        self._kinds = f"SELECT seq, kind FROM {table} WHERE seq >= %s ORDER BY seq LIMIT %s"  # noqa: S608  checked names
        self._begin = _BEGIN.replace("{schema}", place.schema)

    @classmethod
    def open(cls, url: str, *, create: bool, remember: Path | None) -> Self:
        """Reach the database, making an empty ledger where `create` allows it."""
        place = locate(url)
        if create:
            connecting.create(place)
        connection = connect(place)
        try:
            return cls(place, connection, Remembered(remember))
        except OSError as error:
            hint = "Make that folder, and give it to the account of the server alone: docs/deploy.md."
            raise unavailable(place, f"its head cannot be remembered: {error}", hint=hint) from error

    def turn(self) -> AbstractContextManager[None]:
        """Nobody has to wait: each server remembers heads of its own, and the lock of `writing` keeps the order."""
        return nullcontext()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the ledger's lock until the entries are committed, and on the server's disk."""
        try:
            self._asked(lambda raw: raw.execute(self._begin.encode()))
            with translated(self._place):
                yield
            with translated(self._place, unsure=True):
                self._raw().execute("COMMIT")
        finally:
            self._leave()

    def put(self, rows: Sequence[Row], consumes: Sequence[str]) -> None:
        """Write rows within `writing`."""
        values = [[row[name] for name in COLUMNS] for row in rows]
        if not values:
            return
        raw = self._raw()
        if not consumes:  # then nothing but the end of it all can refuse them
            _insert(raw, self._insert, values)
            return
        raw.execute("SAVEPOINT one")
        try:
            with translated(self._place, consumes=consumes):
                _insert(raw, self._insert, values)
        except AlreadyUsedError:
            raw.execute("ROLLBACK TO one")
            raise
        raw.execute("RELEASE one")

    def tail(self) -> Tail | None:
        """The last entry."""
        row: Tail | None = self._asked(lambda raw: raw.execute(self._tail.encode()).fetchone())
        return row

    def beside(self) -> PostgresqlStorage:
        """Another connection, made when it is first needed: the one that writes waits for a lock and for the disk."""
        return PostgresqlStorage(self._place, None, self._remembered, self)

    def kinds(self, since: int, limit: int) -> Sequence[tuple[int, str]]:
        """What is newer than what is known."""
        return self._asked(lambda raw: raw.execute(self._kinds.encode(), [since, limit]).fetchall())

    def select(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Mapping[Any, Any]]:
        """All that it finds."""
        return self._asked(lambda _raw: self._open().execute(query, values).mappings().all())

    def known(self) -> Head:
        """The largest head that this server saw."""
        try:
            return self._remembered.head()
        except OSError as error:
            raise unavailable(self._place, f"its remembered head cannot be read: {error}") from error

    def publish(self, head: Head) -> None:
        """Remember it here; no other server has to hear of it."""
        try:
            self._remembered.saw(head)
        except OSError as error:
            raise LedgerUnavailableError(
                f"The ledger {self.place} was written, but its head could not be remembered here: {error}.",
                hint="Make room in `.mcp-migrate` beside the configuration, and let this account write there.",
                recorded=True,
            ) from error

    def left_open(self) -> Sequence[str]:
        """Rights beyond appending, and a server that waits for no disk."""
        return self._asked(lambda raw: left_open(raw, self._place.schema))

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        self._drop()

    def _asked(self, ask: Callable[[psycopg.Connection[Any]], _Found]) -> _Found:
        """What the server answers; asked once more over a new connection when the old one was lost before."""
        fresh = self._connection is None
        raw = self._raw()
        begun = _in_transaction(raw)
        try:
            with translated(self._place):
                return ask(raw)
        except MigrateError:
            if fresh or begun or not raw.closed:
                raise
        self._drop()
        with translated(self._place):
            return ask(self._raw())

    def _raw(self) -> psycopg.Connection[Any]:
        return driver(self._open())

    def _open(self) -> Connection:
        if self._closed:
            raise unavailable(self._place, "it was closed")
        if self._connection is not None and self._connection.invalidated:
            self._drop()  # SQLAlchemy would dial again by itself, and look at nothing
        if self._of is not None and self._lost_of != self._of.lost:
            self._drop()  # a server that stays behind a failover would show what was
            self._lost_of = self._of.lost
        if self._connection is None:
            self._connection = connect(self._place)
        return self._connection

    def _leave(self) -> None:
        """Leave no transaction behind, whatever happened in it."""
        connection = self._connection
        if connection is None or connection.invalidated or driver(connection).closed:
            self._drop()
        elif _in_transaction(driver(connection)):
            with translated(self._place):
                driver(connection).execute("ROLLBACK")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
            self.lost += 1


def _in_transaction(raw: psycopg.Connection[Any]) -> bool:
    from psycopg.pq import TransactionStatus

    return raw.info.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}


def _insert(raw: psycopg.Connection[Any], text: str, values: Sequence[Sequence[Any]]) -> None:
    with raw.cursor() as cursor:
        cursor.executemany(text.encode(), values)
