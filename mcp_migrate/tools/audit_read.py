"""What is on the record of the caller's own workflow?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.interface import Workbench, answer

_LONG = frozenset({"plan", "judgements"})
"""Parts of an entry that are shown as their size: plans have a tool of their own."""


class AuditRead:
    """Answers with entries of one workflow only."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read one page."""
        asked = granted.call.arguments
        limit = asked.get("limit", 50)
        kind = asked.get("kind")
        if kind is not None and kind not in set(Kind):
            raise InvalidArgumentsError(f"There are no {kind!r} entries.", hint=f"Kinds: {', '.join(Kind)}.")
        since = _since(asked)
        events = bench.ledger.read(since=since, kind=kind, workflow=granted.workflow, limit=limit)
        more = str(events[-1].seq + 1) if len(events) == limit else None
        return answer(granted, {"entries": [_shown(event) for event in events], "next_cursor": more})


def _since(asked: Mapping[str, Any]) -> int:
    return int(asked.get("cursor", asked.get("since", 0)))


def _shown(event: Event) -> Mapping[str, Any]:
    body = {key: value for key, value in event.body.items() if key not in _LONG}
    entry = {"seq": event.seq, "at": event.at, "kind": event.kind, "subject": event.subject}
    return {**entry, **body, **entry}  # nothing in a body poses as the entry's own
