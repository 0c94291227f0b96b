"""What does a plan keep of the data it loses, and for how long?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one table before one statement, and in which place. `method` says how rows are told apart.

    What is parked is not copied: it is moved to its place, and `ends` is the statement that drops it for good when its
    time is over. Until then its space is not free.
    """

    table: str
    columns: tuple[str, ...]
    method: str
    place: str
    ends: str | None = None

    def frozen(self) -> dict[str, Any]:
        """The JSON form."""
        told = {"table": self.table, "columns": list(self.columns), "method": self.method, "place": self.place}
        return {**told, **({"ends": self.ends} if self.ends else {})}

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Kept:
        """The inverse of `frozen`."""
        return cls(**{**value, "columns": tuple(value["columns"])})


@dataclass(frozen=True, slots=True)
class Undo:
    """The undo data of one plan. `key` names it on the target; `why_not` says what would not come back."""

    key: str
    kept: tuple[Kept, ...] = ()
    why_not: tuple[str, ...] = ()
    keep_seconds: float = 0.0

    @property
    def parked(self) -> tuple[Kept, ...]:
        """What is moved aside instead of copied."""
        return tuple(kept for kept in self.kept if kept.ends)

    @property
    def restores_data(self) -> bool:
        """Whether everything that the plan loses comes back."""
        return not self.why_not

    def frozen(self) -> dict[str, Any]:
        """The JSON form that plans hold and reviewers sign."""
        return {
            "key": self.key,
            "restores_data": self.restores_data,
            "kept": [kept.frozen() for kept in self.kept],
            "why_not": list(self.why_not),
            "keep_seconds": self.keep_seconds,
        }

    @classmethod
    def thaw(cls, value: Mapping[str, Any]) -> Undo:
        """The inverse of `frozen`."""
        kept = tuple(Kept.thaw(each) for each in value["kept"])
        return cls(value["key"], kept, tuple(value["why_not"]), value["keep_seconds"])
