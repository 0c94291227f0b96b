"""What of a MySQL or MariaDB database does not hold, beside its schema? Asked of the server.

Counters are not asked about: the engines never let one fall behind its column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.fetching import Fetched, Query, taken, unfetched
from mcp_migrate.dialects.mysql.freeze import filled
from mcp_migrate.dialects.told import Counted
from mcp_migrate.drivers.mysql import code, driver, message, quote

if TYPE_CHECKING:
    import pymysql

    from mcp_migrate.dialects.mysql.reader import MysqlReader

_TOO_LONG = frozenset({1969, 3024})
_ABOUT_THE_QUERY = frozenset({1044, 1045, 1049, 1054, 1060, 1064, 1142, 1143, 1146, 1305, 1356, 1370})
"""Errors whose words are about the query and rights; those of others can hold values of rows."""


def faults(reader: MysqlReader, *, seconds: float) -> Mapping[str, tuple[str, ...]]:
    """Views that name what is not there any more."""
    with _within(reader, seconds):
        views = tuple(_views(reader, seconds))
    return {"views compile": views}


def count_returned(reader: MysqlReader, sql: str, *, at_most: int, seconds: float) -> Counted:
    """Count inside a query around it: what is no query is a syntax error there."""
    asked = f"SELECT count(*) FROM (SELECT 1 FROM ({sql.rstrip().rstrip(';')}\n) AS asked LIMIT {at_most:d}) AS first"  # noqa: S608  an admin's own query
    try:
        with _within(reader, seconds):
            [(rows,)] = reader.ask(asked)
    except driver().Error as error:
        return Counted(why_not=_said(error, seconds))
    return Counted(int(rows))


def fetch(reader: MysqlReader, connection: pymysql.Connection[Any], query: Query) -> Fetched:
    """The rows as they are; the driver reads all of them at once."""
    text = filled(query.around, query.row, lambda value: str(connection.escape(value, connection.encoders)))
    try:
        with _within(reader, query.seconds), connection.cursor() as cursor:
            cursor.execute(text)
            return taken([column[0] for column in cursor.description or ()], cursor.fetchall())
    except driver().Error as error:
        raise unfetched(_said(error, query.seconds)) from error


def _views(reader: MysqlReader, seconds: float) -> Iterator[str]:
    """To list the columns of a view compiles it; to explain a query of it can run parts of it."""
    for (name,) in reader.named_block("view names"):
        try:
            reader.ask(f"SHOW COLUMNS FROM {quote(reader.database, name)}")
        except driver().Error as error:
            yield f"{reader.named}.{name}: {_said(error, seconds)}"


@contextmanager
def _within(reader: MysqlReader, seconds: float) -> Iterator[None]:
    """MariaDB counts in seconds, MySQL in thousandths."""
    name, value = (
        ("max_statement_time", seconds) if reader.mariadb else ("max_execution_time", max(1, round(seconds * 1000)))
    )
    [(before,)] = reader.ask(f"SELECT @@SESSION.{name}")
    reader.ask(f"SET SESSION {name} = %s", value)
    try:
        yield
    finally:
        reader.ask(f"SET SESSION {name} = %s", before)


def _said(error: BaseException, seconds: float) -> str:
    if code(error) in _TOO_LONG:
        return f"it took longer than {seconds:g} s"
    return message(error) if code(error) in _ABOUT_THE_QUERY else f"the database answered with error {code(error)}"
