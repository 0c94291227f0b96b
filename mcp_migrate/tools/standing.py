"""Where is a target: its revision, what is pending, and whether it is what its revision should give?

The agents' tool and the people's command both ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.errors import RehearsalFailedError, RenderFailedError
from mcp_migrate.leave.freezing import Frozen, all_frozen
from mcp_migrate.ledger import Ledger
from mcp_migrate.migrations import ProjectInfo, Replay
from mcp_migrate.schema import Change, Schema, diff, without_access
from mcp_migrate.settings import Settings
from mcp_migrate.tools.applies import last_applies
from mcp_migrate.tools.comparing import replay
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.left_standing import LeftStanding, left_standing
from mcp_migrate.tools.live import Live, read_live
from mcp_migrate.tools.part_way import PartWay
from mcp_migrate.tools.part_way import part_way as stopped
from mcp_migrate.tools.reconciling import Unexplained, unexplained

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed on the target since its revision: `changes` lead from `should` to the live schema.

    `why_not` says why it could not be told; then there is no `should`.
    """

    changes: tuple[Change, ...] = ()
    should: Schema | None = None
    seconds: float = 0.0
    why_not: str | None = None

    def shown(self) -> Mapping[str, Any] | None:
        """The JSON form."""
        if self.should is None:
            return None
        objects = list(dict.fromkeys(change.object for change in self.changes))
        return {
            "drifted": bool(self.changes),
            "objects": objects[:_SHOWN],
            "summary": self._summary(objects),
            "replay_seconds": round(self.seconds, 2),
        }

    def _summary(self, objects: list[str]) -> str:
        if not objects:
            return "The live schema is what its revision gives."
        first = ", ".join(f"{change.kind} {change.object}" for change in self.changes[:5])
        return f"Objects that are not what the revision gives: {len(objects)}; since then: {first}" + (
            " …" if len(self.changes) > 5 else "."  # noqa: PLR2004  five are shown in the line above
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a target is."""

    info: ProjectInfo
    live: Live
    drift: Drift
    applies: tuple[Mapping[str, Any], ...]
    part_way: PartWay | None = None
    left: LeftStanding | None = None
    unexplained: Unexplained | None = None
    frozen: tuple[Frozen, ...] = ()

    def shown(self) -> dict[str, Any]:
        """The JSON form."""
        told: dict[str, Any] = {
            "revision": ", ".join(self.live.revisions) or None,
            "heads": list(self.info.heads),
            "pending": pending(self.info, self.live),
            "drift": self.drift.shown(),
            "in_flight": [apply for apply in self.applies if apply["status"] == "in_flight"],
            "last_applies": list(self.applies[:5]),
        }
        told |= {"frozen": [each.shown() for each in self.frozen]} if self.frozen else {}
        told |= {"part_way": self.part_way.shown()} if self.part_way else {}
        told |= {"unexplained": self.unexplained.shown()} if self.unexplained else {}
        told |= {"left_standing": self.left.shown()} if self.left else {}
        return told | ({"drift_unknown": self.drift.why_not} if self.drift.why_not else {})


def standing(database: Database, ledger: Ledger, settings: Settings) -> Standing:
    """Read the target, and replay its revision on a scratch database to see drift."""
    info = database.info
    live = read_live(database)
    applies = tuple(apply.shown() for apply in last_applies(ledger, database.name, limit=_SHOWN))
    drifted, part_way = drift(database, info, live), stopped(ledger, live)
    found = None if part_way else unexplained(ledger, database.name, live.revisions, live.schema)
    kept = tuple(all_frozen(database.name, settings, ledger))
    return Standing(info, live, drifted, applies, part_way, left_standing(ledger, live), found, kept)


def pending(info: ProjectInfo, live: Live) -> list[Mapping[str, Any]]:
    """Revisions that are not among the ancestors of where the target is."""
    down = {revision.id: revision.down for revision in info.revisions}
    done: set[str] = set()
    stack = list(live.revisions)
    while stack:
        revision = stack.pop()
        if revision not in done:
            done.add(revision)
            stack.extend(down.get(revision, ()))
    return [{"revision": r.id, "message": r.message} for r in info.revisions if r.id not in done]


def drift(database: Database, info: ProjectInfo, live: Live) -> Drift:
    """Hold the live schema against what its revision gives."""
    strange = [revision for revision in live.revisions if revision not in info.by_id]
    if strange:
        return Drift(why_not=f"The project has no revision {', '.join(strange)}.")
    if len(live.revisions) > 1:
        return Drift(why_not=f"The version table holds several rows: {', '.join(live.revisions)}.")
    try:
        should: Replay = replay(database, live, live.revisions[0] if live.revisions else "base")
    except (RenderFailedError, RehearsalFailedError) as error:
        return Drift(why_not=error.sentence)
    # Who may do what is given beside the revisions, to roles that a scratch database does not have.
    return Drift(diff(without_access(should.schema), without_access(live.schema)), should.schema, should.seconds)
