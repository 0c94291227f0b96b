"""What would the same read cost without governance? One tool on the bare low-level SDK server.

It is the baseline of both benchmarks: nothing is imported before it is needed, and the tool uses the reader and the
text that ours uses.
"""

from __future__ import annotations

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

TOOL = types.Tool(
    name="schema_read",
    description="Reads the schema of a database.",
    input_schema={"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]},
)


async def list_tools(
    _context: ServerRequestContext[None], _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[TOOL])


async def call_tool(_context: ServerRequestContext[None], params: types.CallToolRequestParams) -> types.CallToolResult:
    from mcp_migrate.dialects.sqlite.reader import open_reader
    from mcp_migrate.schema import pages

    with open_reader(str((params.arguments or {})["url"])) as reader:
        revisions = reader.revisions("alembic_version")
        page = pages(reader.schema(version_table="alembic_version"), detail="outline", tables=(), cursor=None)
    answer = {"revision": ", ".join(revisions) or None, "schema": page.text, "tables_total": page.tables_total}
    return types.CallToolResult(content=[types.TextContent(type="text", text=page.text)], structured_content=answer)


async def main() -> None:
    server = Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
