"""What would policy say to a call like this? Asked of the configuration alone: no target, no plan, no record.

The same stages judge as in a real call. What is around one (a freeze, how often somebody called, who took the steps
before, what a scope's `while` asks) is left out, and what would be planned counts as having no way back. Nobody says
which client calls, or from where, so that a scope for some clients or networks fits none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from mcp_migrate.approvals.demands import quorum
from mcp_migrate.errors import MigrateError
from mcp_migrate.leave.circumstances import Circumstances
from mcp_migrate.model import Approved, Call, Caller, Effect, Prepared, Statement
from mcp_migrate.settings import Settings
from mcp_migrate.stages import authorise, classify

Outcome = Literal["allow", "ask", "deny"]


@dataclass(frozen=True, slots=True)
class Question:
    """One call: who, which tool by its scope's name, where, and what its statements would do."""

    principal: str
    scope_name: str
    at: datetime
    target: str | None = None
    effects: frozenset[Effect] = frozenset({Effect.READ})
    objects: tuple[str, ...] = ()
    rows: int = 0
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is the sentence that a caller would get, or the scope and rules; `asks` how many people of which group."""

    outcome: Outcome
    why: str
    asks: Mapping[str, int]

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {"outcome": self.outcome, "why": self.why, "asks": dict(self.asks)}


def simulate(question: Question, settings: Settings) -> Verdict:
    """The verdict on one question."""
    call = Call(
        "call_simulated",
        question.scope_name,
        {},
        "simulated",
        Caller(question.principal),
        question.at,
        question.target,
        question.ticket,
    )
    try:
        _name, workflow = settings.workflow_of(question.principal)
        alone = Circumstances(opened=frozenset(range(len(workflow.scopes))), runs=False)
        granted = authorise.grant(call, settings, alone, scope_name=question.scope_name)
        changes = bool(question.effects - {Effect.READ})
        work = _nothing if changes else None
        prepared = Prepared(granted, work=work, effects=question.effects, objects=question.objects)
        judged = replace(classify.classify(prepared, settings), rows={"": question.rows})
        permitted = authorise.permit(judged, settings, alone)
    except MigrateError as error:
        return Verdict("deny", f"{error.code}: {error.sentence}", {})
    asked = quorum(judged, settings) if changes else None
    if asked is None:
        return Verdict("allow", f"scope {permitted.scope}", {})
    why = "; ".join(f"{demand.rule}: {demand.why}" for demand in asked.demands)
    return Verdict("ask", f"scope {permitted.scope}; {why}", dict(asked.by_group))


def _nothing(approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:  # noqa: ARG001  a `Work`
    """What a simulated call does; nobody ever calls it."""
    return {}
