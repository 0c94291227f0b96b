"""Is the ledger as fast as the disk lets it be? Appending, verifying and proving, each beside what it must cost."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from mcp_migrate.ledger import Draft, Kind, Ledger, verify
from mcp_migrate.ledger.proofs import verify_consistency, verify_inclusion

SINGLE, GROUP, VERIFY, PROOF_MS = 0.5, 5.0, 3.0, 5.0
ROUNDS, WRITERS, PROOFS = 2_000, 32, 200
ENTRIES, BATCH = 1_000_000, 10_000
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CALL = {  # what a call leaves on the ledger
    "tool": "schema_read",
    "target": "shop",
    "principal": "agent:claude-code",
    "intent": "Bring the shop to where it should be",
    "ticket": None,
    "client": "claude-code 2.1",
    "protocol": "2026-07-28",
    "arguments": {"detail": "outline", "tables": ["public.*"]},
    "owner": "Ada Lovelace <ada@example.com>",
    "scopes": ["schema-agent[0]"],
}
RECEIVED = Draft(Kind.CALL_RECEIVED, CALL, workflow="schema-agent", call_id="call_0123456789abcdef")


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second, of `count`."""
    start = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - start)


def disk(folder: Path) -> float:
    """How often a second a page is on this disk for sure."""
    sync = getattr(os, "fdatasync", os.fsync)
    with (folder / "written").open("ab", buffering=0) as file:

        def write() -> None:
            file.write(bytes(4096))
            sync(file.fileno())

        return rate(ROUNDS, write)


def together(ledger: Ledger) -> float:
    """Entries a second of 32 threads that append one at a time."""
    each = ROUNDS * 4 // WRITERS

    def work() -> None:
        for _ in range(each):
            ledger.append(RECEIVED, at=NOW)

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * WRITERS / (time.perf_counter() - start)


def appending(folder: Path) -> list[bool]:
    """Turn and turn about, since a disk is not the same for long."""
    singles, groups = [], []
    with Ledger.open(f"sqlite:///{folder}/small.db") as ledger:
        for _ in range(5):
            synced = disk(folder)
            single = rate(ROUNDS, lambda: ledger.append(RECEIVED, at=NOW))
            singles.append(single / synced)
            groups.append(together(ledger) / (SINGLE * synced))
            grouped = groups[-1] * SINGLE * synced
            print(f"  disk {synced:,.0f}/s, single {single:,.0f}/s, {WRITERS} writers {grouped:,.0f}/s")
    single, group = statistics.median(singles), statistics.median(groups)
    print(f"single appends: {single:.2f} x this disk's fdatasync (bound {SINGLE})")
    print(f"group commit of {WRITERS} writers: {group:.1f} x the bound on single ones (bound {GROUP})")
    return [single >= SINGLE, group >= GROUP]


def read_and_hashed(path: Path) -> float:
    """Seconds to read every entry and hash what it says."""
    start = time.perf_counter()
    with closing(sqlite3.connect(path)) as raw:
        for row in raw.execute("SELECT * FROM events ORDER BY seq"):
            hashlib.sha256("\0".join(map(str, row[:7])).encode()).digest()
    return time.perf_counter() - start


def large(path: Path) -> None:
    with Ledger.open(f"sqlite:///{path}") as ledger:
        for _ in range(0, ENTRIES, BATCH):
            ledger.append(*[RECEIVED] * BATCH, at=NOW)


def verifying(path: Path) -> list[bool]:
    ratios = []
    for _ in range(3):
        least = read_and_hashed(path)
        start = time.perf_counter()
        assert verify(f"sqlite:///{path}").ok
        took = time.perf_counter() - start
        ratios.append(took / least)
        print(f"  {ENTRIES:,} entries: read and hashed in {least:.1f} s, verified in {took:.1f} s")
    print(f"verifying: {statistics.median(ratios):.2f} x reading and hashing (bound {VERIFY})")
    return [statistics.median(ratios) <= VERIFY]


def proving(path: Path) -> list[bool]:
    """Each proof is verified, so that a wrong one is no fast one."""
    times: list[float] = []
    with Ledger.open(f"sqlite:///{path}", create=False) as ledger:
        root = bytes.fromhex(ledger.head().root)
        for n in range(PROOFS):
            at = (n * 7_919 * 613) % ENTRIES
            start = time.perf_counter()
            proof, grown = ledger.prove_inclusion(at, ENTRIES), ledger.prove_consistency(at + 1, ENTRIES)
            times.append((time.perf_counter() - start) / 2)
            (event,) = ledger.read(since=at, limit=1)
            assert verify_inclusion(event.leaf, at, ENTRIES, proof, root)
            assert verify_consistency(at + 1, event.root, ENTRIES, root, grown)
    worst = max(times) * 1000
    print(
        f"a proof at {ENTRIES:,}: {statistics.median(times) * 1000:.2f} ms, {worst:.2f} ms at worst (bound {PROOF_MS})"
    )
    return [worst < PROOF_MS]


def main() -> int:
    with tempfile.TemporaryDirectory(dir=".", prefix=".benchmark-") as name:
        folder = Path(name).absolute()
        kept = appending(folder)
        large(folder / "large.db")
        kept += [*verifying(folder / "large.db"), *proving(folder / "large.db")]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
