"""How many people, of which groups and how sure of themselves, does policy ask for? And are there so many?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from mcp_migrate.model.words import Assurance


@dataclass(frozen=True, slots=True)
class Demanded:
    """Which rule asked for people, why, and the statements that made it; none where it is the plan as a whole."""

    rule: str
    why: str
    statements: tuple[int, ...]


ANYBODY = "*"
"""In place of a group: any enrolled reviewer."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """What policy asks for before this may run: the strictest part of each rule that matched.

    `by_group` says of which groups how many people each; ``*`` is any reviewer. With `deny` at ``one`` a single denial
    ends the request, with ``quorum`` as many as were asked to approve.
    `expires_seconds` is how long people may decide, `execute_seconds` how long a decision is good for.
    """

    by_group: tuple[tuple[str, int], ...]
    expires_seconds: float
    assurance: Assurance
    never: frozenset[str]
    rules: tuple[str, ...]
    demands: tuple[Demanded, ...] = ()
    execute_seconds: float = 4 * 3600.0
    deny: Literal["one", "quorum"] = "one"

    @property
    def count(self) -> int:
        """How many people at least."""
        return max(count for _group, count in self.by_group)

    @property
    def groups(self) -> frozenset[str]:
        """The groups of which a signature counts; empty where it is anybody's."""
        groups = frozenset(group for group, _count in self.by_group)
        return frozenset() if ANYBODY in groups else groups

    def told(self) -> dict[str, Any]:
        """The JSON form, as a request has it under its signatures."""
        return {
            "count": self.count,
            "groups": sorted(self.groups),
            "by_group": dict(self.by_group),
            "assurance": self.assurance,
            "never": sorted(self.never),
            "deny": self.deny,
            "execute_seconds": self.execute_seconds,
            "rules": list(self.rules),
        }


@dataclass(frozen=True, slots=True)
class TooFew:
    """More people of a group are asked for than the `able`: those whose approval would count."""

    group: str
    asked: int
    able: int

    def told(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)

    def __str__(self) -> str:
        of = "enrolled people" if self.group == ANYBODY else f"people in {self.group}"
        return f"{self.asked} {of} are asked for, and {self.able or 'nobody'} could approve it"
