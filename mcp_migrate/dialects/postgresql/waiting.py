"""Who keeps a statement of ours waiting? Asked on a second connection while it waits: afterwards nobody knows.

Names of sessions are told, never what they sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.holders import Holder
from mcp_migrate.drivers.postgresql import connect, driver
from mcp_migrate.errors import MigrateError

if TYPE_CHECKING:
    import psycopg

_ABOUT = """
SELECT a.pid, a.usename::text, a.application_name, a.state,
    extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8
FROM pg_catalog.pg_stat_activity a
"""
_BLOCKING = f"{_ABOUT} WHERE a.pid = ANY (pg_catalog.pg_blocking_pids($1)) ORDER BY a.xact_start, a.pid"
_ADVISORY = f"""{_ABOUT} JOIN pg_catalog.pg_locks l ON l.pid = a.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND (l.classid::bigint::numeric * 4294967296) + l.objid::bigint = $1::numeric
"""  # noqa: S608  a constant
_OLD = f"""{_ABOUT} WHERE a.pid <> pg_catalog.pg_backend_pid()
    AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $2)
    AND EXISTS (
        SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation'
            AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            AND CASE WHEN $1::text[] IS NULL THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                ELSE n.nspname || '.' || c.relname = ANY ($1::text[]) END
    )
ORDER BY a.xact_start
"""  # noqa: S608  a constant
_LEAST, _LONGEST_QUESTION, _LONGEST_JOIN = 0.02, "2s", 3.0


class Watch:
    """Looks who is in the way of one session whenever a statement of it takes long. One thread, for all statements."""

    def __init__(self, url: str, pid: int, every: float) -> None:
        self._url, self._pid, self._every = url, pid, max(_LEAST, every)
        self._since: float | None = None
        self._over = threading.Event()
        self.holders: tuple[Holder, ...] = ()

    @contextmanager
    def statement(self) -> Iterator[None]:
        """While one is sent. `holders` are those that were last seen in its way."""
        self.holders, self._since = (), time.monotonic()
        try:
            yield
        finally:
            self._since = None

    @contextmanager
    def running(self) -> Iterator[Watch]:
        """The thread; it ends with the context."""
        thread = threading.Thread(target=self._look, name="mcp-migrate who waits", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join(_LONGEST_JOIN)

    def _look(self) -> None:
        """Connect when it is needed first. What goes wrong here is never the apply's trouble: nobody is named then."""
        while not self._over.wait(self._every):
            if self._late():
                try:
                    with connect(self._url) as connection:
                        connection.execute("SELECT set_config('statement_timeout', $1, false)", [_LONGEST_QUESTION])
                        self._ask_on(connection)
                except (driver().Error, MigrateError):
                    continue

    def _ask_on(self, connection: psycopg.Connection[Any]) -> None:
        while not self._over.is_set():
            if self._late():
                found = _holders(connection.execute(_BLOCKING.encode(), [self._pid]).fetchall())
                self.holders = found or self.holders
            self._over.wait(self._every)

    def _late(self) -> bool:
        since = self._since
        return since is not None and time.monotonic() - since >= self._every


def lock_owners(connection: psycopg.Connection[Any], key: int) -> tuple[Holder, ...]:
    """Who holds the advisory lock `key` of this database."""
    return _holders(connection.execute(_ADVISORY.encode(), [key]).fetchall())


def old_transactions(
    connection: psycopg.Connection[Any], tables: Collection[str] | None, seconds: float
) -> tuple[Holder, ...]:
    """Sessions whose transaction is older than that and holds a lock on one of ``schema.table``; on any without."""
    asked = None if tables is None else sorted(tables)
    return _holders(connection.execute(_OLD.encode(), [asked, seconds]).fetchall())


def _holders(rows: list[tuple[Any, ...]]) -> tuple[Holder, ...]:
    return tuple(Holder(*row) for row in rows)
