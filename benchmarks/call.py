"""What does governing cost? A governed `schema_read` beside an ungoverned tool that does the same read."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from wire import Server, bare_server, our_server, timed

from mcp_migrate.cli.demo_project import make_project

ROUNDS, WARM, BOUND_MS = 300, 20, 3.0
GOVERNED = {"name": "schema_read", "arguments": {"intent": "Measure what governing costs", "target": "local"}}
UNGOVERNED = {"name": "read", "arguments": {}}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, reviewer_key="ssh-ed25519 AAAA").unlink()
        governed, ungoverned = Server(our_server(), folder), Server(bare_server(folder), folder)
        rounds = [
            (
                timed(lambda: governed.ask("tools/call", GOVERNED)),
                timed(lambda: ungoverned.ask("tools/call", UNGOVERNED)),
            )
            for _ in range(WARM + ROUNDS)
        ][WARM:]
        governed.close()
        ungoverned.close()
    ours, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"schema_read, median of {ROUNDS}: governed {ours:.2f} ms, ungoverned {bare:.2f} ms")
    print(f"governing costs {ours - bare:.2f} ms (bound {BOUND_MS} ms)")
    return int(ours - bare > BOUND_MS)


if __name__ == "__main__":
    sys.exit(main())
