"""What does governing cost? A governed `schema_read` beside an ungoverned tool that does the same read."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from wire import Server, bare_server, our_server, timed, told

from mcp_migrate.cli.demo_project import make_project

ROUNDS, WARM, BOUND_MS = 300, 20, 3.0
GOVERNED = {"name": "schema_read", "arguments": {"intent": "Measure what governing costs", "target": "local"}}
UNGOVERNED = {"name": "read", "arguments": {}}


def call(server: Server, params: dict[str, Any]) -> tuple[float, str]:
    """Milliseconds of one call, and the schema it answered."""
    took, result = timed(lambda: server.ask("tools/call", params))
    return took, result["structuredContent"]["schema"]


def measure(folder: Path) -> tuple[list[float], list[float]]:
    """Governed and ungoverned, turn and turn about, each answering with the same schema."""
    governed, ungoverned = Server(our_server(), folder), Server(bare_server(f"sqlite:///{folder}/shop.db"), folder)
    ours, bare = [], []
    for _ in range(WARM + ROUNDS):
        (our_time, our_schema), (bare_time, bare_schema) = call(governed, GOVERNED), call(ungoverned, UNGOVERNED)
        assert our_schema == bare_schema
        ours.append(our_time)
        bare.append(bare_time)
    governed.close()
    ungoverned.close()
    return ours[WARM:], bare[WARM:]


def durable_write(folder: Path) -> float:
    """Median milliseconds of a small write that is on the disk when it returns; a governed read makes two."""
    with (folder / "written").open("ab", buffering=0) as file:

        def write() -> None:
            file.write(bytes(4096))
            os.fsync(file.fileno())

        return statistics.median(timed(write)[0] for _ in range(ROUNDS))


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, reviewer_key="ssh-ed25519 AAAA").unlink()  # the local profile
        ours, bare = measure(folder)
        durable = durable_write(folder)
    cost = statistics.median(ours) - statistics.median(bare)
    print("One schema_read:")
    print(told("governed", ours))
    print(told("ungoverned", bare))
    print(f"governing costs {cost:.2f} ms (bound {BOUND_MS} ms), with two durable writes of {durable:.2f} ms each")
    return int(cost > BOUND_MS)


if __name__ == "__main__":
    sys.exit(main())
