"""Which plans were applied, and what came of them? Read from the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from mcp_migrate.dialects.sequence import whole
from mcp_migrate.errors import ApplyNotFoundError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import Approved, Plan, Statement

_LOOKED_BACK = (5, 200)
"""Steps of one target, as many as mostly tell and as many as are looked through: those of others, and attempts that
fail, push nothing out of sight that stands."""


@dataclass(frozen=True, slots=True)
class Apply:
    """One execution of a plan. `outcome` is None while it runs, or when its server died."""

    apply_id: str
    started: Event
    outcome: Mapping[str, Any] | None

    @property
    def plan(self) -> Plan:
        return Plan.thaw(self.started.body["plan"])

    @property
    def applied(self) -> bool:
        return self.outcome is not None and self.outcome["status"] == "applied"

    def shown(self) -> Mapping[str, Any]:
        """The JSON form for callers."""
        plan, until = self.plan, self.started.body.get("covers_rollback_until")
        return {
            "apply_id": self.apply_id,
            "plan_id": plan.plan_id,
            "from_revision": plan.from_revision,
            "to_revision": plan.to_revision,
            "started_at": self.started.at,
            "intent": self.started.body["intent"],
            "status": self.outcome["status"] if self.outcome else "in_flight",
            "reviewers": self.started.body["reviewers"],
            **({"rollback_covered_until": until} if until else {}),
        }


def find_apply(ledger: Ledger, apply_id: str) -> Apply:
    """The apply with this id. Raises: ApplyNotFoundError."""
    events = ledger.find(Kind.STEP_STARTED, apply_id)
    if not events or events[0].body["plan"] is None:
        raise ApplyNotFoundError(
            f"There is no apply {apply_id[:80]!r}.", hint="migration_status lists the last applies."
        )
    return _with_outcome(ledger, apply_id, events[0])


def applies_back(ledger: Ledger, target: str) -> Iterator[Apply]:
    """The applies on a target, newest first, each looked up when it is asked for."""
    told = 0
    for limit in _LOOKED_BACK:
        steps = ledger.last(Kind.STEP_STARTED, limit=limit, where={"target": target})
        for event in steps[told:]:
            if event.body["plan"]:
                yield _with_outcome(ledger, str(event.subject), event)
        told = len(steps)
        if told < limit:
            return


def last_applies(ledger: Ledger, target: str, *, limit: int) -> list[Apply]:
    """The newest applies on a target, newest first."""
    return list(islice(applies_back(ledger, target), limit))


def run_plan(approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
    """The work of applying: each frozen statement, in order."""
    plan = approved.prepared.plan
    if plan is None:
        raise TypeError("there is no plan to run")
    for statement in plan.statements:
        whole(statement, run)
    return applied(approved)


def applied(approved: Approved) -> Mapping[str, Any]:
    """What is said of a plan that ran."""
    plan = approved.prepared.plan
    if plan is None:
        raise TypeError("there is no plan that could have run")
    action = {"action": "validate", "hint": "Call migration_validate with this apply_id."}
    until = {"rollback_covered_until": approved.covers_until.isoformat()} if approved.covers_until else {}
    return {"plan_id": plan.plan_id, "undo_until": undo_until(plan, approved.call.at), **until, "next": action}


def undo_until(plan: Plan, at: datetime) -> str | None:
    """Until when undo data of an apply that began then is kept for certain."""
    if plan.undo is None or not plan.undo.kept:
        return None
    return (at + timedelta(seconds=plan.undo.keep_seconds)).isoformat()


def _with_outcome(ledger: Ledger, apply_id: str, started: Event) -> Apply:
    finished = ledger.find(Kind.STEP_FINISHED, apply_id)
    return Apply(apply_id, started, finished[-1].body if finished else None)
