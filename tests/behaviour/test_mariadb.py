"""Does a target on MariaDB go through the whole way, and is what stands after a crash told to the statement?"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from typing import Any

import pytest

from mcp_migrate.ledger import Kind, verify
from tests.crash import applies, check_uncertain
from tests.mariadb import ask, file_in_the_way, fresh_database
from tests.world import Agent, World

pytestmark = pytest.mark.anyio
_MOST = 60
_NAME = "the_shop"
_UP = """op.create_table("items", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40)))
    op.execute("INSERT INTO items (id, name) VALUES (1, '100% sure')")
    op.add_column("items", sa.Column("more", sa.Text))"""


def _move_to_mariadb(world: World, url: str) -> None:
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    world.write_revision("m1", None, _UP, 'op.drop_table("items")')
    secret = world.folder.parent / "url"
    secret.write_text(url)
    world.configure(lambda config: config["targets"]["shop"].update(url=f"${{file:{secret}}}"))


async def _plan(agent: Agent) -> Mapping[str, Any]:
    plan = await agent.call("migration_plan", target="shop")
    assert "plan_id" in plan, plan
    return plan


async def _apply(world: World, agent: Agent, plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Apply, with the reviewer's leave where it is needed."""
    answer = await agent.call("migration_apply", plan_id=plan["plan_id"])
    if answer["status"] != "approval_required":
        return answer
    world.sign(answer["request_id"])
    return await agent.call("migration_apply", plan_id=plan["plan_id"])


async def test_a_plan_is_applied_and_rolled_back(world: World, mariadb_url: str) -> None:
    _move_to_mariadb(world, mariadb_url)
    async with world.agent() as agent:
        plan = await _plan(agent)
        assert plan["doubts"] == []
        assert plan["rehearsal"]["faithful"]
        applied = await _apply(world, agent, plan)
        assert (applied["status"], applied["revision"]) == ("applied", "m1")
        assert ask(mariadb_url, "SELECT * FROM items") == [(1, "100% sure", None)]

        status = await agent.call("migration_status", target="shop")
        assert (status["revision"], status["pending"], status["drift"]["drifted"]) == ("m1", [], False)

        assert "unexplained" not in status

        back = await _back(world, agent, applied)
        assert (back["status"], back["revision"]) == ("applied", None)
        tables = [row[0] for row in ask(mariadb_url, "SHOW TABLES")]
        assert [name for name in tables if not name.startswith("_mcp_migrate_undo")] == ["alembic_version"]

        again = await _back(world, agent, back)  # what the rollback dropped was kept as well
        assert again.get("revision") == "m1", again
        assert ask(mariadb_url, "SELECT * FROM items") == [(1, "100% sure", None)]
    assert [row for row in ask(mariadb_url, "SHOW DATABASES") if row[0].startswith("mcp_migrate_scratch")] == []


