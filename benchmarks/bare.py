"""What we are compared with: one ungoverned tool on the SDK's low-level server. It reads a schema with our reader."""

from __future__ import annotations

import sys
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

URL = f"sqlite:///{sys.argv[1]}"
OF_A_PORT = 2
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[types.Tool(name="read", description="Reads a schema.", input_schema=SCHEMA)])


async def call_tool(_context: Any, _params: types.CallToolRequestParams) -> types.CallToolResult:
    answer = await anyio.to_thread.run_sync(read)
    content: list[Any] = [types.TextContent(type="text", text=answer["schema"])]
    return types.CallToolResult(content=content, structured_content=answer)


def read() -> dict[str, Any]:
    from mcp_migrate.dialects.sqlite.reader import open_reader
    from mcp_migrate.schema import fingerprint, pages

    with open_reader(URL) as reader:
        revisions, schema = reader.revisions("alembic_version"), reader.schema(version_table="alembic_version")
    return {"revision": list(revisions), "fingerprint": fingerprint(schema), "schema": pages(schema).text}


async def main() -> None:
    """On standard input and output, or over HTTP where a port is named."""
    server: Server[Any] = Server(
        "bare", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=lambda _name: SCHEMA
    )
    if len(sys.argv) > OF_A_PORT:
        app = server.streamable_http_app(stateless_http=True)
        config = uvicorn.Config(app, port=int(sys.argv[OF_A_PORT]), http="h11", access_log=False, log_level="warning")
        await uvicorn.Server(config).serve()
        return
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


anyio.run(main)
