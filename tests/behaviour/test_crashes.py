"""Is a server that dies at any step of an apply settled as what it was, on each database?"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.ledger import Kind, verify
from tests.crash import AFTER_OUTCOME, BEFORE_OUTCOME, applies, check_uncertain
from tests.world import World

pytestmark = pytest.mark.anyio
_MOST = 60


def _tables(world: World) -> list[str]:
    return [row[0] for row in world.query("SELECT name FROM sqlite_schema WHERE type = 'table'")]


def _outcomes(world: World) -> list[tuple[str, bool]]:
    return [(event.body["status"], bool(event.body.get("recovered"))) for event in world.events(Kind.STEP_FINISHED)]


@pytest.mark.proves("survives-crashes")
async def test_a_server_killed_at_any_step_leaves_the_target_before_or_after(at_a1: World) -> None:
    kept = at_a1.folder.with_name(f"{at_a1.folder.name}-kept")
    shutil.copytree(at_a1.folder, kept)
    seen = set()
    said = at_a1.folder.with_name(f"{at_a1.folder.name}-said")
    with applies(said) as apply:
        for step in range(1, _MOST):
            _put_back(at_a1, kept)
            ended = apply(at_a1.config, at_a1.planned, step)
            if ended == 0:
                break
            assert ended == -signal.SIGKILL, said.read_text()
            seen.add(await _settled(at_a1, changed="loyalty_points" in at_a1.columns("customers")))
    assert ended == 0
    assert step > 5
    assert seen == {None, "failed", "applied"}


async def _settled(world: World, *, changed: bool) -> str | None:
    """What the record says became of it, after a look; then the same plan goes through."""
    started = bool(world.events(Kind.STEP_STARTED))
    async with world.agent(knowing=True) as agent:
        status = await agent.call("migration_status", target="shop")
        outcomes = _outcomes(world)
        again = await agent.call("migration_apply", plan_id=agent.planned)
    assert status["in_flight"] == []
    assert len(outcomes) == int(started)
    if outcomes:
        assert outcomes[0][0] == ("applied" if changed else "failed")
    assert again["status"] == "applied"
    assert bool(again.get("already")) == changed
    assert status["revision"] == ("b2" if changed else "a1")
    assert verify(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db").ok
    if not again.get("already"):
        assert not [name for name in _tables(world) if name.startswith("_mcp")]
    return outcomes[0][0] if outcomes else None


_MIXED = """op.create_table("items", sa.Column("id", sa.Integer), sa.Column("name", sa.Text))
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY by_name ON items (name)")
    op.add_column("items", sa.Column("more", sa.Text))"""


@pytest.mark.proves("survives-crashes")
async def test_on_postgresql_what_stands_is_told_to_the_statement(world: World, postgres_server: str) -> None:
    url = postgres_server.replace("/postgres?", "/crashes?")
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    world.write_revision("p1", None, _MIXED)
    world.configure(lambda config: config["targets"]["shop"].update(url=url))
    _empty(postgres_server)
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop")
    kept = world.folder.with_name(f"{world.folder.name}-kept")
    shutil.copytree(world.folder, kept)
    seen = set()
    finished: set[tuple[bool, bool]] = set()
    said = world.folder.with_name(f"{world.folder.name}-said")
    with applies(said) as apply:
        for step in range(1, _MOST):
            _put_back(world, kept)
            _empty(postgres_server)
            ended = apply(world.config, plan["plan_id"], step)
            if ended == 0:
                break
            assert ended == -signal.SIGKILL, said.read_text()
            seen.add(await _told_exactly(world, url, finished))
    assert ended == 0
    assert seen == {None, "failed", "partially_applied", "applied"}
    assert {(True, True), (True, False)} <= finished  # of one statement nobody could say; the schema did


async def _told_exactly(world: World, url: str, finished: set[tuple[bool, bool]]) -> str | None:
    """What the record says stands is what stands."""
    async with world.agent(knowing=True) as agent:
        await agent.call("schema_read", target="shop")  # whatever is said of the target settles it first
    assert len(world.events(Kind.STEP_FINISHED)) == len(world.events(Kind.STEP_STARTED))
    settled = world.events(Kind.STEP_FINISHED)
    if not settled:
        return None
    with connect(url) as connection:
        [(table, index, more)] = connection.execute(
            "SELECT to_regclass('items') IS NOT NULL, to_regclass('by_name') IS NOT NULL,"
            " EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('items') AND attname = 'more')"
        ).fetchall()
    body = settled[0].body
    sent = {
        statement["n"]: statement["sql"] for statement in world.events(Kind.STEP_STARTED)[0].body["plan"]["statements"]
    }
    stands = " ".join(sent[n] for n in (sent if body["status"] == "applied" else body["ran"]))
    unsure = sent.get(body.get("uncertain"), "")
    assert (("items" in stands), ("more" in stands)) == (table, more)
    assert index == ("by_name" in stands) or "by_name" in unsure
    check_uncertain(world, body)
    case = (bool(unsure), index)
    if body["status"] == "partially_applied" and case not in finished:
        finished.add(case)
        await _finish(world, url)
    return str(body["status"])


async def _finish(world: World, url: str) -> None:
    """The rest, and nothing of it twice: the statements would not run a second time."""
    async with world.agent(knowing=True) as agent:
        plan = await agent.call("migration_plan", target="shop", to="finish")
        assert "plan_id" in plan, plan
        done = await agent.call("migration_apply", plan_id=plan["plan_id"])
        if done.get("status") == "approval_required":
            world.sign(done["request_id"])
            done = await agent.call("migration_apply", plan_id=plan["plan_id"])
        status = await agent.call("migration_status", target="shop")
    assert (done["status"], status["revision"], status["drift"]["drifted"]) == ("applied", "p1", False)
    with connect(url) as connection:
        assert connection.execute("SELECT bool_and(indisvalid) FROM pg_index").fetchone() == (True,)


_LOSING = """with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY by_share ON owners (share)")
    op.execute("UPDATE owners SET share = 0 WHERE id = 2")"""
_GAINING = """with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY by_share")"""


