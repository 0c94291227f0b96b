"""How much longer than a bare SDK server do we take from spawn to the first answered `tools/list`?

python benchmarks/start.py [RUNS]; exits 1 above the bound.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from pipes import BARE, OURS, Server, described, make_shop, milliseconds

BOUND = 1.3
RUNS = 21


def first_answer(command: Sequence[str], folder: Path, tools: int) -> float:
    """Milliseconds from spawn to an answered `tools/list` that holds this many tools."""
    began = time.perf_counter()
    with Server(command, folder) as server:
        listed = server.ask("tools/list")["tools"]
        took = milliseconds(began)
    assert len(listed) == tools, [tool["name"] for tool in listed]
    return took


def measure(folder: Path, runs: int) -> tuple[list[float], list[float]]:
    """The two servers, turn and turn about; the first pair fills the caches and is not counted."""
    pairs = [(first_answer(BARE, folder, 1), first_answer(OURS, folder, 11)) for _ in range(runs + 1)]
    return [bare for bare, _ in pairs[1:]], [ours for _, ours in pairs[1:]]


def main() -> int:
    runs = int(sys.argv[1]) if sys.argv[1:] else RUNS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_shop(folder)
        bare, ours = measure(folder, runs)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(described("bare SDK server", bare))
    print(described("mcp-migrate serve", ours))
    print(f"ratio {ratio:.2f}, bound {BOUND}")
    return int(ratio > BOUND)


if __name__ == "__main__":
    sys.exit(main())
