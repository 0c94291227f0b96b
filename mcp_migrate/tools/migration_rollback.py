"""Go back: by one apply, or down to an earlier revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mcp_migrate.errors import InvalidArgumentsError, PlanStaleError, RenderFailedError
from mcp_migrate.ledger import Ledger
from mcp_migrate.model import Approved, Granted, Plan, Prepared, Statement
from mcp_migrate.tools.applies import Apply, find_apply, run_plan
from mcp_migrate.tools.going_back import applies_since, rehearsed_back
from mcp_migrate.tools.in_the_way import refuse_in_the_way
from mcp_migrate.tools.interface import Database, Workbench
from mcp_migrate.tools.live import Live, read_live
from mcp_migrate.tools.plans import make_plan, rehearsed
from mcp_migrate.tools.undo import kept_on, missing, refuse_conflicts
from mcp_migrate.tools.whose import refuse_others


class MigrationRollback:
    """Runs the reverse plan, which is planned, judged and approved like any other."""

    def target_of(self, arguments: Mapping[str, Any], bench: Workbench) -> str:
        """The target of the apply, or the one that is named."""
        if "apply_id" in arguments and "to" not in arguments:
            target = find_apply(bench.ledger, arguments["apply_id"]).plan.target
            if arguments.get("target", target) == target:
                return target
        elif "target" in arguments and "to" in arguments and "apply_id" not in arguments:
            return str(arguments["target"])
        raise InvalidArgumentsError(
            "migration_rollback takes either `apply_id`, or `target` and `to`.",
            hint="Pass the apply to undo, or the target and the revision to go back to.",
        )

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Make the reverse plan from where the target is now."""
        database = bench.database(granted)
        asked = granted.call.arguments
        if "apply_id" in asked:
            apply = find_apply(bench.ledger, asked["apply_id"])
            refuse_others([apply], granted)
            live = read_live(database, plan=apply.plan, identify=True)
            refuse_in_the_way(bench.ledger, live, goes_back=True)
            _refuse_moved(apply, live)
            refuse_conflicts(database, [apply])
            plan = rehearsed_back(database, [apply.plan], live)
        else:
            live = read_live(database, identify=True)
            refuse_in_the_way(bench.ledger, live, goes_back=True)
            _refuse_upgrade(database, live, asked["to"])
            plan = _back_to(database, bench.ledger, live, granted)
        return Prepared(
            granted,
            work=_run_back,
            plan=plan,
            schema=live.schema,
            count_rows=database.count_rows,
            identity=live.identity,
            undoes=asked.get("apply_id"),
            goes_back=True,
        )


def _run_back(approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
    """Go back, and say how that did when it was tried: of a rollback that needs nobody's approval nothing else does."""
    plan, done = approved.prepared.plan, run_plan(approved, run)
    return {**done, **({"rehearsal": rehearsed(plan)} if plan else {})}


def _back_to(database: Database, ledger: Ledger, live: Live, granted: Granted) -> Plan:
    """Through the applies since, with what they kept; where they do not account for it all, the downgrades of now."""
    info, to = database.info, granted.call.arguments["to"]
    applies = applies_since(ledger, live, info.resolve(to, live.revision))
    if applies and not missing(database, applies):
        refuse_others(applies, granted)
        refuse_conflicts(database, applies)
        return rehearsed_back(database, [apply.plan for apply in applies], live)
    plan = make_plan(database, live, to)
    left = kept_on(database, ledger)
    doubt = (
        "undo data that is kept on the target is not put back: the applies since do not account for all that changed"
    )
    return replace(plan, doubts=(*plan.doubts, doubt)) if left and plan.statements else plan


def _refuse_moved(apply: Apply, live: Live) -> None:
    """The way back that was frozen with the plan runs: a downgrade edited since does not."""
    plan = apply.plan
    if not apply.applied or live.revision != plan.to_revision:
        raise PlanStaleError(
            f"{plan.target} is at {live.revision or 'base'}; {apply.apply_id} ended at {plan.to_revision or 'base'}.",
            hint="Roll back the later applies first, newest first; migration_status lists them.",
        )
    if plan.expected_fingerprint not in {None, live.shape}:
        raise PlanStaleError(
            f"The schema of {plan.target} changed since {apply.apply_id}.",
            hint="Use migration_rollback with `target` and `to`, which plans from what is there now.",
        )
    if not plan.reverse.available:
        raise RenderFailedError(
            f"{apply.apply_id} has no way back: {plan.reverse.why_not}.",
            hint="Write a new revision that brings the target to where it should be.",
        )


def _refuse_upgrade(database: Database, live: Live, to: str) -> None:
    """Going forward is migration_apply's work, under its own scope."""
    info = database.info
    order = [revision.id for revision in info.revisions]
    known = to in order and live.revision in order
    if to in {"head", "heads"} or to.startswith("+") or (known and order.index(to) >= order.index(str(live.revision))):
        raise InvalidArgumentsError(
            f"{to!r} is not behind {live.revision or 'base'}.",
            hint="Rolling back goes to base, -1 or an earlier revision; use migration_plan to go forward.",
        )
