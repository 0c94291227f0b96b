"""What did one principal hand on to another?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.model.words import Effect


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave that `by` handed to `to`: never more than `by` has, and no longer.

    `uses` is how many changes may begin by it; None where that is not counted. `effects` are those beside `read`.
    """

    grant_id: str
    by: str
    to: str
    tools: tuple[str, ...]
    targets: tuple[str, ...]
    until: datetime
    effects: frozenset[Effect] = frozenset()
    objects: tuple[str, ...] | None = None
    uses: int | None = None

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            **asdict(self),
            "tools": list(self.tools),
            "targets": list(self.targets),
            "until": self.until.isoformat(),
            "effects": sorted(self.effects),
            "objects": None if self.objects is None else list(self.objects),
        }
