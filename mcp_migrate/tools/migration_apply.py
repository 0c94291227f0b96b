"""Apply a plan: exactly its frozen statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mcp_migrate.errors import PlanStaleError, RenderFailedError
from mcp_migrate.model import Granted, Plan, Prepared
from mcp_migrate.tools.applies import last_applies, run_plan, undo_until
from mcp_migrate.tools.going_back import way_back
from mcp_migrate.tools.in_the_way import refuse_in_the_way
from mcp_migrate.tools.interface import Database, Workbench, answer
from mcp_migrate.tools.live import Live, read_live
from mcp_migrate.tools.plans import find_plan, protected


class MigrationApply:
    """Runs a plan that is on the ledger; what the caller passes is only its id."""

    def target_of(self, arguments: Mapping[str, Any], bench: Workbench) -> str:
        """The plan's target: scopes are checked on it before anything is read."""
        return find_plan(bench.ledger, arguments["plan_id"], now=None).target

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Find the plan and hold the target against where it starts."""
        database = bench.database(granted)
        plan = find_plan(bench.ledger, granted.call.arguments["plan_id"], now=None)
        live = read_live(database, plan=plan, identify=True)
        refuse_in_the_way(bench.ledger, live, plan=plan)
        if done := _already(plan, live, bench):
            return answer(granted, done)
        find_plan(bench.ledger, plan.plan_id, now=granted.call.at)
        _refuse_stale(plan, live)
        return Prepared(
            granted,
            work=run_plan,
            plan=plan,
            schema=live.schema,
            count_rows=database.count_rows,
            identity=live.identity,
            way_back=lambda: _way_back(plan, granted, database),
        )


def _already(plan: Plan, live: Live, bench: Workbench) -> Mapping[str, Any] | None:
    """The outcome of an earlier apply of this plan that still stands: asking twice is harmless."""
    if live.revision != plan.to_revision or plan.expected_fingerprint not in {None, live.shape}:
        return None
    newest = next(iter(last_applies(bench.ledger, plan.target, limit=1)), None)
    if newest is None or not newest.applied or newest.plan.plan_id != plan.plan_id:
        return None
    return {
        "status": "applied",
        "apply_id": newest.apply_id,
        "plan_id": plan.plan_id,
        "revision": live.revision,
        "fingerprint": live.fingerprint,
        "undo_until": undo_until(plan, datetime.fromisoformat(newest.started.at)),
        "already": True,
        "next": {"action": "validate", "hint": "It was applied before; nothing ran now."},
    }


def _way_back(plan: Plan, granted: Granted, database: Database) -> Prepared:
    """What takes the plan back, now that it stands; what that would lose of what was written since is kept.

    Raises:
        RenderFailedError: there is no such way.
    """
    if not (plan.reverse.available and plan.reverse.restores_schema):
        why = plan.reverse.why_not or "its downgrade does not bring the schema back"
        raise RenderFailedError(f"There is no way back: {why}.", hint="Write a new revision.")
    live = read_live(database, plan=plan, identify=True)
    return Prepared(
        replace(granted, call=replace(granted.call, tool="migration_rollback")),
        work=run_plan,
        plan=protected(database, way_back([plan], live), live),
        schema=live.schema,
        count_rows=database.count_rows,
        identity=live.identity,
    )


def _refuse_stale(plan: Plan, live: Live) -> None:
    if live.revision != plan.from_revision:
        raise PlanStaleError(
            f"{plan.target} is at revision {live.revision or 'base'}, the plan starts at "
            f"{plan.from_revision or 'base'}.",
            hint="Call migration_plan again and apply the new plan.",
            revision=live.revision,
        )
    if live.shape != plan.base_fingerprint:
        raise PlanStaleError(
            f"The schema of {plan.target} changed since the plan was made, without its revision changing.",
            hint="Call migration_plan again; schema_diff against head shows what differs.",
        )
