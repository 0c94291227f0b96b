"""What, beside its own effects, decides whether a call may go on? Collected once, judged without any I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mcp_migrate.leave.freezing import Frozen
from mcp_migrate.leave.separation import Taker
from mcp_migrate.leave.tempo import Tempo


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who took the steps before, what keeps the target as it is, and how fast the workflow goes.

    `opened` are the scopes of the workflow whose `while` says so now, by index; `planned_at` is when the plan was made,
    where that was an earlier call. `spent` are the grants that may not be used again, and `revoked` says what of that
    which the caller acts by was taken back. `runs` is false where nothing ever comes of the call: then it is judged
    alone.
    """

    taken: tuple[Taker, ...] = ()
    frozen: Frozen | None = None
    tempo: Tempo = field(default_factory=Tempo)
    opened: frozenset[int] = frozenset()
    planned_at: datetime | None = None
    spent: frozenset[str] = frozenset()
    revoked: str | None = None
    runs: bool = True
