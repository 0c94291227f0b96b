"""What is in a SQLite database? Read from its schema table and pragmas."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mcp_migrate.dialects.fetching import Fetched, Query
from mcp_migrate.dialects.keeper import Entry
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.dialects.sqlite.heads import heads
from mcp_migrate.dialects.sqlite.spelling import folded, normal, quote
from mcp_migrate.dialects.sqlite.tables import Tables
from mcp_migrate.dialects.told import Counted, Mark
from mcp_migrate.errors import ConfigInvalidError, TargetUnreachableError
from mcp_migrate.model import LeftHead, Statement, digest
from mcp_migrate.schema.model import Other, Schema

__all__ = ["SqliteReader", "open_reader", "quote", "sqlite_path", "unreachable"]

_OURS = "_mcp_migrate"
MARKS = f"{_OURS}_applies"
MANIFEST = f"{_OURS}_undo"
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"})


class SqliteReader:
    """Reads through one open connection; always in ``main``, whatever temporary tables are called.

    `absent` is the file that is meant where there is none yet.
    """

    def __init__(self, connection: sqlite3.Connection, *, absent: Path | None = None) -> None:
        self._connection = connection
        self._absent = absent

    def server(self) -> str:
        """The library's version: there is no server."""
        return f"SQLite {sqlite3.sqlite_version}"

    def identity(self) -> Mapping[str, str]:
        """The file, with links resolved, and its number on its device: a copy has another.

        A file with nothing in it is told as the one that is not there yet: beginning to write makes the one the other.
        """
        [place] = [row[2] for row in self._ask("PRAGMA database_list") if row[1] == "main"]
        [(things,)] = self._ask("SELECT count(*) FROM main.sqlite_schema")
        path = Path(place or self._absent or "in memory").resolve()
        found = path.stat() if things and place else None
        number = f"{found.st_dev}:{found.st_ino}" if found else "nothing is in it yet"
        return {"product": "sqlite", "file": str(path), "inode": number}

    def powers(self) -> Powers:
        """There are no roles: what the account of this process may do with the file is what there is."""
        return Powers("")

    def schema(self, *, version_table: str) -> Schema:
        """The whole schema but for the version table, SQLite's own tables and ours."""
        version = folded(version_table.rpartition(".")[2])
        rows = self._ask("SELECT type, name, tbl_name, sql, rootpage FROM main.sqlite_schema ORDER BY name")
        kept = [row for row in rows if not _hidden(row[0], row[2], version)]
        tables = Tables(self._ask, [row[1] for row in kept if row[0] == "table" and not row[4]])
        return Schema(
            dialect="sqlite",
            tables=tuple(tables.table(name, sql) for kind, name, _, sql, _ in kept if kind == "table"),
            others=tuple(
                Other(kind, "main", name, normal(sql), f"main.{table}" if kind == "trigger" else None, text=sql)
                for kind, name, table, sql, _ in kept
                if kind in {"view", "trigger"}
            ),
            unseen=tuple(tables.unseen),
        )

    def revisions(self, version_table: str) -> tuple[str, ...]:
        """The rows of Alembic's version table, sorted."""
        name = self._tables().get(folded(version_table.rpartition(".")[2]))
        if name is None:
            return ()
        rows = self._ask(f"SELECT version_num FROM main.{quote(name)} ORDER BY 1")  # noqa: S608  quoted
        return tuple(str(row[0]) for row in rows)

    def heads(self) -> tuple[LeftHead, ...]:
        """What applies left in a table of ours."""
        return heads(self._connection, digest(self.identity()))

    def mark(self, apply_id: str) -> Mark | None:
        """What this apply left here."""
        if not self._ask("SELECT 1 FROM main.sqlite_schema WHERE name = ?", MARKS):
            return None
        rows = self._ask(f"SELECT plan, done FROM main.{MARKS} WHERE apply_id = ?", apply_id)  # noqa: S608  a constant
        return Mark(*rows[0]) if rows else None

    def left_by(self, statement: Statement) -> None:
        """Everything is in one transaction."""

    def count_rows(self, tables: Iterable[str]) -> Mapping[str, int]:
        """Rows of each ``main.table`` that exists."""
        there = self._tables()
        found = {table: there.get(folded(table.removeprefix("main."))) for table in tables if table.startswith("main.")}
        return {
            table: int(self._ask(f"SELECT count(*) FROM main.{quote(name)}")[0][0])  # noqa: S608  quoted
            for table, name in found.items()
            if name is not None
        }

    def estimate_rows(self) -> Mapping[str, int]:
        """Nothing: SQLite keeps numbers only of indexes, and only where somebody ran ANALYZE."""
        return {}

    def kept(self) -> tuple[Entry, ...] | None:
        """The manifest."""
        if not self._ask("SELECT 1 FROM main.sqlite_schema WHERE name = ?", MANIFEST):
            return None
        columns = 'key, place, source, columns, method, "rows", size, kept_at, until'
        over = "until <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
        rows = self._ask(f"SELECT {columns}, {over} FROM main.{MANIFEST} ORDER BY kept_at, place")  # noqa: S608  constants
        return tuple(replace(Entry(*row), over=bool(row[-1])) for row in rows)

    def faults(self, *, seconds: float) -> Mapping[str, tuple[str, ...]]:
        """What does not hold beside the schema."""
        from mcp_migrate.dialects.sqlite import health

        return health.faults(self._connection, seconds=seconds)

    def count_returned(self, sql: str, *, at_most: int, seconds: float) -> Counted:
        """How many rows a query returns."""
        from mcp_migrate.dialects.sqlite import health

        return health.count_returned(self._connection, sql, at_most=at_most, seconds=seconds)

    def fetch(self, query: Query) -> Fetched:
        """The first rows of a query."""
        from mcp_migrate.dialects.sqlite import health

        return health.fetch(self._connection, query)

    def _tables(self) -> Mapping[str, str]:
        """The names of all tables, by how SQLite compares them."""
        return {folded(row[0]): row[0] for row in self._ask("SELECT name FROM main.sqlite_schema WHERE type = 'table'")}

    def _ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()


