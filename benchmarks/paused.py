"""What do a thousand calls hold that wait for people? Threads, files, sessions of PostgreSQL, locks: before and after.

Each asks another question, over HTTP, of two replicas that share a ledger in PostgreSQL, as `team.py` starts them. The
first few are made before anything is counted, so that what is kept for the next call is there already.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from team import INTENT, Side, answered, ours, postgres

from tests.world import World

_IDLE_SECONDS = 12
CALLS, WARM, AT_ONCE = 1_000, 40, 20
FORGET = """
name: forget_fax
title: Forget fax numbers
description: Empties the fax numbers of one customer, for whom they are no longer needed.
effects: [data, destructive]
parameters: {type: object, properties: {email: {type: string}}, required: [email]}
sql: UPDATE customers SET fax = NULL WHERE email = {email}
rollback: []
"""
HELD = """
SELECT count(*) FILTER (WHERE backend_type = 'client backend'),
       count(*) FILTER (WHERE backend_type = 'client backend' AND state <> 'idle'),
       (SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid())
FROM pg_stat_activity WHERE pid <> pg_backend_pid()
"""


def furnish(world: World) -> None:
    """A tool that asks people whatever it is called with, as often as it likes."""
    folder = world.folder / "team_tools"
    folder.mkdir()
    (folder / "forget_fax.yaml").write_text(FORGET)

    def change(config: Any) -> None:
        mine = config["workflows"]["shop-agent"]
        mine["scopes"].append({"tools": ["forget_fax"], "targets": ["shop"], "effects": ["data", "destructive"]})
        mine["limits"] = {"open_requests": 10 * CALLS}
        config["tool_specs"] = ["./team_tools"]

    world.configure(change)


async def pause(side: Side, numbers: list[int]) -> None:
    """Make calls that people have to decide on, one after another, each over a connection of its own."""
    while numbers:
        number = numbers.pop()
        arguments = {"intent": INTENT, "target": "shop", "email": f"{number}@example.com"}
        port = side.ports[number % len(side.ports)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(side.request(port, {"name": "forget_fax", "arguments": arguments}))
        answer = await answered(reader)
        assert answer["structuredContent"]["status"] == "approval_required", answer
        writer.close()


async def paused(side: Side, first: int, count: int) -> float:
    """Have so many calls wait; the seconds that took."""
    numbers = list(range(first, first + count))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as crowd:
        for _ in range(AT_ONCE):
            crowd.create_task(pause(side, numbers))
    return time.perf_counter() - began


def held(side: Side, ledger: str) -> Mapping[str, int]:
    """What replicas and PostgreSQL hold now: a worker that was idle for ten seconds ends at the next call."""
    time.sleep(_IDLE_SECONDS)
    asyncio.run(pause(side, [0, 1]))
    time.sleep(1)  # what hung up is closed
    found = {"threads": 0, "files": 0}
    for process in side.processes:
        status = Path(f"/proc/{process}/status").read_text()
        found["threads"] += int(status.partition("Threads:")[2].split()[0])
        found["files"] += len(list(Path(f"/proc/{process}/fd").iterdir()))
    with psycopg.connect(ledger) as connection:
        [(sessions, busy, locks)] = connection.execute(HELD).fetchall()
    return {**found, "sessions": sessions, "busy sessions": busy, "locks": locks}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "shop"
        folder.parent.chmod(0o755)  # PostgreSQL runs as another account where this is root
        folder.mkdir()
        with postgres(Path(name) / "postgres") as ledger, ours(folder, ledger, furnish) as team:
            asyncio.run(paused(team, 0, WARM))
            before = held(team, ledger)
            seconds = asyncio.run(paused(team, WARM, CALLS))
            after = held(team, ledger)
    print(f"{CALLS} calls wait for people, each for a decision of its own; asking took {seconds:.0f} s")
    print(json.dumps({what: [before[what], after[what]] for what in before}))
    return int(any(after[what] > before[what] for what in before))


if __name__ == "__main__":
    sys.exit(main())
