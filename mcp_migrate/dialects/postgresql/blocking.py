"""Who is in the way of a statement that waits for a lock? The server is asked while it waits; later nobody knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from mcp_migrate.dialects.postgresql.connection import connect, driver
from mcp_migrate.errors import TargetUnreachableError

_ASK = """
SELECT a.pid, a.usename::text, nullif(a.application_name, ''), a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8
FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS b (pid)
JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
ORDER BY a.xact_start
"""
_MOST = 5
_SHORTEST = 0.02


class Blockers:
    """Looks after a while of waiting, again and again, through a connection of its own that only reads."""

    def __init__(self, url: str, pid: int, *, after: float) -> None:
        self._url, self._pid, self._after = url, pid, after
        self._since: float | None = None
        self._ended = threading.Event()
        self._found: tuple[Mapping[str, Any], ...] = ()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While one statement runs; what was in the way of the one before it is forgotten."""
        self._found, self._since = (), time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def told(self) -> dict[str, Any]:
        """Who was seen last, for the details of a refusal. Nothing of what they do: that may hold values."""
        return {"in_the_way": [dict(each) for each in self._found]} if self._found else {}

    def sentence(self) -> str:
        """The same as words, to stand behind what failed."""
        if not self._found:
            return ""
        first = self._found[0]
        who = f"process {first['pid']}" + (f" of {first['user']}" if first["user"] else "")
        program = f" ({first['application']})" if first["application"] else ""
        age = first["transaction_seconds"]
        held = f", whose transaction is open for {age:.0f} s" if age is not None else ""
        more = f", and {len(self._found) - 1} more" if len(self._found) > 1 else ""
        return f": in the way is {who}{program}{held}{more}"

    def look_now_and_then(self) -> None:
        """Until the end; the thread's work."""
        while not self._ended.wait(self._after):
            since = self._since
            if since is not None and time.monotonic() - since >= self._after:
                self._look()

    def end(self) -> None:
        """No statement follows."""
        self._ended.set()

    def _look(self) -> None:
        with suppress(TargetUnreachableError, driver().Error), connect(self._url) as connection:
            rows = connection.execute(_ASK.encode(), [self._pid]).fetchall()
            names = ("pid", "user", "application", "state", "transaction_seconds")
            if rows:  # it waits no longer, or for us: what was seen before is still the reason
                self._found = tuple(dict(zip(names, row, strict=True)) for row in rows[:_MOST])


@contextmanager
def blockers(url: str, pid: int, *, lock_timeout: float) -> Iterator[Blockers]:
    """Watch the session `pid` until the context is left."""
    found = Blockers(url, pid, after=max(lock_timeout / 3, _SHORTEST))
    thread = threading.Thread(target=found.look_now_and_then, name="blockers", daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.end()
        thread.join()
