"""What is in a PostgreSQL database? Read straight from its catalogs, in five set-based queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.interface import Mark
from mcp_migrate.dialects.postgresql.connection import connect, driver, message
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.schema.model import Column, Constraint, ConstraintKind, Index, Other, Schema, Table

if TYPE_CHECKING:
    import psycopg

MARKS = "mcp_migrate.applies"
_HIDDEN = ["pg_catalog", "information_schema", "mcp_migrate"]
_KINDS = {"r": "table", "p": "partitioned", "f": "foreign"}
_CONSTRAINTS: Mapping[str, ConstraintKind] = {
    "p": "primary_key",
    "f": "foreign_key",
    "u": "unique",
    "c": "check",
    "x": "exclusion",
}


class PostgresReader:
    """Reads through one open connection, inside its transaction if it has one."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def schema(self, *, version_table: str) -> Schema:
        """The whole schema but for the version table, the system's objects and ours."""
        with self._every_name_qualified():
            rows = [row for row in self._named("tables", _HIDDEN) if f"{row[1]}.{row[2]}" != qualified(version_table)]
            ids = [row[0] for row in rows]
            columns, constraints, indexes = (
                _by_table(self._named(name, ids)) for name in ("columns", "constraints", "indexes")
            )
            others = self._named("others", _HIDDEN)
        return Schema(
            dialect="postgresql",
            tables=tuple(
                _table(row, columns.get(row[0], ()), constraints.get(row[0], ()), indexes.get(row[0], ()))
                for row in rows
            ),
            others=tuple(Other(kind, schema, name, text or "", table) for kind, schema, name, text, table in others),
        )

    def revisions(self, version_table: str) -> tuple[str, ...]:
        """The rows of Alembic's version table, sorted."""
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

    def count_rows(self, tables: Iterable[str]) -> Mapping[str, int]:
        """Rows of each ``schema.table`` that exists."""
        there = [table for table in tables if self._there(table)]
        return {table: int(self._ask(f"SELECT count(*) FROM {quote(table)}")[0][0]) for table in there}  # noqa: S608  quoted

    def _there(self, table: str) -> bool:
        [(kind,)] = self._ask("SELECT (SELECT relkind::text FROM pg_class WHERE oid = to_regclass($1))", quote(table))
        return kind is not None and kind in _KINDS

    @contextmanager
    def _every_name_qualified(self) -> Iterator[None]:
        """The server writes a name with its schema when the schema is not on the search path."""
        [(before,)] = self._ask("SELECT current_setting('search_path')")
        # Temporary tables come last: unnamed they come first, and one called pg_class would hide the catalog.
        self._ask("SELECT set_config('search_path', 'pg_catalog, pg_temp', false)")
        try:
            yield
        finally:
            if self._connection.info.transaction_status.name != "INERROR":
                self._ask("SELECT set_config('search_path', $1, false)", before)

    def _named(self, name: str, argument: Any) -> list[tuple[Any, ...]]:
        return self._ask(_queries()[name], argument)

    def _ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql.encode(), values or None)
        return cursor.fetchall()


@contextmanager
def open_reader(url: str) -> Iterator[PostgresReader]:
    """A read-only session in one repeatable-read transaction.

    Raises:
        TargetUnreachableError: the server cannot be reached, or does not answer.
    """
    psycopg = driver()
    with connect(url) as connection:
        try:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresReader(connection)
        except psycopg.Error as error:
            raise TargetUnreachableError(
                f"The PostgreSQL target cannot be read: {message(error)}.", hint="Check the rights of its role."
            ) from error


def qualified(name: str) -> str:
    """``schema.name``; without a schema it is ``public``."""
    return name if "." in name else f"public.{name}"


def quote(name: str) -> str:
    """``schema.name`` as quoted identifiers."""
    schema, _, table = name.partition(".")
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, table))


@cache
def _queries() -> dict[str, str]:
    """The blocks of catalog.sql by name."""
    text = Path(__file__).with_name("catalog.sql").read_text(encoding="utf-8")
    blocks = text.split("-- name: ")[1:]
    return {name.strip(): body for name, _, body in (block.partition("\n") for block in blocks)}


def _table(row: tuple[Any, ...], columns: Iterable[Any], constraints: Iterable[Any], indexes: Iterable[Any]) -> Table:
    _oid, schema, name, kind, persistence, comment, key, bound, parents, secured, forced = row
    options = {
        "unlogged": persistence == "u",
        f"partition by {key}": key,
        f"partition {bound}": bound,
        **{f"child of {parent}": True for parent in parents},
        "row security": secured,
        "forced row security": forced,
    }
    return Table(
        schema=schema,
        name=name,
        columns=tuple(_column(*values) for values in columns),
        constraints=tuple(
            Constraint(_CONSTRAINTS[kind], name, tuple(on), text, refers)
            for kind, name, on, text, refers in constraints
        ),
        indexes=tuple(Index(name, text, unique, valid) for name, text, unique, valid in indexes),
        kind=_KINDS[kind],
        options=tuple(option for option, holds in options.items() if holds),
        comment=comment,
    )


def _column(*facts: Any) -> Column:
    name, kind, nullable, default, identity, generated, collation, comment = facts
    return Column(name, kind, nullable, default, identity or None, generated, collation, comment)


def _by_table(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row[1:])
    return groups
