"""Which applies have no outcome on the record, and how far did they say they came?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_migrate.ledger import Event, Kind, Ledger


class Open:
    """The steps without an outcome, in the order in which they began."""

    kinds = (Kind.STEP_STARTED, Kind.STEP_FINISHED)

    def __init__(self) -> None:
        self.steps: tuple[Event, ...] = ()

    def begin(self, ledger: Ledger) -> None:
        self.steps = ledger.unanswered(Kind.STEP_STARTED, Kind.STEP_FINISHED, where={})

    def take(self, event: Event) -> None:
        others = tuple(each for each in self.steps if each.subject != event.subject)
        self.steps = (*others, event) if event.kind == Kind.STEP_STARTED else others


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What one ledger says of steps that began."""

    ledger: Ledger

    def in_flight(self, target: str) -> tuple[Event, ...]:
        """The applies of plans on a target whose outcome is not on the record."""
        started = self.ledger.current(Open).steps
        return tuple(event for event in started if event.body["plan"] and event.body["target"] == target)

    def is_open(self, apply_id: str) -> bool:
        """Whether this step has no outcome yet."""
        return not self.ledger.find(Kind.STEP_FINISHED, apply_id)

    def overtaken(self, apply_id: str) -> bool:
        """Whether another apply of the same target stopped part way since this one began."""
        [started, *_] = self.ledger.find(Kind.STEP_STARTED, apply_id)
        where: dict[str | tuple[str, ...], str] = {"target": str(started.body["target"]), "status": "partially_applied"}
        return any(event.seq > started.seq for event in self.ledger.last(Kind.STEP_FINISHED, where=where))

    def began(self, started: Event) -> Mapping[int, bool] | None:
        """The statements outside of transactions of which an apply did not say that they ended, or left nothing.

        With each whether the target was clear of what it leaves when it fails. None where it was not written down: its
        server was older.
        """
        if not started.body.get("by_statement"):
            return None
        apply_id = str(started.subject)
        ended = {e.body["n"]: e.body for e in self.ledger.find(Kind.STATEMENT_FINISHED, apply_id)}
        sent = {e.body["n"]: e.body["clear"] for e in self.ledger.find(Kind.STATEMENT_STARTED, apply_id)}
        return {n: clear for n, clear in sent.items() if n not in ended or ended[n]["uncertain"]}
