"""What would a migration do?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mcp_migrate.model import Classified, Granted, Prepared, Quorum
from mcp_migrate.tools.interface import Workbench
from mcp_migrate.tools.live import read_live
from mcp_migrate.tools.part_way import FINISH, UNDO, part_way, plan_from, refuse_part_way
from mcp_migrate.tools.plans import make_plan, show_plan
from mcp_migrate.tools.reconciling import unexplained


class MigrationPlan:
    """Freezes the way to a revision into SQL and shows what it does."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Render on a scratch database; the target is only read. A target that is part way goes on from there."""
        database = bench.database(granted)
        live = read_live(database)
        to = granted.call.arguments.get("to", "head")
        stopped = part_way(bench.ledger, live)
        if stopped is not None and to in {FINISH, UNDO}:
            plan = plan_from(database, live, stopped, to)
        else:
            refuse_part_way(stopped)
            plan = make_plan(database, live, to)
        found = None if stopped else unexplained(bench.ledger, live.target, live.revisions, live.schema)
        blocks = bench.settings.target(live.target).tier in bench.settings.reconcile.block
        return Prepared(
            granted,
            present=partial(_shown, found.shown() | {"blocks": blocks} if found else None),
            plan=plan,
            schema=live.schema,
            count_rows=database.count_rows,
        )


def _shown(found: Mapping[str, Any] | None, classified: Classified, quorum: Quorum | None) -> Mapping[str, Any]:
    """The plan, and before it what changed on its target that nothing on the record explains."""
    return {**({"unexplained": found} if found else {}), **show_plan(classified, quorum)}
