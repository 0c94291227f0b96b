"""What does the schema look like?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.schema import MAP_FROM, PAGE_CHARACTERS, Detail, pages
from mcp_migrate.schema.text import clean, cut
from mcp_migrate.tools.interface import Database, Workbench, answer
from mcp_migrate.tools.live import Live, read_live

_MOST_UNSEEN, _LONGEST_LINE = 20, 200


class SchemaRead:
    """Answers with one page of compact text."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the live schema."""
        database = bench.database(granted)
        asked = granted.call.arguments
        tables, detail, cursor = asked.get("tables") or (), asked.get("detail", "outline"), asked.get("cursor")
        live = read_live(database)
        found = shown(database, live, tables=tables, detail=detail, cursor=cursor)
        if tables and not found["tables_total"]:
            there = len(live.schema.tables)
            hint = f"No table matches; without `tables` {there} are shown."
            found = {**found, "next": {"action": "none", "hint": hint}}
        return answer(granted, found)


def shown(
    database: Database,
    live: Live,
    *,
    tables: Sequence[str],
    detail: Detail,
    cursor: str | None,
    limit_chars: int = PAGE_CHARACTERS,
) -> Mapping[str, Any]:
    """One page of what was read, as agents and people get it."""
    rows: Mapping[str, int] = {}
    if len(live.schema.tables) >= MAP_FROM and not tables and cursor is None:
        with database.reader() as reader:
            rows = reader.estimate_rows()
    page = pages(live.schema, detail=detail, tables=tuple(tables), cursor=cursor, rows=rows, limit_chars=limit_chars)
    return {
        "revision": ", ".join(live.revisions) or None,
        "fingerprint": live.fingerprint,
        "schema": page.text,
        "tables_total": page.tables_total,
        "next_cursor": page.next_cursor,
        **({"unseen": _some(live.schema.unseen)} if live.schema.unseen else {}),
    }


def _some(unseen: Sequence[str]) -> list[str]:
    """The first lines of what the role may not see, and how many more there are."""
    more = [f"… and {len(unseen) - _MOST_UNSEEN} more"] if len(unseen) > _MOST_UNSEEN else []
    return [cut(clean(line), _LONGEST_LINE) for line in unseen[:_MOST_UNSEEN]] + more
