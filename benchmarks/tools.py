"""What does knowing our tools cost a model, in tokens, and what do their answers cost it?"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from schema import tokens
from wire import Server, our_server

from mcp_migrate.cli.demo_project import make_project

BOUND = 2_700
ASKED = {"intent": "See what this costs"}
CALLS = (
    ("schema_read", {"target": "local"}),
    ("migration_plan", {"target": "local"}),
    ("migration_status", {"target": "local"}),
    ("access_explain", {"target": "local", "tool": "migration_apply"}),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        make_project(Path(name), reviewer_key="ssh-ed25519 AAAA").unlink()  # the local profile
        server = Server(our_server(), Path(name))
        tools = server.ask("tools/list", {})["tools"]
        answers = {
            tool: server.ask("tools/call", {"name": tool, "arguments": {**ASKED, **more}})["structuredContent"]
            for tool, more in CALLS
        }
        server.close()
    seen = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    known = tokens(json.dumps(seen))
    print(f"{len(tools)} tools as a model is shown them: {known:,} tokens (bound {BOUND:,})")
    print(f"tools/list as it is sent: {tokens(json.dumps(tools)):,} tokens")
    for tool, answer in answers.items():
        print(f"{tool:18} answers {tokens(json.dumps(answer)):,} tokens")
    return int(known > BOUND)


if __name__ == "__main__":
    sys.exit(main())
