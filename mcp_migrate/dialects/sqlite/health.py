"""What of a SQLite database does not hold, beside its schema? Asked of SQLite itself; nothing is changed."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mcp_migrate.dialects import values
from mcp_migrate.dialects.fetching import Fetched, Query, taken, unfetched
from mcp_migrate.dialects.sqlite.spelling import quote
from mcp_migrate.dialects.told import Counted

_STEPS_BETWEEN_LOOKS = 10_000


def faults(connection: sqlite3.Connection, *, seconds: float) -> Mapping[str, tuple[str, ...]]:
    """Views that do not compile, and rows that refer to none."""
    with _within(connection, seconds):
        views = tuple(_views(connection))
    with _within(connection, seconds):
        orphans = tuple(_orphans(connection))
    return {"views compile": views, "foreign keys hold": orphans}


def count_returned(connection: sqlite3.Connection, sql: str, *, at_most: int, seconds: float) -> Counted:
    """Count inside a query around it: what is no query does not compile there."""
    asked = f"SELECT count(*) FROM (SELECT 1 FROM ({sql.rstrip().rstrip(';')}\n) LIMIT {at_most:d})"  # noqa: S608  an admin's own query
    try:
        with _within(connection, seconds):
            [(rows,)] = connection.execute(asked)
    except sqlite3.Error as error:
        return Counted(why_not=_said(error, seconds))
    return Counted(int(rows))


def fetch(connection: sqlite3.Connection, query: Query) -> Fetched:
    """The rows one by one, so that what is too large is never held."""
    try:
        with _within(connection, query.seconds):
            cursor = connection.execute(query.around, [values.thaw(value) for value in query.row])
            return taken([column[0] for column in cursor.description], cursor)
    except sqlite3.Error as error:
        raise unfetched(_said(error, query.seconds)) from error


def _views(connection: sqlite3.Connection) -> Iterator[str]:
    """To explain a query compiles it and runs nothing of it."""
    names = connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'view' ORDER BY name").fetchall()
    for (name,) in names:
        try:
            connection.execute(f"EXPLAIN SELECT * FROM main.{quote(name)}").fetchall()  # noqa: S608  quoted
        except sqlite3.Error as error:
            yield f"main.{name}: {error}"


def _orphans(connection: sqlite3.Connection) -> Iterator[str]:
    try:
        found = Counter((row[0], row[2]) for row in connection.execute("PRAGMA main.foreign_key_check"))
    except sqlite3.Error as error:
        yield str(error)
        return
    for (table, parent), rows in sorted(found.items()):
        yield f"main.{table}: {rows} rows refer to rows of {parent} that are not there"


def _said(error: sqlite3.Error, seconds: float) -> str:
    interrupted = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT
    return f"it took longer than {seconds:g} s" if interrupted else str(error)


@contextmanager
def _within(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
