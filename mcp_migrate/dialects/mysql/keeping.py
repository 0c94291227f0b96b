"""Whose time is over of the undo data in a MySQL or MariaDB database? That is removed, and nothing else."""

from __future__ import annotations

from collections.abc import Collection

from mcp_migrate.dialects.mysql.marks import lock_name, take_lock
from mcp_migrate.dialects.mysql.preserve import MANIFEST, MysqlKeeper
from mcp_migrate.dialects.mysql.reader import MysqlReader
from mcp_migrate.dialects.mysql.trouble import locked
from mcp_migrate.dialects.mysql.waiting import lock_owner
from mcp_migrate.dialects.wording import numbered
from mcp_migrate.drivers.mysql import connect, driver, message
from mcp_migrate.errors import TargetUnreachableError

_WAIT_SECONDS = 3.0
_OVER = f"""
SELECT `key`, place FROM {MANIFEST} WHERE `key` IN (
    SELECT m.`key` FROM {MANIFEST} AS m GROUP BY m.`key` HAVING max(m.until) <= utc_timestamp())
"""  # noqa: S608  a constant


def prune(url: str, *, keys: Collection[str]) -> tuple[str, ...]:
    """Remove what was kept under these keys, where the database's own clock says that its time is over.

    A line of the manifest goes last: where the server ends in between, the next call finds it again.

    Raises:
        LockedError: an apply is running. TargetUnreachableError: it cannot be removed.
    """
    keeper = MysqlKeeper()
    with connect(url) as connection:
        reader = MysqlReader(connection, url)
        if not take_lock(connection, reader.database, _WAIT_SECONDS):
            raise locked(lock_owner(reader, lock_name(reader.database)))
        try:
            found = [(str(key), str(place)) for key, place in reader.ask(_OVER)]
            over = [(key, place) for key, place in found if key in keys and numbered(keeper, key, place)]
            for sql in (sql for key, place in over for sql in keeper.removed(key, place)):
                reader.ask(sql)
        except driver().Error as error:
            raise TargetUnreachableError(
                f"Undo data cannot be removed: {message(error)}.", hint="Check the rights of the target's user."
            ) from error
    return tuple(dict.fromkeys(key for key, _place in over))
