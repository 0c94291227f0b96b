"""What of a PostgreSQL database does not hold, beside its schema? Asked of its catalogs and counters.

Views are not asked about: PostgreSQL keeps them by what they depend on, and drops nothing that one of them needs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects import values
from mcp_migrate.dialects.fetching import Fetched, Query, taken, unfetched
from mcp_migrate.dialects.postgresql.reader import quoted
from mcp_migrate.dialects.told import Counted
from mcp_migrate.drivers.postgresql import driver, message

if TYPE_CHECKING:
    import psycopg

_OURS = "mcp_migrate"
_QUERY_CANCELED = "57014"
_SYNTAX_OR_RIGHTS = "42"
"""The class of errors whose words are about the query; those of others can hold values of rows."""


def faults(
    connection: psycopg.Connection[Any], named: Callable[..., list[tuple[Any, ...]]], *, seconds: float
) -> Mapping[str, tuple[str, ...]]:
    """Invalid indexes, constraints that old rows were not held against, counters behind their columns."""
    with _asking(connection, seconds, search_path="pg_catalog, pg_temp"):
        indexes = tuple(f"{s}.{name} on {table} is invalid" for s, name, table in named("invalid_indexes", _OURS))
        unchecked = tuple(f"{s}.{table}.{name}" for s, table, name in named("unchecked_constraints", _OURS))
        counters = named("counters", _OURS)
    behind = tuple(fault for row in counters for fault in _behind(connection, row, seconds))
    return {
        "indexes are valid": indexes,
        "constraints were checked on all rows": unchecked,
        "counters are ahead of their columns": behind,
    }


def count_returned(connection: psycopg.Connection[Any], sql: str, *, at_most: int, seconds: float) -> Counted:
    """Count inside a query around it: what is no query is a syntax error there."""
    asked = f"SELECT count(*) FROM (SELECT 1 FROM ({sql.rstrip().rstrip(';')}\n) AS asked LIMIT {at_most:d}) AS first"  # noqa: S608  an admin's own query
    return _count(connection, asked, seconds)


def fetch(connection: psycopg.Connection[Any], query: Query) -> Fetched:
    """The rows one by one, so that what is too large is never held."""
    psycopg = driver()
    row = [values.thaw(value) for value in query.row] or None
    try:
        with (
            _asking(connection, query.seconds, search_path="public"),
            connection.cursor() as cursor,
            closing(_streamed(cursor, query, row)) as rows,  # left open, it would hold the connection
        ):
            first = next(rows, None)
            columns = [column.name for column in cursor.description or ()]
            return taken(columns, chain(() if first is None else (first,), rows))
    except psycopg.Error as error:
        raise unfetched(_said(error, query.seconds)) from error


def _streamed(cursor: psycopg.Cursor[Any], query: Query, row: list[Any] | None) -> Generator[Any]:
    """The rows as they come, without those after them."""
    yield from cursor.stream(query.around.encode(), row)


def _behind(connection: psycopg.Connection[Any], row: tuple[Any, ...], seconds: float) -> Iterator[str]:
    schema, name, table_schema, table, column, step, visible = row
    counter = f"{schema}.{name}, which counts for {table_schema}.{table}.{column}"
    if not visible:
        yield f"{counter}: no right to read it"
        return
    furthest, beyond = ("max", ">=") if step > 0 else ("min", "<=")
    asked = _count(
        connection,
        f"SELECT count(*) FROM {quoted(schema, name)} AS s, "  # noqa: S608  quoted
        f"(SELECT {furthest}({quoted(column)}) AS reached FROM {quoted(table_schema, table)}) AS t "
        f"WHERE t.reached::numeric {beyond} s.last_value::numeric + CASE WHEN s.is_called THEN {step:d} ELSE 0 END",
        seconds,
    )
    if asked.why_not or asked.rows:
        yield f"{counter}: {asked.why_not or 'its next value is taken already'}"


def _count(connection: psycopg.Connection[Any], sql: str, seconds: float) -> Counted:
    psycopg = driver()
    try:
        with _asking(connection, seconds, search_path="public"):
            row = connection.execute(sql.encode(), binary=True).fetchone()
    except psycopg.Error as error:
        return Counted(why_not=_said(error, seconds))
    return Counted(int(row[0]) if row else 0)


@contextmanager
def _asking(connection: psycopg.Connection[Any], seconds: float, *, search_path: str) -> Iterator[None]:
    """Within a time, and afterwards as before: an error does not end the transaction around it."""
    connection.execute("SAVEPOINT mcp_migrate_asks")
    try:
        connection.execute("SELECT pg_catalog.set_config('statement_timeout', $1, true)", [f"{seconds * 1000:.0f}ms"])
        connection.execute("SELECT pg_catalog.set_config('search_path', $1, true)", [search_path])
        yield
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK TO SAVEPOINT mcp_migrate_asks")
            connection.execute("RELEASE SAVEPOINT mcp_migrate_asks")


def _said(error: Any, seconds: float) -> str:
    if error.sqlstate == _QUERY_CANCELED:
        return f"it took longer than {seconds:g} s"
    if error.sqlstate and error.sqlstate.startswith(_SYNTAX_OR_RIGHTS):
        return message(error)
    return f"the database answered with error {error.sqlstate}"
