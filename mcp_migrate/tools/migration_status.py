"""Where is the target, what is pending, and is it what its revision should give?"""

from __future__ import annotations

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.interface import Workbench, answer
from mcp_migrate.tools.standing import standing


class MigrationStatus:
    """Answers with revision, heads, what is pending, drift, the last applies and what keeps the target as it is."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the target, and replay its revision on a scratch database to see drift."""
        return answer(granted, standing(bench.database(granted), bench.ledger, bench.settings).shown())
