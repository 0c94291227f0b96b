"""How long from spawn to the first answered `tools/list`, beside a one-tool server on the bare SDK?"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from wire import Server, bare_server, our_server, timed

from mcp_migrate.cli.demo_project import make_project

ROUNDS, BOUND = 15, 1.3


def first_list(command: list[str], folder: Path) -> float:
    servers: list[Server] = []

    def begin() -> None:
        servers.append(Server(command, folder))
        servers[0].ask("tools/list", {})

    took = timed(begin)
    servers[0].close()
    return took


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, reviewer_key="ssh-ed25519 AAAA").unlink()  # the local profile
        rounds = [(first_list(our_server(), folder), first_list(bare_server(folder), folder)) for _ in range(ROUNDS)]
    ours, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"spawn to tools/list, median of {ROUNDS}: ours {ours:.0f} ms, bare SDK {bare:.0f} ms")
    print(f"ratio {ours / bare:.2f} (bound {BOUND})")
    return int(ours / bare > BOUND)


if __name__ == "__main__":
    sys.exit(main())
