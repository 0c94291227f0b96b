"""What does a plan keep of the data it loses, and for how long?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one table before one statement, and in which place. `method` says how rows are told apart."""

    table: str
    columns: tuple[str, ...]
    method: str
    place: str

    def frozen(self) -> dict[str, Any]:
        """The JSON form."""
        return {"table": self.table, "columns": list(self.columns), "method": self.method, "place": self.place}

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
