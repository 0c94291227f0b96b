"""Which calls of a workflow make or run a plan right now, on whichever server?

Each is on the ledger before it begins, and its end is there when it ends: that is the reservation, and nothing else is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.ledger.times import first_since
from mcp_migrate.ledger.walking import walk

LONGEST = timedelta(minutes=15)
"""A call that began longer ago holds up no other: its server may have died."""


class Running:
    """The calls without an end that make or run a plan, in the order in which they began."""

    kinds = (Kind.CALL_RECEIVED, Kind.CALL_FINISHED, Kind.CALL_REFUSED)

    def __init__(self) -> None:
        self.calls: tuple[Event, ...] = ()

    def begin(self, ledger: Ledger) -> None:
        newest = ledger.last(Kind.CALL_RECEIVED)
        at = first_since(datetime.fromisoformat(newest[0].at) - LONGEST, ledger) if newest else 0
        for event in walk(ledger, since=at):
            if event.kind in self.kinds:
                self.take(event)

    def take(self, event: Event) -> None:
        others = tuple(each for each in self.calls if each.call_id != event.call_id)
        began = event.kind == Kind.CALL_RECEIVED and event.body.get("plans")
        self.calls = (*(each for each in others if _counts(each, event.at)), event) if began else others


def running_before(call_id: str, workflow: str, ledger: Ledger, *, now: datetime) -> int:
    """How many calls of `workflow` make or run a plan that began before this one, which is on the ledger."""
    mine = [each for each in ledger.current(Running).calls if each.workflow == workflow]
    before = takewhile(lambda each: each.call_id != call_id, mine)
    return sum(_counts(each, now.isoformat()) for each in before)


def _counts(call: Event, now: str) -> bool:
    return datetime.fromisoformat(call.at) > datetime.fromisoformat(now) - LONGEST
