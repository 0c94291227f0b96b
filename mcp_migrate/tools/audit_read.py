"""What is on the record of the caller's own workflow?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.tools.interface import Workbench, answer

_LONG = frozenset({"plan", "judgements"})
"""Parts of an entry that are not shown: plans have a tool of their own."""

_PART, _PAGE = 4_000, 30_000
"""Characters of one part of an entry, and of a page: an answer that is cut would lose what its cursor has passed."""


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
        entries = _page(events)
        more = len(events) == limit or len(entries) < len(events)
        return answer(granted, {"entries": entries, "next_cursor": str(entries[-1]["seq"] + 1) if more else None})


def _since(asked: Mapping[str, Any]) -> int:
    """Where to begin: a cursor is where a page ended, so it goes before `since`."""
    return int(asked.get("cursor", asked.get("since", 0)))


def _page(events: Iterable[Event]) -> list[Mapping[str, Any]]:
    """As many of the entries as an answer holds, and one at least."""
    entries: list[Mapping[str, Any]] = []
    room = _PAGE
    for event in events:
        entry = _shown(event)
        room -= _length(entry)
        if entries and room < 0:
            break
        entries.append(entry)
    return entries


def _shown(event: Event) -> Mapping[str, Any]:
    body = {key: _short(value) for key, value in event.body.items() if key not in _LONG}
    entry = {"seq": event.seq, "at": event.at, "kind": event.kind, "subject": event.subject, "call_id": event.call_id}
    return {**entry, **body, **entry}  # nothing in a body poses as the entry's own


def _short(value: Any) -> Any:
    length = _length(value)
    return value if length <= _PART else f"{length} characters, not shown"


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))
