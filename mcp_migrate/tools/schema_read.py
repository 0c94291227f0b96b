"""What does the schema look like?"""

from __future__ import annotations

from mcp_migrate.model import Granted, Prepared
from mcp_migrate.schema import pages
from mcp_migrate.tools.interface import Workbench, answer
from mcp_migrate.tools.live import read_live


class SchemaRead:
    """Answers with one page of compact text."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the live schema."""
        live = read_live(bench.database(granted))
        asked = granted.call.arguments
        page = pages(
            live.schema,
            detail=asked.get("detail", "outline"),
            tables=tuple(asked.get("tables") or ()),
            cursor=asked.get("cursor"),
        )
        return answer(
            granted,
            {
                "revision": ", ".join(live.revisions) or None,
                "fingerprint": live.fingerprint,
                "schema": page.text,
                "tables_total": page.tables_total,
                "next_cursor": page.next_cursor,
            },
        )
