"""How is a plan made, found again, and shown?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mcp_migrate.approvals.demands import narrower, told
from mcp_migrate.errors import PlanExpiredError, PlanNotFoundError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Classified, Effect, Judgement, Plan, Quorum, Statement
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.live import Live

_SHOWN_SQL = 2_000
_SHOWN_TOTAL = 24_000
"""Characters of SQL in one answer: clients cut results of about 50 kB."""
_WHERE_THERE_IS_ONE = ("objects", "lock", "blocks", "rewrites", "scans", "accepted", "safer")


def make_plan(database: Database, live: Live, to: str) -> Plan:
    """Render the way from where the target is to `to`, on a scratch database.

    Raises:
        RenderFailedError: the project cannot be rendered. RehearsalFailedError: no scratch database.
    """
    live.revision  # noqa: B018  several rows in the version table are refused before anything is rendered
    return database.project.plan(
        database.name,
        database.dialect,
        database.url,
        current=live.revisions,
        to=to,
        schema=live.schema,
        version_table=database.version_table,
    )


def find_plan(ledger: Ledger, plan_id: str, *, now: datetime | None) -> Plan:
    """The frozen plan with this id.

    Raises:
        PlanNotFoundError: nobody made it. PlanExpiredError: it is too old, if `now` is given.
    """
    events = ledger.find(Kind.PLAN_FROZEN, plan_id)
    if not events:
        raise PlanNotFoundError(f"There is no plan {plan_id[:80]!r}.", hint="Call migration_plan first.")
    newest = events[-1].body
    if now is not None and datetime.fromisoformat(newest["expires_at"]) <= now:
        raise PlanExpiredError(f"Plan {plan_id} expired at {newest['expires_at']}.", hint="Plan again.")
    return Plan.thaw(newest["plan"])


def show_plan(classified: Classified, quorum: Quorum | None) -> Mapping[str, Any]:
    """The plan as its reader sees it: what is lost and whether there is a way back come first."""
    plan = classified.prepared.plan
    if plan is None:
        raise TypeError("there is no plan to show")
    return {
        "summary": summary(plan, classified),
        "plan_id": plan.plan_id,
        "digest": plan.digest,
        "target": plan.target,
        "from_revision": plan.from_revision,
        "to_revision": plan.to_revision,
        "effects": sorted(classified.effects),
        "rollback": _rollback(plan, classified),
        "blast_radius": {
            "tables": sorted(classified.rows),
            "rows": dict(classified.rows),
            "rows_total": classified.total_rows,
        },
        "rehearsal": {
            "ran": True,  # a plan is what a scratch database was sent, there and back
            "faithful": plan.expected_fingerprint is not None,
            "rollback_restored": plan.reverse.restores_schema,
            "cage": plan.cage,
        },
        "approval": _approval(quorum, classified),
        "doubts": list(plan.doubts),
        "statements": statements(plan.statements, classified.judgements),
        "statements_total": len(plan.statements),
        "next": _next(plan, quorum),
    }


def summary(plan: Plan, classified: Classified) -> str:
    """One line: how much, what is lost, and the way back."""
    changes = sum(statement.kind == "change" for statement in plan.statements)
    lost = sorted({name for j in classified.judgements if Effect.DESTRUCTIVE in j.effects for name in j.objects})
    parts = [] if plan.reverse.available else ["THERE IS NO WAY BACK"]
    noun = "statement" if changes == 1 else "statements"
    parts.append(f"{changes} {noun}, {plan.from_revision or 'base'} to {plan.to_revision or 'base'}")
    if lost:
        parts.append(f"destroys {', '.join(lost[:8])} ({classified.total_rows} rows concerned)")
        if plan.reverse.available:
            parts.append("rolling back restores the schema, not the data")
    return "; ".join(parts) + "."


def statements(frozen: tuple[Statement, ...], judgements: tuple[Judgement, ...]) -> list[Mapping[str, Any]]:
    """Each statement with what it does; long texts are cut, with the length told."""
    judged = {judgement.n: judgement for judgement in judgements}
    shown: list[Mapping[str, Any]] = []
    room = _SHOWN_TOTAL
    for statement in frozen:
        sql = _cut(statement.sql, min(_SHOWN_SQL, room))
        room -= len(sql) + 200
        if room <= 0:
            shown.append({"n": statement.n, "note": f"{len(frozen) - len(shown)} more statements are not shown"})
            break
        shown.append({**_head(statement, sql), **_judged(judged.get(statement.n))})
    return shown


def _head(statement: Statement, sql: str) -> dict[str, Any]:
    head: dict[str, Any] = {"n": statement.n, "revision": statement.revision, "sql": sql}
    if statement.parameters:
        head["parameter_rows"] = len(statement.parameters)
    if not statement.transactional:
        head["transactional"] = False
    return head


def _judged(judgement: Judgement | None) -> dict[str, Any]:
    if judgement is None:
        return {}
    said = judgement.told()
    judged = {name: said[name] for name in ("effects", "rule", "why")}
    judged |= {name: said[name] for name in _WHERE_THERE_IS_ONE if said[name]}
    if not judgement.transactional:
        judged["transactional"] = False
    if judgement.effects - {Effect.READ}:
        judged["reversible"] = judgement.reversible
    return judged


def _rollback(plan: Plan, classified: Classified) -> Mapping[str, Any]:
    loses = bool(classified.effects & {Effect.DESTRUCTIVE, Effect.DATA, Effect.UNKNOWN})
    return {
        "available": plan.reverse.available,
        "restores_schema": plan.reverse.restores_schema,
        "restores_data": plan.reverse.available and not loses,
        "statements": [_cut(s.sql, 300) for s in plan.reverse.statements if s.kind == "change"][:20],
        "why_not": plan.reverse.why_not,
    }


def _approval(quorum: Quorum | None, classified: Classified) -> Mapping[str, Any]:
    if quorum is None:
        return {"required": False}
    return {
        "required": True,
        "rule": list(quorum.rules),
        "because": told(quorum),
        "narrower": narrower(quorum.demands, classified),
        "quorum": quorum.count,
        "reviewers": sorted(quorum.groups) or "any enrolled reviewer",
        "assurance": quorum.assurance,
    }


def _next(plan: Plan, quorum: Quorum | None) -> Mapping[str, str]:
    if not plan.statements:
        return {"action": "none", "hint": "The target is already there; nothing would run."}
    if quorum is None:
        return {"action": "apply", "hint": "Call migration_apply with this plan_id; it runs at once."}
    return {
        "action": "apply",
        "hint": "Call migration_apply with this plan_id; it asks people to approve and returns approval_required.",
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: max(limit, 0)]}… ({len(text)} characters)"