@pytest.mark.proves("auto-rollback")
async def test_an_apply_whose_server_dies_before_it_is_taken_back_keeps_others_waiting(
    world: World, postgres_server: str
) -> None:
    url = postgres_server.replace("/postgres?", "/crashes?")
    _empty(postgres_server)
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    made = ("CREATE TABLE owners (id integer PRIMARY KEY, share integer)", "INSERT INTO owners VALUES (1, 5), (2, 7)")
    world.write_revision("p1", None, "\n    ".join(f'op.execute("{sql}")' for sql in made))
    world.write_revision("p2", "p1", _LOSING, _GAINING)
    poor = {"name": "nobody is poor", "sql": "SELECT 1 FROM owners WHERE share < 1"}
    about = {"url": url, "checks": [poor], "limits": {"auto_rollback": True}}
    world.configure(lambda config: config["targets"]["shop"].update(about))
    async with world.agent() as agent:
        await agent.plan_and_apply("p1")
        plan = await agent.call("migration_plan", target="shop", to="p2")
        world.sign((await agent.call("migration_apply", plan_id=plan["plan_id"]))["request_id"])
    kept = world.folder.with_name(f"{world.folder.name}-kept")
    shutil.copytree(world.folder, kept)
    said = world.folder.with_name(f"{world.folder.name}-said")
    with applies(said) as apply:
        for moment, known in ((BEFORE_OUTCOME, []), (AFTER_OUTCOME, ["nobody is poor"])):
            _put_back(world, kept)
            assert apply(world.config, plan["plan_id"], moment) == -signal.SIGKILL, said.read_text()
            assert await _waits(world, url, plan["plan_id"], mended=bool(known)) == known


async def _waits(world: World, url: str, plan_id: str, *, mended: bool) -> list[str]:
    """The checks that are known to fail. What was left goes on by a rollback, or once it is mended."""
    async with world.agent(knowing=True) as agent:
        refused = await agent.call("migration_apply", plan_id=plan_id)
        left = (await agent.call("migration_status", target="shop"))["left_standing"]
        checked = await agent.call("migration_validate", apply_id=left["apply_id"])
        still = await agent.call("migration_apply", plan_id=plan_id)
        if mended:
            _sql_of(url, "UPDATE owners SET share = 1 WHERE share = 0")
            assert (await agent.call("migration_validate", apply_id=left["apply_id"]))["ok"] is True
            done = await agent.call("migration_apply", plan_id=plan_id)
        else:
            waiting = await agent.call("migration_rollback", apply_id=left["apply_id"])
            world.sign(waiting["request_id"])
            done = await agent.call("migration_rollback", apply_id=left["apply_id"])
    assert (refused["code"], refused["status"], checked["ok"]) == ("validation_failed", "applied", False)
    assert still["code"] == "validation_failed"
    assert "its server ended before it could take it back" in refused["message"]
    assert (done["status"], bool(done.get("already"))) == ("applied", mended)
    assert _sql_of(url, "SELECT share FROM owners ORDER BY id") == [(5,), (1 if mended else 7,)]
    return [check["name"] for check in left["checks"]]


def _sql_of(url: str, sql: str) -> list[tuple[object, ...]]:
    with connect(url) as connection:
        done = connection.execute(sql.encode())
        return list(done.fetchall()) if done.description else []


def _put_back(world: World, kept: Path) -> None:
    """All that an apply changes, as it was; the project stays, so that nobody has to look at it anew."""
    shutil.rmtree(world.folder / ".mcp-migrate")
    shutil.copytree(kept / ".mcp-migrate", world.folder / ".mcp-migrate")
    for left in world.folder.glob("shop.db*"):
        left.unlink()
    for copy in kept.glob("shop.db*"):
        shutil.copy2(copy, world.folder)


def _empty(server: str) -> None:
    with connect(server) as admin:
        admin.execute("DROP DATABASE IF EXISTS crashes WITH (FORCE)")
        admin.execute("CREATE DATABASE crashes")
