"""Where is the target, and what is pending?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.errors import RehearsalFailedError, RenderFailedError
from mcp_migrate.migrations import ProjectInfo
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.schema import diff
from mcp_migrate.tools.applies import last_applies
from mcp_migrate.tools.interface import Database, Workbench, answer
from mcp_migrate.tools.live import Live, read_live
from mcp_migrate.tools.schema_diff import replayed, shown

_SHOWN = 20


class MigrationStatus:
    """Answers with revision, heads, what is pending, drift and the last applies."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the target, and replay its revision on a scratch database to see drift."""
        database = bench.database(granted)
        info = database.project.describe(database.dialect.name)
        live = read_live(database)
        applies = [apply.shown() for apply in last_applies(bench.ledger, database.name, limit=_SHOWN)]
        return answer(
            granted,
            {
                "revision": ", ".join(live.revisions) or None,
                "heads": list(info.heads),
                "pending": _pending(info, live),
                "drift": _drift(database, info, live),
                "in_flight": [apply for apply in applies if apply["status"] == "in_flight"],
                "last_applies": applies[:5],
            },
        )


def _pending(info: ProjectInfo, live: Live) -> list[Mapping[str, Any]]:
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


def _drift(database: Database, info: ProjectInfo, live: Live) -> Mapping[str, Any]:
    known = {revision.id for revision in info.revisions}
    strange = [revision for revision in live.revisions if revision not in known]
    if strange or len(live.revisions) > 1:
        return {
            "found": True,
            "why": f"the version table says {', '.join(live.revisions)}",
            "objects": strange,
        }
    try:
        should = replayed(database, live.revisions[0] if live.revisions else "base")
    except (RenderFailedError, RehearsalFailedError) as error:
        return {"found": None, "why": f"it could not be told: {error.sentence}", "objects": []}
    changes = shown(diff(should, live.schema))
    return {"found": bool(changes), "objects": [change["object"] for change in changes[:_SHOWN]]}
