"""What may be tampered with? A copy, with all that someone may do who owns the database that it is in.

The ledger itself is read as `ledger verify` reads it, and nothing here holds a connection to it that could write.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.ledger import Head, sqlite
from mcp_migrate.ledger.look import Look, looked_at
from mcp_migrate.ledger.merkle import EMPTY_ROOT
from mcp_migrate.ledger.scan import COLUMNS
from mcp_migrate.ledger.sidecar import begin_in, put_in, sidecar_path
from mcp_migrate.ledger.storage import is_postgresql, open_storage

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_PAGE = 500
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


class FileCopy:
    """A copy in a file, its head beside it."""

    remember: Path | None = None
    """The file in which the machine that looks at it remembers its head."""

    def __init__(self, path: Path, pristine: Path | None = None) -> None:
        self.path, self._pristine = path, pristine
        self.url, self.head_file = f"sqlite:///{path}", sidecar_path(path)

    def renew(self) -> None:
        """Take the files that nobody altered."""
        if self._pristine is None:
            raise ConfigInvalidError("This copy has nothing to be renewed from.", hint="Copy a ledger.")
        for left in self.path.parent.glob(f"{self.path.name}*"):
            left.unlink()
        shutil.copy(self._pristine, self.path)
        shutil.copy(sidecar_path(self._pristine), self.head_file)

    def reach(self) -> Connection:
        """Open the file."""
        return sqlite.connect(self.path, "rw")

    @contextmanager
    def disarmed(self, *, for_good: bool = False) -> Iterator[Connection]:
        """Drop the triggers, and make the same ones again."""
        with closing(self.reach()) as connection:
            triggers = connection.exec_driver_sql(_TRIGGERS).all()
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            yield connection
            for _, text in () if for_good else triggers:
                connection.exec_driver_sql(text)

    def hide(self, index: str, seq: int) -> None:
        """Have an index leave out an entry, which is put in while the file does not know of the index."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
            kept = raw.execute("SELECT * FROM events WHERE seq = ?", [seq]).fetchone()
            listed = raw.execute("SELECT * FROM sqlite_master WHERE name = ?", [index]).fetchone()
        with self.disarmed() as connection:
            connection.exec_driver_sql("DELETE FROM events WHERE seq = ?", (seq,))
        with closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
            raw.execute("PRAGMA writable_schema=ON")
            raw.execute("DELETE FROM sqlite_master WHERE name = ?", [index])
            raw.execute("PRAGMA writable_schema=RESET")
            raw.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(kept))})", kept)  # noqa: S608  question marks alone
            raw.execute("PRAGMA writable_schema=ON")
            raw.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", listed)
            raw.execute("PRAGMA writable_schema=RESET")


class SchemaCopy:
    """A copy in a schema of its own, on a server; where it is looked at from, its head is remembered."""

    head_file = None
    """Nothing lies beside it that its owner could write too."""

    def __init__(self, url: str, remember: Path | None, pristine: SchemaCopy | None = None) -> None:
        from mcp_migrate.ledger.postgresql.place import locate

        self.url, self.remember, self._pristine = url, remember, pristine
        self._place = locate(url)

    @property
    def schema(self) -> str:
        """Where it is."""
        return self._place.schema

    def renew(self) -> None:
        """Make the schema again, from the one that nobody altered."""
        if self._pristine is None:
            raise ConfigInvalidError("This copy has nothing to be renewed from.", hint="Copy a ledger.")
        from mcp_migrate.ledger.postgresql.place import schema_sql

        names, mine, other = ", ".join(COLUMNS), self.schema, self._pristine.schema
        self._run(
            f"DROP SCHEMA IF EXISTS {mine} CASCADE",
            schema_sql(mine),
            f"INSERT INTO {mine}.events SELECT {names} FROM {other}.events ORDER BY seq",  # noqa: S608  names of ours
        )

    def reach(self) -> Connection:
        """Connect, whatever was done to it."""
        from mcp_migrate.ledger.postgresql.connecting import reach

        return reach(self._place)

    @contextmanager
    def disarmed(self, *, for_good: bool = False) -> Iterator[Connection]:
        """Switch the triggers off, and on again as they were."""
        table = f"{self.schema}.events"
        with closing(self.reach()) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield connection
            for name in () if for_good else ("events_no_change", "events_no_truncate", "events_only_at_the_end"):
                connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")

    def drop(self) -> None:
        """Leave nothing behind."""
        self._run(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")

    def _run(self, *texts: str) -> None:
        from mcp_migrate.ledger.postgresql.connecting import dial, driver

        with closing(dial(self._place)) as connection:
            for text in texts:
                driver(connection).execute(text.encode())


Copy = FileCopy | SchemaCopy


@contextmanager
def copied(url: str, remember: Path | None, into: str | None) -> Iterator[Copy]:
    """A copy of the ledger at `url`: in a folder of its own, or for one on a server in the database `into`.

    Raises:
        ConfigInvalidError: the ledger is on a server, and `into` names none, or the ledger's own database.
        LedgerUnavailableError: the ledger cannot be read, or the copy cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-drill-") as name:
        folder = Path(name)
        if not is_postgresql(url):
            (folder / "pristine").mkdir()
            pristine = FileCopy(folder / "pristine" / "ledger.db")
            _fill(url, pristine.url, remember)
            yield FileCopy(folder / "ledger.db", pristine.path)
            return
        with _schemas(url, into, folder / "head") as (first, second):
            begin_in(folder / "head", folder / "new")
            put_in(folder / "head", _fill(url, first.url, remember))
            yield second


@contextmanager
def _schemas(url: str, into: str | None, head: Path) -> Iterator[tuple[SchemaCopy, SchemaCopy]]:
    from mcp_migrate.ledger.postgresql.place import locate

    if into is None or not is_postgresql(into) or _database(locate(into).options) == _database(locate(url).options):
        raise ConfigInvalidError(
            "A ledger on PostgreSQL is copied to PostgreSQL, and never into its own database.",
            hint="Give --copy-in postgresql://USER@HOST/OTHER, a database in which that role may make schemas.",
        )
    stem = f"mcp_migrate_drill_{uuid.uuid4().hex[:12]}"
    first = SchemaCopy(_in_schema(into, f"{stem}_0"), None)
    second = SchemaCopy(_in_schema(into, f"{stem}_1"), head, first)
    try:
        yield first, second
    finally:
        first.drop()
        second.drop()


def _in_schema(url: str, schema: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}schema={schema}"


def _database(options: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(options.get(each) for each in ("host", "port", "dbname"))


def _fill(url: str, copy: str, remember: Path | None) -> Head:
    """Put the entries into an empty ledger as they are; the head that they lead to."""

    def filled(look: Look) -> Head:
        storage = open_storage(copy, create=True, remember=None)
        with closing(storage):
            head = Head(0, EMPTY_ROOT.hex())
            for page in _paged(look):
                with storage.turn():
                    with storage.writing():
                        storage.put([dict(zip(COLUMNS, row, strict=True)) for row in page], ())
                    head = Head(page[-1][0] + 1, page[-1][COLUMNS.index("root")].hex())
                    storage.publish(head)
            return head

    return looked_at(url, filled, remember)


def _paged(look: Look) -> Iterator[Sequence[Sequence[Any]]]:
    rows = look.rows(0)
    for first in rows:
        yield tuple(chain([first], islice(rows, _PAGE - 1)))
