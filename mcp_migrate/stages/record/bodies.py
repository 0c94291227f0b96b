"""What do the larger entries say?"""

from __future__ import annotations

from typing import Any

from mcp_migrate.model import Approved, Classified, Plan
from mcp_migrate.settings import Settings


def public(settings: Settings) -> dict[str, list[str]]:
    """The keys themselves, so that what they signed can be verified when they are in no configuration any more."""
    return {name: [*who.ssh_keys, *who.passkeys] for name, who in settings.reviewers.items()}


def start(approved: Approved, *, checked: bool) -> dict[str, Any]:
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
        "rule": rule(approved.permitted.classified),
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


def words(plan: Plan | None) -> str:
    """All that a plan says in SQL: names that are in it are no rows."""
    return "\n".join(statement.sql for statement in plan.statements) if plan else ""


def rule(classified: Classified) -> dict[str, Any]:
    return {"effects": sorted(classified.effects), "objects": list(classified.objects)}
