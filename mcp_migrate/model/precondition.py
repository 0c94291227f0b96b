"""What has to hold of a target's rows before a plan runs, so that it does not fail half way?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Precondition:
    """A query that returns a row for each one in the way; `why` says what the plan makes of the object."""

    object: str
    why: str
    sql: str

    def frozen(self) -> dict[str, Any]:
        """The JSON form that plans hold and reviewers sign."""
        return {"object": self.object, "why": self.why, "sql": self.sql}

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Precondition:
        """The inverse of `frozen`."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Unmet:
    """A precondition that did not hold when the plan was made, and how many rows were counted in its way."""

    precondition: Precondition
    rows: int

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return {**self.precondition.frozen(), "rows": self.rows}

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Unmet:
        """The inverse of `told`."""
        return cls(Precondition(value["object"], value["why"], value["sql"]), value["rows"])
