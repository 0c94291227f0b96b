"""What is in a PostgreSQL database? Read straight from its catalogs, in a dozen set-based queries.

The session may be one in which a plan just ran. A temporary table called `pg_class` would answer in the catalog's
place, and so would one in a schema that stands before `pg_catalog`: nothing is asked before the search path is ours.
So are all settings that change how the server writes a definition.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects import interface
from mcp_migrate.dialects.fetching import Fetched, Query
from mcp_migrate.dialects.keeper import Entry
from mcp_migrate.dialects.postgresql.ahead import Row, ahead
from mcp_migrate.dialects.postgresql.building import build, changed
from mcp_migrate.dialects.postgresql.catalogs import Catalogs, query
from mcp_migrate.dialects.postgresql.heads import heads
from mcp_migrate.dialects.postgresql.powers import powers
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.dialects.told import Counted, Left, Mark
from mcp_migrate.drivers.postgresql import connect, driver, message
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.model import LeftHead, Statement, digest
from mcp_migrate.schema.model import Schema

if TYPE_CHECKING:
    import psycopg

MARKS = "mcp_migrate.applies"
MANIFEST = "mcp_migrate_undo.manifest"
_OURS = "mcp_migrate"
_TABLES = frozenset("rpf")
_PINNED = {
    "search_path": "pg_catalog, pg_temp",  # what is not on it is written with its schema; named last, or it is first
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "lc_monetary": "C",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "join_collapse_limit": "1",  # joined as written: trying all orders took a third of the time for tables
    "enable_sort": "on",
    "jit": "off",  # compiling these queries takes longer than running them
    "enable_nestloop": "off",  # without statistics of the catalogs a loop is chosen that squares the time
    "work_mem": "64MB",  # of ten thousand tables, less is sorted and joined through files
    "max_parallel_workers_per_gather": "0",  # they read what fits in no memory twice, and others need the processors
}
_LOCK_TIMEOUT = "10s"
"""The server locks a view to write its definition, and would wait for whoever changes it."""


class PostgresReader:
    """Reads through one open connection, inside its transaction if it has one."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def server(self) -> str:
        """The version, as its manual is numbered."""
        version = self._connection.info.server_version
        return f"PostgreSQL {version // 10_000}.{version % 10_000}"

    def identity(self) -> Mapping[str, str]:
        """The number that initdb gave the cluster, and the database's own: what is restored elsewhere has others.

        A physical copy keeps both. Where a role may not ask for the first, the server's address stands in for it.
        """
        [(database, may, address)] = self._named("identity")
        if may:
            [(system,)] = self._named("system")
            return {"product": "postgresql", "system": system, "database": database}
        unread = f"not readable for this role, at {address}"
        return {"product": "postgresql", "system": unread, "database": database}

    def powers(self) -> Powers:
        """What its role may do."""
        return powers(self._named)

    def schema(self, *, version_table: str) -> Schema:
        """The whole schema but for the version table, the system's objects and ours."""
        schema, _, name = qualified(version_table).partition(".")
        version = self._connection.info.server_version
        with self._pinned(), _uncollected(), ahead(self._connection) as asking:
            return build(Catalogs(asking, version // 10_000, (_OURS, schema, name)), version)

    def revisions(self, version_table: str) -> tuple[str, ...]:
        """The rows of Alembic's version table, sorted."""
        with self._pinned():
            if not self._there(qualified(version_table)):
                return ()
            rows = self._ask(f"SELECT version_num FROM {quote(qualified(version_table))} ORDER BY 1")  # noqa: S608  quoted
        return tuple(str(row[0]) for row in rows)

    def mark(self, apply_id: str) -> Mark | None:
        """What this apply left here."""
        if not self._ask("SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)", MARKS):
            return None
        rows = self._ask(f"SELECT plan, done FROM {MARKS} WHERE apply_id = $1", apply_id)  # noqa: S608  a constant
        return Mark(*rows[0]) if rows else None

    def heads(self) -> tuple[LeftHead, ...]:
        """What applies left in our schema."""
        return heads(self._ask, digest(self.identity()))

    def left_by(self, statement: Statement) -> Left | None:
        """An index that was never finished."""
        from mcp_migrate.dialects.postgresql import leftovers

        return leftovers.left_by(self._connection, statement.sql)

    def count_rows(self, tables: Iterable[str]) -> Mapping[str, int]:
        """Rows of each ``schema.table`` that exists; of what this role may not read, what the statistics say of it.

        Raises:
            TargetUnreachableError: it may not, and there are none.
        """
        with self._pinned():
            found = {table: self._named("countable", *table.partition(".")[::2]) for table in tables}
            return {table: self._count(table, *row) for table, rows in found.items() for row in rows}

    def estimate_rows(self) -> Mapping[str, int]:
        """What the statistics say of each table that was analysed."""
        with self._pinned():
            rows = self._named("estimates", _OURS)
        return {f"{schema}.{name}": int(count) for schema, name, count in rows}

    def kept(self) -> tuple[Entry, ...] | None:
        """The manifest."""
        if not self._ask("SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)", MANIFEST):
            place = MANIFEST.partition(".")[0]
            return () if self._ask("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", place) else None
        when = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        times = ", ".join(when.format(column) for column in ("kept_at", "until"))
        columns = f"key, place, source, columns, method, rows, size, {times}, until <= now()"
        rows = self._ask(f"SELECT {columns} FROM {MANIFEST} ORDER BY kept_at, place")  # noqa: S608  constants
        return tuple(Entry(*row) for row in rows)

    def faults(self, *, seconds: float) -> Mapping[str, tuple[str, ...]]:
        """What does not hold beside the schema."""
        from mcp_migrate.dialects.postgresql import health

        return health.faults(self._connection, self._named, seconds=seconds)

    def count_returned(self, sql: str, *, at_most: int, seconds: float) -> Counted:
        """How many rows a query returns."""
        from mcp_migrate.dialects.postgresql import health

        return health.count_returned(self._connection, sql, at_most=at_most, seconds=seconds)

    def fetch(self, query: Query) -> Fetched:
        """The first rows of a query."""
        from mcp_migrate.dialects.postgresql import health

        return health.fetch(self._connection, query)

    def _count(self, table: str, estimate: int | None) -> int:
        if estimate is None:
            return int(self._ask(f"SELECT count(*) FROM {quote(table)}")[0][0])  # noqa: S608  quoted
        if estimate < 0:
            raise TargetUnreachableError(
                f"The rows of {table} cannot be counted: the role may not read it, and it was never analysed.",
                hint="Have an admin grant USAGE on its schema and SELECT on it to the target's role, or ANALYZE it.",
            )
        return max(int(estimate), 1)  # an estimate never says that nothing can be lost

    def _there(self, table: str) -> bool:
        [(kind,)] = self._ask("SELECT (SELECT relkind::text FROM pg_class WHERE oid = to_regclass($1))", quote(table))
        return kind is not None and kind in _TABLES

    @contextmanager
    def _pinned(self) -> Iterator[None]:
        """Settings of ours, and afterwards what they were."""
        names, values = list(_PINNED), list(_PINNED.values())
        [(before,)] = self._ask(
            "SELECT pg_catalog.array_agg(pg_catalog.current_setting(name)) FROM pg_catalog.unnest($1::text[]) AS name",
            names,
        )
        self._set(names, values)
        try:
            yield
        finally:
            if self._connection.info.transaction_status.name != "INERROR":
                self._set(names, before)

    def _set(self, names: list[str], values: list[str]) -> None:
        self._ask(
            "SELECT pg_catalog.set_config(name, value, false) "
            "FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS pinned (name, value)",
            names,
            values,
        )

    def _named(self, name: str, *values: Any) -> list[Row]:
        return self._ask(query(name, self._connection.info.server_version // 10_000), *values)

    def _ask(self, sql: str, *values: Any) -> list[Row]:
        return self._connection.execute(sql.encode(), values or None).fetchall()


@contextmanager
def open_reader(url: str) -> Iterator[PostgresReader]:
    """A read-only session in one repeatable-read transaction.

    Raises:
        TargetUnreachableError: the server cannot be reached, or does not answer.
    """
    psycopg = driver()
    with connect(url) as connection:
        try:
            connection.execute("SELECT set_config('lock_timeout', $1, false)", [_LOCK_TIMEOUT])
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresReader(connection)
        except psycopg.InternalError as error:  # a definition of what another session has dropped
            raise changed(message(error)) from error
        except psycopg.Error as error:
            raise TargetUnreachableError(
                f"The PostgreSQL target cannot be read: {message(error)}.",
                hint="Grant its role what it has to read; docs/credentials.md has the statements.",
            ) from error


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: of millions of new values none is in one, and it looks at all again and again.

    A fifth of the time of building 10,000 tables. Afterwards they count as old at once, for the same reason.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def qualified(name: str) -> str:
    """``schema.name``; without a schema it is ``public``."""
    return name if "." in name else f"public.{name}"


def quote(name: str) -> str:
    """``schema.name`` as quoted identifiers."""
    schema, _, table = name.partition(".")
    return quoted(schema, table)


def quoted(*names: str) -> str:
    """Quoted identifiers with dots between them."""
    return interface.quoted(*names, mark='"')
