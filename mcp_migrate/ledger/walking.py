"""How are many entries read, one after the other, without holding all of them?"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate.ledger.events import Event
from mcp_migrate.ledger.store import Ledger

_PAGE = 500


def walk(ledger: Ledger, *, since: int = 0, kind: str | None = None) -> Iterator[Event]:
    """The entries from `since` on, oldest first, with those that come while it goes on."""
    while page := ledger.read(since=since, kind=kind, limit=_PAGE):
        yield from page
        since = page[-1].seq + 1
