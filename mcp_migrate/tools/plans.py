"""How is a plan made, found again, and shown?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mcp_migrate.approvals.demands import narrower, told
from mcp_migrate.approvals.matching import restores_data
from mcp_migrate.errors import PlanExpiredError, PlanNotFoundError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.migrations.undo import Target, protect
from mcp_migrate.model import Classified, Effect, Judgement, Plan, Quorum, Rehearsal, Statement, Unmet
from mcp_migrate.schema import Schema
from mcp_migrate.schema.neighbourhood import afterwards
from mcp_migrate.tools import preconditions
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.live import Live

_SHOWN_SQL = 2_000
_SHOWN_TOTAL = 24_000
"""Characters of SQL in one answer: clients cut results of about 50 kB."""
_SHOWN_OURS = 200
"""Of a statement that the server adds, to keep rows and to move the version: `why` says what it does."""
_SHOWN_SLOWEST = 3
_SHOWN_REASON = 300
_SHOWN_LOCKS = 50
_WHERE_THERE_IS_ONE = ("objects", "lock", "blocks", "rewrites", "scans", "accepted", "safer")


def make_plan(database: Database, live: Live, to: str) -> Plan:
    """Render the way from where the target is to `to`, on a scratch database.

    Raises:
        RenderFailedError: the project cannot be rendered. RehearsalFailedError: no scratch database.
    """
    live.revision  # noqa: B018  several rows in the version table are refused before anything is rendered
    unmet: list[Unmet] = []
    shown: list[Mapping[str, Any]] = []

    def finish(plan: Plan, after: Schema) -> Plan:
        conditions, failing = preconditions.asked(database, plan, live.schema, after)
        unmet[:], shown[:] = failing, afterwards(live.schema, after)  # it may be asked again
        return protected(database, replace(plan, preconditions=conditions), live)

    plan = database.project.plan(
        database.name,
        database.dialect,
        database.url,
        current=live.revisions,
        to=to,
        schema=live.schema,
        version_table=database.version_table,
        finish=finish,
        rehearse=database.rehearse,
        max_rows=database.max_rows,
        progress=database.progress,
    )
    if plan.rehearsal is None:
        return plan
    return replace(plan, rehearsal=replace(plan.rehearsal, unmet=tuple(unmet), after=tuple(shown)))


def protected(database: Database, plan: Plan, live: Live) -> Plan:
    """The plan with statements that keep what it loses, and a way back that puts it back."""
    with database.reader() as reader:
        entries = reader.kept()
    keys = frozenset(entry.key for entry in entries or ())
    about = Target(database.count_rows, keys, present=entries is not None)
    return protect(plan, live.schema, database.dialect.keeper(), database.keeping, about)


def find_plan(ledger: Ledger, plan_id: str, *, now: datetime | None) -> Plan:
    """The frozen plan with this id.

    Raises:
        PlanNotFoundError: nobody made it. PlanExpiredError: it is too old, if `now` is given.
    """
    events = ledger.find(Kind.PLAN_FROZEN, plan_id)
    if not events:
        raise PlanNotFoundError(
            f"There is no plan {plan_id[:80]!r}.", hint="Call migration_plan, and pass the plan_id that it answers."
        )
    newest = events[-1].body
    late = None if now is None else ledger.no_earlier(now, since=events[-1])
    if late is not None and datetime.fromisoformat(newest["expires_at"]) <= late:
        raise PlanExpiredError(
            f"Plan {plan_id} expired at {newest['expires_at']}.",
            hint="Call migration_plan again and apply the new plan.",
        )
    seen = newest.get("rehearsal")
    return replace(Plan.thaw(newest["plan"]), rehearsal=Rehearsal.thaw(seen) if seen else None)


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
        **({"resumes": plan.resumes.frozen()} if plan.resumes else {}),
        "effects": sorted(classified.effects),
        "rollback": _rollback(plan, classified),
        "blast_radius": {
            "tables": sorted(classified.rows),
            "rows": dict(classified.rows),
            "rows_total": classified.total_rows,
        },
        "rehearsal": {**rehearsed(plan), "cage": plan.cage},
        "preconditions": preconditions.told(plan),
        "approval": _approval(quorum, classified),
        "doubts": list(plan.doubts),
        "statements": statements(plan.statements, classified.judgements),
        "statements_total": len(plan.statements),
        "next": _next(plan, quorum),
    }


def rehearsed(plan: Plan) -> Mapping[str, Any]:
    """How the plan did on a scratch database: the times, and what the server was seen to lock and to write anew.

    `faithful` says that the scratch database had the target's schema.
    """
    seen = plan.rehearsal
    if seen is None:
        return {"ran": False, **({"why_not": plan.untried} if plan.untried else {})}
    slowest = sorted(seen.statements, key=lambda tried: -tried.seconds)[:_SHOWN_SLOWEST]
    told: dict[str, Any] = {
        "ran": True,
        "faithful": plan.expected_fingerprint is not None,
        "seconds": seen.seconds,
        "rollback_seconds": seen.rollback_seconds,
        "rollback_restored": seen.rollback_restored,
        **({"restored": [each.told() for each in seen.restored]} if seen.restored is not None else {}),
        **({"put_back": [each.told() for each in seen.put_back]} if seen.put_back is not None else {}),
        "server": seen.server,
        "slowest": [{"n": tried.n, "seconds": tried.seconds} for tried in slowest],
    }
    if seen.other_version:
        told["note"] = f"The target runs {seen.target_server}, which may lock and rewrite differently."
    if seen.observed:
        told["locks"] = [{"n": t.n, **dict(t.locks)} for t in seen.statements if t.locks][:_SHOWN_LOCKS]
        told["rewrites"] = [{"n": t.n, "tables": list(t.rewrites)} for t in seen.statements if t.rewrites]
    return told


def summary(plan: Plan, classified: Classified) -> str:
    """One line: how much, what is lost, and the way back."""
    changes = sum(statement.kind == "change" for statement in plan.statements)
    lost = sorted({name for j in classified.judgements if Effect.DESTRUCTIVE in j.effects for name in j.objects})
    unmet = plan.rehearsal.unmet if plan.rehearsal else ()
    parts = [f"IT WOULD FAIL NOW: {preconditions.in_the_way(unmet)}"] if unmet else []
    parts += [] if plan.reverse.available else ["THERE IS NO WAY BACK"]
    if plan.resumes:
        parts.append(f"{plan.resumes.direction} {plan.resumes.apply_id}, which stopped part way")
    noun = "statement" if changes == 1 else "statements"
    parts.append(f"{changes} {noun}, {plan.from_revision or 'base'} to {plan.to_revision or 'base'}")
    if plan.reverse.derived:
        parts.append("the way back is derived, in whole or in part: the downgrade does not say it")
    if lost:
        parts.append(f"destroys {', '.join(lost[:8])} ({classified.total_rows} rows concerned)")
        if plan.reverse.available and not restores_data(plan, classified.effects):
            parts.append(f"rolling back restores the schema, not the data{_because(plan)}")
        elif plan.reverse.available:
            parts.append(f"rolling back restores the data as well, for {kept_for(plan)}")
        if plan.undo is not None and plan.undo.parked:
            aside = ", ".join(dict.fromkeys(kept.table for kept in plan.undo.parked))
            parts.append(f"what is dropped of {aside} is parked: its space is not free until it is pruned after that")
    return "; ".join(parts) + "."


def _because(plan: Plan) -> str:
    """The first reason why not all comes back, with its size where that is the reason; the plan lists the others."""
    return f": {_cut(plan.undo.why_not[0], _SHOWN_REASON)}" if plan.undo and plan.undo.why_not else ""


def statements(frozen: tuple[Statement, ...], judgements: tuple[Judgement, ...]) -> list[Mapping[str, Any]]:
    """Each statement with what it does; long texts are cut, with the length told."""
    judged = {judgement.n: judgement for judgement in judgements}
    shown: list[Mapping[str, Any]] = []
    room = _SHOWN_TOTAL
    for statement in frozen:
        sql = _cut(statement.sql, min(_SHOWN_SQL if statement.kind == "change" else _SHOWN_OURS, room))
        room -= len(sql) + 200
        if room <= 0:
            shown.append({"n": statement.n, "note": f"{len(frozen) - len(shown)} more statements are not shown"})
            break
        shown.append({**_head(statement, sql), **_judged(judged.get(statement.n))})
    return shown


def _head(statement: Statement, sql: str) -> dict[str, Any]:
    head: dict[str, Any] = {"n": statement.n, "revision": statement.revision, "kind": statement.kind, "sql": sql}
    if statement.parameters:
        head["parameter_rows"] = len(statement.parameters)
    if not statement.transactional:
        head["transactional"] = False
    if statement.derived:
        head["derived"] = True
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


def kept_for(plan: Plan) -> str:
    """How long undo data is kept, in words."""
    seconds = plan.undo.keep_seconds if plan.undo else 0
    days = seconds / 86_400
    return f"{days:g} days" if days >= 1 else f"{seconds / 3600:.1f} hours"


def _rollback(plan: Plan, classified: Classified) -> Mapping[str, Any]:
    told = {
        "available": plan.reverse.available,
        "restores_schema": plan.reverse.restores_schema,
        "restores_data": restores_data(plan, classified.effects),
        "statements": [_cut(s.sql, 300) for s in plan.reverse.statements if s.kind == "change"][:20],
        "why_not": plan.reverse.why_not,
    }
    if plan.reverse.derived:
        told["derived"] = True
        told["derived_statements"] = [_cut(s.sql, 300) for s in plan.reverse.statements if s.derived][:20]
    if plan.undo is not None and plan.undo.why_not:
        told["data_why_not"] = list(plan.undo.why_not)
    if plan.undo is not None and plan.undo.kept:
        kept = [
            {"table": k.table, "columns": list(k.columns), "method": k.method} | ({"ends": k.ends} if k.ends else {})
            for k in plan.undo.kept
        ]
        told["keeps"] = [{**k, "rows_now": classified.rows.get(str(k["table"]))} for k in kept]
        told["kept_for"] = kept_for(plan)
    return told


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
    if plan.rehearsal and plan.rehearsal.unmet:
        hint = "Mend the rows that are in the way first, in an earlier revision; or change the revision."
        return {"action": "fix_revision", "hint": hint}
    if quorum is None:
        return {"action": "apply", "hint": "Call migration_apply with this plan_id; it runs at once."}
    return {
        "action": "apply",
        "hint": "Call migration_apply with this plan_id; it asks people to approve and returns approval_required.",
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: max(limit, 0)]}… ({len(text)} characters)"
