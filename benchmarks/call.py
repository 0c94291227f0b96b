"""How much longer than an ungoverned tool does a governed `schema_read` of a small SQLite schema take?

python benchmarks/call.py [RUNS]; exits 1 above the bound.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from pipes import BARE, INTENT, OURS, Server, described, make_shop, milliseconds

BOUND = 3.0
RUNS = 300
WARM_UP = 30


def read(server: Server, **arguments: str) -> tuple[float, str]:
    """Milliseconds of one call, and the schema it answered."""
    began = time.perf_counter()
    answer = server.call("schema_read", **arguments)
    return milliseconds(began), str(answer["schema"])


def measure(folder: Path, runs: int) -> tuple[list[float], list[float]]:
    """The two servers, turn and turn about, each answering with the same text."""
    bare, ours = [], []
    with Server(BARE, folder) as ungoverned, Server(OURS, folder) as governed:
        for _ in range(WARM_UP + runs):
            plain, plain_text = read(ungoverned, url="sqlite:///shop.db")
            full, full_text = read(governed, target="local", intent=INTENT)
            assert plain_text == full_text
            bare.append(plain)
            ours.append(full)
    return bare[WARM_UP:], ours[WARM_UP:]


def main() -> int:
    runs = int(sys.argv[1]) if sys.argv[1:] else RUNS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_shop(folder)
        bare, ours = measure(folder, runs)
    difference = statistics.median(ours) - statistics.median(bare)
    print(described("ungoverned", bare))
    print(described("governed", ours))
    print(f"difference {difference:.2f} ms, bound {BOUND:.0f} ms")
    return int(difference > BOUND)


if __name__ == "__main__":
    sys.exit(main())
