"""What, beside its own effects, decides whether a call may go on? Collected once, judged without any I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_migrate.approvals.freezing import Frozen
from mcp_migrate.approvals.separation import Taker
from mcp_migrate.approvals.tempo import Tempo


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who took the steps before, what keeps the target as it is, and how fast the workflow goes.

    `runs` is false where nothing ever comes of the call: then nothing stands in its way.
    """

    taken: tuple[Taker, ...] = ()
    frozen: Frozen | None = None
    tempo: Tempo = field(default_factory=Tempo)
    runs: bool = True
