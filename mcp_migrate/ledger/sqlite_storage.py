"""How does a file keep a ledger? Its head lies beside it, and its own lock keeps other writers out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mcp_migrate.errors import AlreadyUsedError, LedgerCorruptError
from mcp_migrate.ledger import queries, sqlite
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.line import Row
from mcp_migrate.ledger.sidecar import HeadFile, sidecar_path
from mcp_migrate.ledger.storage import Tail
from mcp_migrate.ledger.trouble import TAMPERED, translated, unavailable

if TYPE_CHECKING:
    from sqlalchemy import Executable
    from sqlalchemy.engine import Connection


class SqliteStorage:
    """One file, opened once for all threads of this process."""

    vouching = "its head file"
    said = staticmethod(queries.said_in_sqlite)

    def __init__(self, path: Path, connection: Connection) -> None:
        self.place, self._path, self.connection = str(path), path, connection
        dialect, self._driver = connection.dialect, sqlite.driver(connection)
        self._insert, self._tail, self._kinds = (
            queries.text_of(each, dialect) for each in (queries.INSERT, queries.TAIL, queries.KINDS)
        )
        self._file, self._head = _identity(path), HeadFile(sidecar_path(path))

    @classmethod
    def open(cls, url: str, *, create: bool) -> Self:
        """Open the file, making an empty ledger where `create` allows it."""
        path = sqlite.locate(url)
        with translated(path):
            if create:
                sqlite.create(path)
            connection = sqlite.connect(path, "rw")
            changed = sqlite.changed_schema(connection)
            if changed:
                connection.close()
                raise LedgerCorruptError(f"The ledger {path} was altered: {'; '.join(changed)}.", hint=TAMPERED)
            return cls(path, connection)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only process that writes, until the head is beside the entries."""
        with translated(self._path), self._opened() as beside:
            beside.take(within=sqlite.TURN_SECONDS)
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock of the file."""
        with translated(self._path):
            driver = self._driver
            driver.execute("BEGIN IMMEDIATE")
            try:
                self._check_place()
                yield
                driver.execute("COMMIT")
            finally:
                driver.rollback()  # does nothing after COMMIT, or where SQLite has rolled back by itself

    def put(self, rows: Sequence[Row], consumes: Sequence[str]) -> None:
        """Write rows within `writing`."""
        if not consumes:  # nothing that could be in the way of these entries alone
            self._send(rows)
            return
        driver = self._driver
        driver.execute("SAVEPOINT apart")
        try:
            with translated(self._path, consumes=consumes):
                self._send(rows)
        except AlreadyUsedError:
            driver.execute("ROLLBACK TO apart")
            raise
        driver.execute("RELEASE apart")

    def _send(self, rows: Sequence[Row]) -> None:
        text, names = self._insert
        self._driver.executemany(text, map(itemgetter(*names), rows))

    def tail(self) -> Tail | None:
        """The last entry, asked for in the driver's own way: it is asked for all the time."""
        with translated(self._path):
            row: Tail | None = self._driver.execute(self._tail[0]).fetchone()
            return row

    def beside(self) -> Self:
        """A file is looked up in a moment."""
        return self

    def kinds(self, since: int, limit: int) -> Sequence[tuple[int, str]]:
        """Asked for all the time as well."""
        text, names = self._kinds
        given = {"since": since, "most": limit}
        with translated(self._path):
            return self._driver.execute(text, [given.get(name, 0) for name in names]).fetchall()

    def select(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Mapping[Any, Any]]:
        """All that it finds."""
        with translated(self._path):
            return self.connection.execute(query, values).mappings().all()

    def known(self) -> Head:
        """What the head file says."""
        return self._head.known()

    def publish(self, head: Head) -> None:
        """Write the head beside the file, while it is still our turn so that a later head stays."""
        with translated(self._path, recorded=True):
            self._head.publish(head)

    def left_open(self) -> Sequence[str]:
        """Whoever may write the file may do anything to it: the documentation says so, and no setting changes it."""
        return ()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _opened(self) -> HeadFile:
        try:
            return self._head.opened()
        except FileNotFoundError as error:
            why = "its head file is missing"
            raise LedgerCorruptError(f"The ledger {self._path} was tampered with: {why}.", hint=TAMPERED) from error

    def _check_place(self) -> None:
        """A file that was moved away still takes entries, and nobody would ever find them."""
        if _identity(self._path) != self._file:
            raise unavailable(self._path, "the file was replaced while it was open")


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
