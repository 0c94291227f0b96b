"""Which entries were made since a moment? Found by halving, since their order is that of their times.

What was made while a clock was wrong may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mcp_migrate.ledger.events import Event
from mcp_migrate.ledger.store import Ledger
from mcp_migrate.ledger.walking import walk


def made_since(moment: datetime, kind: str, ledger: Ledger) -> Iterator[Event]:
    """The entries of a kind from then on, oldest first."""
    there = walk(ledger, since=first_since(moment, ledger), kind=kind)
    return (event for event in there if datetime.fromisoformat(event.at) >= moment)


def first_since(moment: datetime, ledger: Ledger) -> int:
    """The number of about the first entry since then."""
    low, high = 0, ledger.size()
    while low < high:
        middle = (low + high) // 2
        found = ledger.read(since=middle, limit=1)
        if found and datetime.fromisoformat(found[0].at) < moment:
            low = found[0].seq + 1
        else:
            high = middle
    return low
