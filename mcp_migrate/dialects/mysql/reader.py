"""What is in a MySQL or MariaDB database? Read from the information schema, in a fixed number of queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.fetching import Fetched, Query
from mcp_migrate.dialects.keeper import Entry
from mcp_migrate.dialects.mysql.heads import heads
from mcp_migrate.dialects.mysql.objects import others
from mcp_migrate.dialects.mysql.powers import powers
from mcp_migrate.dialects.mysql.tables import Rows, grouped, table
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.dialects.told import Counted, Mark
from mcp_migrate.drivers.mysql import connect, database_name, driver, message, quote
from mcp_migrate.errors import Action, TargetUnreachableError
from mcp_migrate.model import LeftHead, Statement
from mcp_migrate.schema.model import Schema

if TYPE_CHECKING:
    import pymysql

OURS = "_mcp_migrate"
OWN_DATABASE = "mcp_migrate"
MARKS_BESIDE = f"{OURS}_applies"
UNDO = f"{OURS}_undo"
_NAME = re.compile(r"`(?:[^`]|``)*`")
"""The manifest of undo data, and before the names of its tables."""
_PLAIN = frozenset({"BASE TABLE", "SYSTEM VERSIONED"})
_NUMBERS = ("server_uuid", "server_uid", "hostname", "port", "datadir")


class MysqlReader:
    """Reads through one open connection.

    `database` is what the server calls it; `named` is what we say, which for a scratch database is the target's name.
    """

    def __init__(self, connection: pymysql.Connection[Any], url: str) -> None:
        self._connection = connection
        [(self.database, version)] = self.ask("SELECT database(), version()")
        self.named = database_name(url)
        self.mariadb = "mariadb" in str(version).lower()
        self.version = tuple(int(part) for part in str(version).split("-")[0].split(".")[:2])

    def server(self) -> str:
        """Which of the two products, and its version."""
        return f"{'MariaDB' if self.mariadb else 'MySQL'} {'.'.join(map(str, self.version))}"

    def identity(self) -> Mapping[str, str]:
        """The server's own number and the database's name. MariaDB may have none: then its place stands in for it."""
        product = "mariadb" if self.mariadb else "mysql"
        known = dict(self.ask(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN {_NUMBERS}"))
        uuid = known.get("server_uuid") or known.get("server_uid")
        if not uuid:
            place = ":".join(str(known.get(name)) for name in ("hostname", "port", "datadir"))
            uuid = f"without a number, at {place}"
        return {"product": product, "system": str(uuid), "database": str(self.database)}

    def powers(self) -> Powers:
        """What its account may do."""
        return powers(self)

    def schema(self, *, version_table: str) -> Schema:
        """The whole schema but for the version table and ours.

        Raises:
            TargetUnreachableError: tables came, went or changed while they were read.
        """
        found = self._tables_but(version_table)
        parts = {name: grouped(self._of_database(name)) for name in ("columns", "references", "partitions")}
        for name in ("indexes", "checks"):
            parts[name] = grouped(self._of_database(name if self.mariadb else f"{name} of MySQL"))
        [(_characters, collation)] = self._of_database("database")
        tables = (table(self._name, collation, row, parts) for row in found if row[1] in _PLAIN)
        other, unseen = others(self, collation, parts["columns"])
        if self._tables_but(version_table) != found:  # the information schema is not of one moment
            raise TargetUnreachableError(
                "The schema was changed while it was read.",
                hint="Make the same call again.",
            ).then(Action.AGAIN)
        return Schema("mariadb" if self.mariadb else "mysql", tuple(tables), tuple(other), tuple(unseen))

    def revisions(self, version_table: str) -> tuple[str, ...]:
        """The rows of Alembic's version table, sorted."""
        place = self._place(version_table)
        if not self.there(*place):
            return ()
        rows = self.ask(f"SELECT version_num FROM {quote(*place)}")  # noqa: S608  quoted
        return tuple(sorted(str(row[0]) for row in rows))

    def mark(self, apply_id: str) -> Mark | None:
        """What this apply left here, in either of the two places for it."""
        for place in self.marks():
            rows = self.ask(f"SELECT plan, done FROM {quote(*place)} WHERE apply_id = %s", apply_id)  # noqa: S608  quoted
            if rows:
                return Mark(str(rows[0][0]), int(rows[0][1]))
        return None

    def marks(self) -> list[tuple[str, str]]:
        """The tables with marks that are there."""
        return [place for place in self.places_for_marks() if self.there(*place)]

    def places_for_marks(self) -> list[tuple[str, str]]:
        """Where marks may be, the better place first."""
        return [(OWN_DATABASE, "applies"), (self.database, MARKS_BESIDE)]

    def heads(self) -> tuple[LeftHead, ...]:
        """What applies left, in either of the two places."""
        return heads(self)

    def left_by(self, statement: Statement) -> None:
        """A statement that fails leaves nothing, or what its own words do not tell."""

    def count_rows(self, tables: Iterable[str]) -> Mapping[str, int]:
        """Rows of each ``database.table``, or table of this database, that exists."""
        places = {name: self._place(name) for name in tables}
        return {
            name: int(self.ask(f"SELECT count(*) FROM {quote(*place)}")[0][0])  # noqa: S608  quoted
            for name, place in places.items()
            if self.there(*place)
        }

    def estimate_rows(self) -> Mapping[str, int]:
        """The storage engines' own estimates."""
        return {f"{self.named}.{name}": int(rows) for name, rows in self._of_database("estimates")}

    def kept(self) -> tuple[Entry, ...] | None:
        """The manifest, with the size of each table now. Times have the form that others have them in."""
        if not self.there(self.database, UNDO):
            return None
        return tuple(map(_entry, self._of_database("kept")))

    def faults(self, *, seconds: float) -> Mapping[str, tuple[str, ...]]:
        """What does not hold beside the schema."""
        from mcp_migrate.dialects.mysql import health

        return health.faults(self, seconds=seconds)

    def count_returned(self, sql: str, *, at_most: int, seconds: float) -> Counted:
        """How many rows a query returns."""
        from mcp_migrate.dialects.mysql import health

        return health.count_returned(self, sql, at_most=at_most, seconds=seconds)

    def fetch(self, query: Query) -> Fetched:
        """The first rows of a query."""
        from mcp_migrate.dialects.mysql import health

        return health.fetch(self, self._connection, query)

    def named_block(self, name: str) -> Rows:
        """The rows of one query of catalog.sql about this database."""
        return self._of_database(name)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one query of ours. What stands in a quoted name is no place for one of the `values`."""
        text = _NAME.sub(lambda name: name[0].replace("%", "%%"), sql) if values else sql
        with self._connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return list(cursor.fetchall())

    def _of_database(self, name: str) -> Rows:
        return self.ask(_queries()[name], self.database)

    def _tables_but(self, version_table: str) -> Rows:
        hidden = self._place(version_table)
        return [row for row in self._of_database("tables") if not self._hidden(row[0], hidden)]

    def _name(self, database: str) -> str:
        return self.named if database in {"", self.database} else database

    def _place(self, name: str) -> tuple[str, str]:
        """Database and table that a name of ours means."""
        database, _, table_name = name.rpartition(".")
        return (self.database if database in {"", self.named} else database, table_name)

    def there(self, database: str, name: str) -> bool:
        return (database, name) in self.ask(_queries()["present"], database, name)

    def _hidden(self, name: str, version: tuple[str, str]) -> bool:
        return name.startswith(OURS) or (self.database, name) == version


@contextmanager
def open_reader(url: str) -> Iterator[MysqlReader]:
    """A session that sees one moment of the rows, and may not write.

    Raises:
        TargetUnreachableError: the server cannot be reached, or does not answer.
    """
    pymysql = driver()
    with connect(url) as connection:
        try:
            connection.query("SET SESSION TRANSACTION READ ONLY")  # else DDL would end the transaction and run
            connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            yield MysqlReader(connection, url)
        except pymysql.Error as error:
            raise TargetUnreachableError(
                f"The target cannot be read: {message(error)}.", hint="Check the rights of its user."
            ) from error


def _entry(row: tuple[Any, ...]) -> Entry:
    key, place, table_name, columns, method, kept_at, until = map(str, row[:7])
    rows, size, over = row[7:]
    return Entry(
        key, place, table_name, columns, method, int(rows), int(size) if size else None, kept_at, until, over=bool(over)
    )


@cache
def _queries() -> dict[str, str]:
    """The blocks of catalog.sql by name."""
    text = Path(__file__).with_name("catalog.sql").read_text(encoding="utf-8")
    blocks = text.split("-- name: ")[1:]
    return {name.strip(): body for name, _, body in (block.partition("\n") for block in blocks)}
