"""Who keeps a statement of ours waiting? As far as MySQL and MariaDB tell: they name open transactions, not blockers.

To see those of other users takes the right PROCESS; without it nobody is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_migrate.dialects.holders import Holder
from mcp_migrate.drivers.mysql import driver

if TYPE_CHECKING:
    from mcp_migrate.dialects.mysql.reader import MysqlReader

_OPEN = """
SELECT t.trx_mysql_thread_id, p.user, p.command, TIMESTAMPDIFF(SECOND, t.trx_started, NOW())
FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
WHERE t.trx_mysql_thread_id <> CONNECTION_ID() AND p.db = DATABASE()
    AND t.trx_started <= NOW() - INTERVAL %s SECOND
ORDER BY t.trx_started
"""


def open_transactions(reader: MysqlReader, *, older: float = 0) -> tuple[Holder, ...]:
    """The transactions of other sessions in this database: each of them may hold the lock that was wanted."""
    try:
        rows = reader.ask(_OPEN, int(older))
    except driver().Error:
        return ()
    return tuple(
        Holder(int(pid), user=user, state=state, seconds=float(seconds), certain=False)
        for pid, user, state, seconds in rows
    )


def lock_owner(reader: MysqlReader, name: str) -> tuple[Holder, ...]:
    """The session that holds a named lock."""
    try:
        [(pid,)] = reader.ask("SELECT IS_USED_LOCK(%s)", name)
    except driver().Error:
        return ()
    return (Holder(int(pid)),) if pid is not None else ()
