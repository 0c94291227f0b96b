"""Whose time is over of the undo data in a PostgreSQL database? That is removed, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from mcp_migrate.dialects.postgresql.parking import hidden_column
from mcp_migrate.dialects.postgresql.preserve import PostgresKeeper
from mcp_migrate.dialects.postgresql.reader import MANIFEST, quoted
from mcp_migrate.dialects.postgresql.sending import store_of
from mcp_migrate.dialects.postgresql.writer import take_lock
from mcp_migrate.dialects.wording import numbered
from mcp_migrate.drivers.postgresql import connect, driver, message
from mcp_migrate.errors import TargetUnreachableError

_WAIT_SECONDS = 3.0
_OVER = f"""
SELECT key, place FROM {MANIFEST} WHERE key = ANY($1) AND key IN (
    SELECT key FROM {MANIFEST} GROUP BY 1 HAVING max(until) <= now())
"""  # noqa: S608  a constant
_WHERE = """
SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attname = $1 AND NOT a.attisdropped AND c.relkind = 'r'
"""


def prune(url: str, *, keys: Collection[str]) -> tuple[str, ...]:
    """Remove what was kept under these keys, where the database's own clock says that its time is over.

    Raises:
        LockedError: an apply is running. TargetUnreachableError: it cannot be removed.
    """
    keeper = PostgresKeeper()
    with connect(url) as connection:
        take_lock(connection, _WAIT_SECONDS)
        try:
            if store := store_of(lambda sql, *values: connection.execute(sql.encode(), values or None).fetchall()):
                removed = connection.execute(f"SELECT {store}.prune($1)".encode(), [list(keys)]).fetchall()
                return tuple(dict.fromkeys(str(key) for (key,) in removed))
            with connection.transaction():
                found = connection.execute(_OVER.encode(), [list(keys)]).fetchall()
                over = [(str(key), str(place)) for key, place in found if _ours(keeper, key, place)]
                for sql in (sql for key, place in over for sql in _removed(connection, keeper, key, place)):
                    connection.execute(sql.encode())
        except driver().Error as error:
            raise TargetUnreachableError(
                f"Undo data cannot be removed: {message(error)}.", hint="Check the rights of the target's role."
            ) from error
    return tuple(dict.fromkeys(key for key, _place in over))


def _ours(keeper: PostgresKeeper, key: str, place: str) -> bool:
    return numbered(keeper, key, place) or hidden_column(key, place) is not None


def _removed(connection: Any, keeper: PostgresKeeper, key: str, place: str) -> Iterator[str]:
    """What removes it: a parked column is dropped where it is, whatever its table is called by now."""
    column = hidden_column(key, place)
    tables = connection.execute(_WHERE.encode(), [column]).fetchall() if column else ()
    yield from (f"ALTER TABLE {quoted(schema, table)} DROP COLUMN {column}" for schema, table in tables)
    yield from keeper.removed(key, place)
