"""Whose time is over of the undo data in a SQLite database? That is removed, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing

from mcp_migrate.dialects.sqlite.preserve import MANIFEST, SqliteKeeper
from mcp_migrate.dialects.sqlite.reader import sqlite_path, unreachable
from mcp_migrate.dialects.wording import numbered
from mcp_migrate.errors import LockedError

_WAIT_SECONDS = 3.0
_OVER = f"""
SELECT "key", place FROM {MANIFEST} WHERE "key" IN (
    SELECT "key" FROM {MANIFEST} GROUP BY 1 HAVING max(until) <= strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
"""  # noqa: S608  a constant


def prune(url: str, *, keys: Collection[str]) -> tuple[str, ...]:
    """Remove what was kept under these keys, where the database's own clock says that its time is over.

    Raises:
        LockedError: another session is writing. TargetUnreachableError: the file cannot be written.
    """
    path, keeper = sqlite_path(url), SqliteKeeper()
    with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            over = [row for row in connection.execute(_OVER) if row[0] in keys and numbered(keeper, *row)]
            for sql in (sql for key, place in over for sql in keeper.removed(key, place)):
                connection.execute(sql)
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise LockedError(f"Another session is writing to {path.name}.", hint="Try again later.") from error
            raise unreachable(path, str(error)) from error
    return tuple(dict.fromkeys(key for key, _place in over))
