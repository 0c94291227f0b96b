"""How does a session for one apply begin on a MySQL or MariaDB server? Locked and limited."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.mysql.marks import lock_name, take_lock
from mcp_migrate.dialects.mysql.trouble import locked
from mcp_migrate.dialects.mysql.waiting import lock_owner
from mcp_migrate.dialects.mysql.writer import MysqlWriter, refuse_control, until_committed
from mcp_migrate.drivers.mysql import connect, driver, message
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.model import Statement

if TYPE_CHECKING:
    import pymysql


@contextmanager
def open_writer(url: str, statements: Sequence[Statement], *, limits: Limits) -> Iterator[MysqlWriter]:
    """The session for exactly these statements; commits when it is left without an exception.

    Raises:
        TargetUnreachableError: the server cannot be reached.
        LockedError: another apply runs on this database.
        ValidationFailedError: a statement would take the session out of our hands.
    """
    refuse_control(statements)
    with connect(url) as connection:
        yield from until_committed(_opened(connection, url, statements, limits))


def _opened(
    connection: pymysql.Connection[Any], url: str, statements: Sequence[Statement], limits: Limits
) -> MysqlWriter:
    try:
        writer = MysqlWriter(connection, url, statements)
        if not take_lock(connection, writer.database, limits.lock_timeout):
            raise locked(lock_owner(writer, lock_name(writer.database)))
        for name, value in _session(limits, mariadb=writer.mariadb).items():
            writer.ask(f"SET SESSION {name} = %s", value)
        writer.ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # rows that are copied stay as they are
        writer.begin()
    except driver().Error as error:
        raise TargetUnreachableError(
            f"No session for this apply: {message(error)}.", hint="Check the rights of the target's user."
        ) from error
    return writer


def _session(limits: Limits, *, mariadb: bool) -> dict[str, float]:
    """How long to wait, in whole seconds for locks. MySQL itself ends nothing but a SELECT for taking too long."""
    wait = max(1, math.ceil(limits.lock_timeout))
    most = limits.statement_timeout
    longest = {"max_statement_time": most} if mariadb else {"max_execution_time": round(most * 1000)}
    fresh = {} if mariadb else {"information_schema_stats_expiry": 0}  # how far a table has counted, as of now
    return {"lock_wait_timeout": wait, "innodb_lock_wait_timeout": wait, **longest, **fresh}
