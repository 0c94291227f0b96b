"""May I, and if not, what would be needed?"""

from __future__ import annotations

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.interface import Workbench, answer


class AccessExplain:
    """Answers with the evaluator that decides real calls."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Ask it about the caller."""
        call = granted.call
        asked = call.arguments
        return answer(granted, bench.explain(call.caller, asked["tool"], asked.get("target"), call.at))
