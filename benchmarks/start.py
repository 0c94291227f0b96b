"""How long from spawn to the first answered `tools/list`, beside a one-tool server on the bare SDK?"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wire import Server, bare_server, our_server, timed, told

from mcp_migrate.cli.demo_project import make_project

ROUNDS, WARM, BOUND = 21, 1, 1.3


def first_list(command: Sequence[str], folder: Path, *, tools: int) -> float:
    """Milliseconds from spawn to an answer that lists this many tools; how the server ends is not counted."""

    def begin() -> tuple[Server, int]:
        server = Server(command, folder)
        return server, len(server.ask("tools/list", {})["tools"])

    took, (server, listed) = timed(begin)
    server.close()
    assert listed == tools
    return took


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, reviewer_key="ssh-ed25519 AAAA").unlink()  # the local profile
        rounds = [
            (
                first_list(our_server(), folder, tools=11),
                first_list(bare_server(f"sqlite:///{folder}/shop.db"), folder, tools=1),
            )
            for _ in range(WARM + ROUNDS)
        ][WARM:]
    ours, bare = ([*column] for column in zip(*rounds, strict=True))
    ratio = statistics.median(ours) / statistics.median(bare)
    print("From spawn to the first answered tools/list:")
    print(told("mcp-migrate", ours))
    print(told("bare SDK", bare))
    print(f"ratio {ratio:.2f} (bound {BOUND})")
    return int(ratio > BOUND)


if __name__ == "__main__":
    sys.exit(main())
