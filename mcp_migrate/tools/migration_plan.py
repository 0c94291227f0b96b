"""What would a migration do?"""

from __future__ import annotations

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.interface import Workbench
from mcp_migrate.tools.live import read_live
from mcp_migrate.tools.part_way import FINISH, UNDO, part_way, plan_from, refuse_part_way
from mcp_migrate.tools.plans import make_plan, show_plan


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
        return Prepared(granted, present=show_plan, plan=plan, schema=live.schema, count_rows=database.count_rows)
