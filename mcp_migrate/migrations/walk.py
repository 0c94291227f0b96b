"""What was lost so far, and what shape has each table by then, on the way through the statements of a plan?"""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_migrate.dialects.keeper import Keeper, Loss
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Table


@dataclass(frozen=True, slots=True)
class Lost:
    """A loss of the statements from `at` to before `end`, which are one change; `number` counts losses of a plan."""

    at: int
    end: int
    number: int
    loss: Loss
    later: bool = False


@dataclass(slots=True)
class Look:
    """One walk over a plan, and the shape that each table has by then."""

    keeper: Keeper
    tables: dict[str, Table]
    schema: Schema
    acting: frozenset[str]
    known: frozenset[str]
    lost: list[Lost] = field(default_factory=list)
    why_not: list[str] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    touched: dict[str, list[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def added(self, table: str) -> frozenset[str]:
        """The columns that the plan added to a table."""
        return frozenset(name.removeprefix(f"{table}.") for name in self.made if name.startswith(f"{table}."))
