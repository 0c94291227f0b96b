"""Which apply does a plan go on with, and where had that one begun?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["finish", "undo"]


@dataclass(frozen=True, slots=True)
class Resumes:
    """The apply that stopped part way, and the revision and fingerprint from which the first of them started."""

    apply_id: str
    direction: Direction
    from_revision: str | None
    base_fingerprint: str

    def frozen(self) -> dict[str, Any]:
        """The JSON form that plans hold and reviewers sign."""
        return {
            "apply_id": self.apply_id,
            "direction": self.direction,
            "from_revision": self.from_revision,
            "base_fingerprint": self.base_fingerprint,
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Resumes:
        """The inverse of `frozen`."""
        return cls(**value)
