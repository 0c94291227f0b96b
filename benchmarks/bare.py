"""What we are compared with: ungoverned tools on the SDK's low-level server, which do with our engines what ours do.

`bare.py URL` reads a target's schema, on standard input and output; `bare.py URL PORT CONFIG` does so over HTTP, and
plans too. It knows nobody, records nothing and asks nobody.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

if TYPE_CHECKING:
    from mcp_migrate.wiring.databases import Databases

URL = sys.argv[1]
PORT, CONFIG = int(sys.argv[2]) if sys.argv[2:] else None, sys.argv[3] if sys.argv[3:] else ""
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def read() -> tuple[dict[str, Any], str]:
    """The target's schema, and its text."""
    from mcp_migrate.dialects import dialect_for
    from mcp_migrate.schema import fingerprint, pages

    with dialect_for(URL).open_reader(URL) as reader:
        revisions, schema = reader.revisions("alembic_version"), reader.schema(version_table="alembic_version")
    text = pages(schema).text
    return {"revision": list(revisions), "fingerprint": fingerprint(schema), "schema": text}, text


def plan() -> tuple[dict[str, Any], str]:
    """A plan of the shop's next revision with its statements, as short as a client could do with."""
    from mcp_migrate.tools.live import read_live
    from mcp_migrate.tools.plans import make_plan

    database = databases().open("shop")
    made = make_plan(database, read_live(database), "b2")
    text = ";\n".join(statement.sql for statement in made.statements)
    return {"plan_id": made.plan_id, "digest": made.digest, "sql": text}, text


@cache
def databases() -> Databases:
    """Those of the configuration, whose projects are remembered as our server remembers them."""
    from mcp_migrate.__main__ import load_settings
    from mcp_migrate.wiring.databases import Databases

    return Databases(load_settings(Path(CONFIG)), lambda _name: lambda: URL)


TOOLS: Mapping[str, Callable[[], tuple[dict[str, Any], str]]] = {"read": read, **({"plan": plan} if CONFIG else {})}


async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
    tools = [types.Tool(name=name, description=str(work.__doc__), input_schema=SCHEMA) for name, work in TOOLS.items()]
    return types.ListToolsResult(tools=tools)


async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    answer, text = await anyio.to_thread.run_sync(TOOLS[params.name])
    content: list[Any] = [types.TextContent(type="text", text=text)]
    return types.CallToolResult(content=content, structured_content=answer)


async def main() -> None:
    """On standard input and output, or over HTTP where a port is named."""
    server: Server[Any] = Server(
        "bare", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=lambda _name: SCHEMA
    )
    if PORT is not None:
        app = server.streamable_http_app(stateless_http=True)
        config = uvicorn.Config(app, port=PORT, http="h11", access_log=False, log_level="warning")
        await uvicorn.Server(config).serve()
        return
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


anyio.run(main)