async def _back(world: World, agent: Agent, applied: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = await agent.call("migration_rollback", apply_id=applied["apply_id"])
    if answer["status"] == "approval_required":
        world.sign(answer["request_id"])
        answer = await agent.call("migration_rollback", apply_id=applied["apply_id"])
    return answer


async def test_a_failure_half_way_is_told_exactly(world: World, mariadb_url: str) -> None:
    _move_to_mariadb(world, mariadb_url)
    async with world.agent() as agent:
        plan = await _plan(agent)
        with file_in_the_way(mariadb_url, "items"):
            answer = await _apply(world, agent, plan)
            again = await agent.call("migration_status", target="shop")

    assert (answer["code"], answer["details"]["ran"], answer["details"]["failed"]) == ("partially_applied", [1], 2)
    assert [row[0] for row in ask(mariadb_url, "SHOW TABLES")] == ["alembic_version"]
    assert again["last_applies"][0]["status"] == "partially_applied"


@pytest.mark.proves("survives-crashes", "statements-on-record")
async def test_what_stands_after_a_crash_is_told_to_the_statement(world: World, mariadb_server: str) -> None:
    url = mariadb_server.removesuffix("/test") + f"/{_NAME}"
    _move_to_mariadb(world, url)
    with fresh_database(mariadb_server, _NAME):
        async with world.agent() as agent:
            plan = await _plan(agent)
            if plan["approval"]["required"]:
                asked = await agent.call("migration_apply", plan_id=plan["plan_id"])
                world.sign(asked["request_id"])
    kept = world.folder.parent / "kept"
    shutil.copytree(world.folder, kept)
    seen: set[str | None] = set()
    said = world.folder.parent / "said"
    with applies(said) as apply:
        for step in range(1, _MOST):
            shutil.rmtree(world.folder)
            shutil.copytree(kept, world.folder)
            with fresh_database(mariadb_server, _NAME):
                ended = apply(world.config, plan["plan_id"], step)
                if ended == 0:
                    break
                assert ended == -signal.SIGKILL, said.read_text()
                seen.add(await _told_exactly(world, url))
    assert ended == 0
    assert seen == {None, "failed", "partially_applied", "applied"}


async def _told_exactly(world: World, url: str) -> str | None:
    """What the record says stands is what stands; what it calls uncertain may."""
    async with world.agent() as agent:
        await agent.call("schema_read", target="shop")  # whatever is said of the target settles it first
    assert len(world.events(Kind.STEP_FINISHED)) == len(world.events(Kind.STEP_STARTED))
    assert verify(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db").ok
    finished = world.events(Kind.STEP_FINISHED)
    if not finished:
        return None
    body, plan = finished[0].body, world.events(Kind.STEP_STARTED)[0].body["plan"]
    sent = {statement["n"]: statement["sql"].split("(")[0] for statement in plan["statements"]}
    stands = set(sent) if body["status"] == "applied" else set(body["ran"])
    for n, holds in _standing(url, sent).items():
        assert holds == (n in stands) or n == body.get("uncertain"), (n, sent[n], body)
    check_uncertain(world, body)
    return str(body["status"])


def _standing(url: str, sent: Mapping[int, str]) -> dict[int, bool]:
    """Which of the plan's statements can be seen on the target."""
    columns = {(row[0], row[1]) for row in ask(url, "SELECT table_name, column_name FROM information_schema.columns")}
    tables = {table for table, _column in columns}
    rows = bool("items" in tables and ask(url, "SELECT * FROM items"))
    version = bool("alembic_version" in tables and ask(url, "SELECT * FROM alembic_version"))
    seen = {
        "CREATE TABLE alembic_version": "alembic_version" in tables,
        "CREATE TABLE items": "items" in tables,
        "INSERT INTO items": rows,
        "ALTER TABLE items": ("items", "more") in columns,
        "INSERT INTO alembic_version": version,
    }
    return {n: next(holds for words, holds in seen.items() if sql.strip().startswith(words)) for n, sql in sent.items()}


_MODELS = """import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("authors", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40)))
sa.Table("books", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("kind", sa.Enum("a", "b")),
         sa.Column("author_id", sa.ForeignKey("authors.id")), sa.CheckConstraint("author_id > 0", name="positive"))
"""


async def test_a_revision_is_made_from_the_models_and_ends_the_difference(world: World, mariadb_url: str) -> None:
    _move_to_mariadb(world, mariadb_url)
    (world.folder / "migrations" / "versions" / "m1_test.py").unlink()
    (world.folder / "books.py").write_text(_MODELS)
    world.configure(lambda config: config["targets"]["shop"].update(models="books:metadata"))
    _leave_out_of_comparisons(world, "legacy")
    name = mariadb_url.rpartition("/")[2]
    ask(mariadb_url, "CREATE TABLE legacy (id INTEGER)")
    async with world.agent() as agent:
        made = await agent.call("revision_create", target="shop", message="books", source="models")
        assert [change["object"] for change in made["changes"]] == [f"{name}.authors", f"{name}.books"]
        await _apply(world, agent, await _plan(agent))
        after = await agent.call("schema_diff", target="shop", against="models")
        again = await agent.call("revision_create", target="shop", message="nothing", source="models")
    assert (after["in_sync"], after["changes"]) == (True, [])
    assert again["status"] == "nothing_to_do"


def _leave_out_of_comparisons(world: World, table: str) -> None:
    env = world.folder / "migrations" / "env.py"
    keeps = f"include_object=lambda thing, name, *_: name != {table!r}, "
    env.write_text(env.read_text().replace("context.configure(", f"context.configure({keeps}"))
