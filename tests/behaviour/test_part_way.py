"""When an apply stopped part way, is there a plan for the rest and one for the way back, and does nothing run twice?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.ledger import Kind
from tests.behaviour.test_own_tools import NOTES, with_tools
from tests.mariadb import ask, file_in_the_way
from tests.world import Agent, World

pytestmark = pytest.mark.anyio

_UP = """op.create_table("items", sa.Column("id", sa.Integer), sa.Column("name", sa.Text))
    op.execute("INSERT INTO items VALUES (1, 'kept')")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY by_share ON owners ((100 / share))")
    op.add_column("items", sa.Column("more", sa.Text))"""
_DOWN = """op.drop_column("items", "more")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY by_share")
    op.drop_table("items")"""


def _on_postgresql(world: World, url: str) -> None:
    """An owner without a share is in the way of the index, and no precondition can say so."""
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    owners = 'op.create_table("owners", sa.Column("share", sa.Integer))'
    world.write_revision("p1", None, owners, 'op.drop_table("owners")')
    world.write_revision("p2", "p1", _UP, _DOWN)
    world.configure(lambda config: config["targets"]["shop"].update(url=url))


async def _go(world: World, agent: Agent, to: str) -> Mapping[str, Any]:
    """Plan and apply, with the reviewer's leave where it is needed."""
    plan = await agent.call("migration_plan", target="shop", to=to)
    assert "plan_id" in plan, plan
    return await _apply(world, agent, plan["plan_id"])


async def _apply(world: World, agent: Agent, plan_id: str) -> Mapping[str, Any]:
    answer = await agent.call("migration_apply", plan_id=plan_id)
    if answer.get("status") != "approval_required":
        return answer
    world.sign(answer["request_id"])
    return await agent.call("migration_apply", plan_id=plan_id)


def _sql(url: str, sql: str) -> list[Any]:
    with connect(url) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.mark.proves("part-way", "statements-on-record")
async def test_on_postgresql_what_ran_is_taken_back_or_the_rest_runs(world: World, postgres_url: str) -> None:
    _on_postgresql(with_tools(world, NOTES), postgres_url)
    world.configure(lambda value: value.update(reconcile={"block": ["staging"]}))
    async with world.agent() as agent:
        await _go(world, agent, "p1")
        _sql(postgres_url, "INSERT INTO owners VALUES (0)")
        plan = await agent.call("migration_plan", target="shop")
        stopped = await _apply(world, agent, plan["plan_id"])
        status = await agent.call("migration_status", target="shop")
        refused = [
            await agent.call("migration_apply", plan_id=plan["plan_id"]),
            await agent.call("migration_plan", target="shop"),
            await agent.call("migration_rollback", target="shop", to="base"),
            await agent.call("migration_rollback", apply_id=status["last_applies"][0]["apply_id"]),
            await agent.call("make_notes", target="shop", table="notes"),
        ]
        undone = await _go(world, agent, "undo")
        gone = _sql(postgres_url, "SELECT to_regclass('items'), to_regclass('by_share')")
        await _apply(world, agent, (await agent.call("migration_plan", target="shop"))["plan_id"])
        _sql(postgres_url, "UPDATE owners SET share = 1")
        asked = len(world.events(Kind.APPROVAL_REQUESTED))
        finished = await _go(world, agent, "finish")
        after = await agent.call("migration_status", target="shop")
        back = await agent.call("migration_rollback", apply_id=finished["apply_id"])
        if back["status"] == "approval_required":
            world.sign(back["request_id"])
            back = await agent.call("migration_rollback", apply_id=finished["apply_id"])

    left = {"object": "public.by_share", "what": "invalid index", "clean": "DROP INDEX CONCURRENTLY public.by_share"}
    assert (stopped["code"], stopped["details"]["ran"], stopped["details"]["failed"]) == (
        "partially_applied",
        [1, 2],
        3,
    )
    assert (stopped["details"]["not_ran"], stopped["details"]["left"]) == ([3, 4, 5], left)
    assert [step["arguments"]["to"] for step in status["part_way"]["next"]] == ["finish", "undo"]
    assert [answer["code"] for answer in refused] == ["plan_stale"] * 5
    signed = world.events(Kind.APPROVAL_REQUESTED)[asked].body
    assert "a person looks at what the target became since" in str(signed["demands"])
    became = [each["object"] for each in signed["subject"]["unexplained"]["differences"]]
    assert became == ["table public.items", "table public.owners"]  # the index that was never finished
    assert "SINCE     added table public.items" in world.approvals("show", signed["request_id"]).stdout
    assert (undone["status"], undone["revision"], gone) == ("applied", "p1", [(None, None)])
    assert (finished["status"], finished["revision"]) == ("applied", "p2")
    assert not {"part_way", "unexplained"} & set(after)
    assert not after["drift"]["drifted"]
    assert (back["status"], back["revision"]) == ("applied", "p1")
    statements = [event for event in world.events() if event.kind.startswith("statement.")]
    sent = [(event.kind.removeprefix("statement."), event.body["n"], event.body.get("status")) for event in statements]
    stops = [("started", 3, None), ("finished", 3, "failed")]
    first, second = ([("started", n, None), ("finished", n, "ran")] for n in (1, 2))
    assert sent == [*stops, *first, *stops, *first, *second, *second]


_STEPS = """op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO items VALUES (1)")
    op.create_table("others", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO items VALUES (2)")
    op.create_table("last", sa.Column("id", sa.Integer, primary_key=True))"""
_STEPS_BACK = """op.drop_table("last")
    op.drop_table("others")
    op.drop_table("items")"""


async def test_on_mariadb_the_rest_runs_and_what_ran_is_taken_back(world: World, mariadb_url: str) -> None:
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    world.write_revision("m1", None, _STEPS, _STEPS_BACK)
    secret = world.folder.parent / "url"
    secret.write_text(mariadb_url)
    world.configure(lambda config: config["targets"]["shop"].update(url=f"${{file:{secret}}}"))
    async with world.agent() as agent:
        with file_in_the_way(mariadb_url, "others"):
            stopped = await _go(world, agent, "head")
        with file_in_the_way(mariadb_url, "last"):
            again = await _go(world, agent, "finish")
        status = await agent.call("migration_status", target="shop")
        undone = await _go(world, agent, "undo")
        left = {row[0] for row in ask(mariadb_url, "SHOW TABLES")}
        with file_in_the_way(mariadb_url, "others"):
            await _go(world, agent, "head")
        finished = await _go(world, agent, "finish")
        rows = ask(mariadb_url, "SELECT id FROM items")
        back = await agent.call("migration_plan", target="shop", to="undo")
    assert (stopped["details"]["ran"], stopped["details"]["not_ran"]) == ([1, 2, 3], [4, 5, 6, 7])
    assert (again["details"]["ran"], again["details"]["not_ran"]) == ([1, 2], [3, 4])
    assert [statement["n"] for statement in status["part_way"]["not_ran"]] == [3, 4]
    assert (undone["status"], undone["revision"], left) == ("applied", None, {"alembic_version"})
    assert (finished["status"], finished["revision"], rows) == ("applied", "m1", [(1,), (2,)])
    assert back["code"] == "render_failed"  # nothing is part way any more: it is no revision
