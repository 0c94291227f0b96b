"""Does something unfinished stand on a target, on which nothing else may be built?

Each change is asked, whichever tool makes it: an apply that stopped part way is finished or taken back first, and so is
one that its server left standing. Tools ask before they plan, where the answer says more than their own; the stage that
prepares asks every one.
"""

from __future__ import annotations

from mcp_migrate.ledger import Ledger
from mcp_migrate.model import Plan
from mcp_migrate.tools.left_standing import left_standing, refuse_left_standing
from mcp_migrate.tools.live import Where
from mcp_migrate.tools.part_way import part_way, refuse_part_way


def refuse_in_the_way(ledger: Ledger, where: Where, *, plan: Plan | None = None, goes_back: bool = False) -> None:
    """Refuse a change of a target that goes on from none of this; one that `goes_back` may take back what was left.

    Raises:
        PlanStaleError: an apply stopped part way. ValidationFailedError: one was left standing.
    """
    if not goes_back:
        refuse_left_standing(left_standing(ledger, where))
    refuse_part_way(part_way(ledger, where), plan)
