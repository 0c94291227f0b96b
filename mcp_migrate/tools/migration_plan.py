"""What would a migration do?"""

from __future__ import annotations

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.interface import Workbench
from mcp_migrate.tools.live import read_live
from mcp_migrate.tools.plans import make_plan, show_plan


class MigrationPlan:
    """Freezes the way to a revision into SQL and shows what it does."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Render on a scratch database; the target is only read."""
        database = bench.database(granted)
        live = read_live(database)
        plan = make_plan(database, live, granted.call.arguments.get("to", "head"))
        return Prepared(granted, present=show_plan, plan=plan, schema=live.schema, count_rows=database.count_rows)
