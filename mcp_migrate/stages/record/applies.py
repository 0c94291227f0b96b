"""Which entries does an apply leave when it starts, and what do they say when it fails?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Approved, Plan
from mcp_migrate.redaction import Redactor, told
from mcp_migrate.stages.record import bodies


def started(approved: Approved, apply_id: str, *, checked: bool) -> Iterator[Draft]:
    """The approvals that it uses up, its start, and the question to the others where one person acted alone."""
    granted = approved.prepared.granted
    workflow, call_id = granted.workflow, granted.call.call_id
    for name in filter(None, (approved.request_id, *approved.nonces)):
        used = {"apply_id": apply_id}
        yield Draft(Kind.APPROVAL_CONSUMED, used, workflow=workflow, call_id=call_id, subject=name)
    body = _body(approved, checked=checked)
    yield Draft(Kind.STEP_STARTED, body, workflow=workflow, call_id=call_id, subject=apply_id)
    if approved.review is not None:
        review_id = approved.review["request_id"]
        yield Draft(Kind.APPROVAL_REQUESTED, approved.review, workflow=workflow, subject=review_id)


def _body(approved: Approved, *, checked: bool) -> dict[str, Any]:
    granted, plan = approved.prepared.granted, approved.prepared.plan
    return {
        "tool": granted.call.tool,
        "target": granted.call.target,
        "principal": granted.call.principal,
        "caller": granted.call.caller.told(),
        "intent": granted.call.intent,
        "plan_id": plan.plan_id if plan else None,
        "plan": plan.frozen() if plan else None,
        "request_id": approved.request_id,
        "reviewers": list(approved.reviewers),
        "scope": approved.permitted.scope,
        "rule": bodies.rule(approved.permitted.classified),
        "undoes": approved.prepared.undoes,
        "broken_glass": approved.review["reviews"] if approved.review else None,
        "covers_rollback_until": approved.covers_until.isoformat() if approved.covers_until else None,
        "automatic": approved.automatic.told() if approved.automatic else None,
        **(_tried(plan) if plan and granted.call.tool == "migration_rollback" else {}),
        "covered_by": approved.covered.told() if approved.covered else None,
        "by_statement": True,
        "auto_rollback": checked,
    }


def _tried(plan: Plan) -> dict[str, Any]:
    """How it did on a scratch database, or why it was not tried: no other entry says so where nobody was asked."""
    seen = {"rehearsal": plan.rehearsal.told() if plan.rehearsal else None}
    return {**seen, **({"untried": plan.untried} if plan.untried else {})}


def failed(approved: Approved, error: MigrateError, redactor: Redactor) -> dict[str, Any]:
    """What went wrong, without values of rows that a database may quote."""
    known = bodies.words(approved.prepared.plan)
    return {
        "status": "partially_applied" if error.code == "partially_applied" else "failed",
        "target": approved.call.target,
        "code": error.code,
        "sentence": told.failed(error, redactor, known=known),
        "details": told.details(error, redactor, known=known),
    }