@contextmanager
def open_reader(url: str) -> Iterator[SqliteReader]:
    """A read-only session; a file that is not there yet is an empty database, as it is for Alembic.

    Raises:
        TargetUnreachableError: it cannot be opened, or is no database.
    """
    path = sqlite_path(url)
    if not path.parent.is_dir():
        raise unreachable(path, "its folder does not exist")
    name = f"{path.absolute().as_uri()}?mode=ro" if path.exists() else ":memory:"
    try:
        with closing(sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM main.sqlite_schema")
            yield SqliteReader(connection, absent=None if name != ":memory:" else path)
    except sqlite3.DatabaseError as error:
        raise unreachable(path, str(error)) from error


def sqlite_path(url: str) -> Path:
    """The file of a SQLAlchemy URL. Raises: ConfigInvalidError: it names none."""
    scheme, _, rest = url.partition("://")
    host, slash, place = rest.partition("?")[0].partition("/")
    path = unquote(place)
    if scheme not in _DRIVERS or host or not slash or path in {"", ":memory:"} or path.startswith("file:"):
        raise ConfigInvalidError("A SQLite target needs a file.", hint="Write its URL as sqlite:///folder/file.db.")
    return Path(path)


def unreachable(path: Path, why: str) -> TargetUnreachableError:
    """The error for a file that is no target."""
    return TargetUnreachableError(
        f"The SQLite database {path.name} cannot be opened: {why}.", hint="Check the target's url and file rights."
    )


def _hidden(kind: str, table: str, version: str) -> bool:
    """Whether it is SQLite's, ours or Alembic's. A trigger on the version table is neither."""
    name = folded(table)
    return name.startswith(("sqlite_", _OURS)) or (name == version and kind != "trigger")
