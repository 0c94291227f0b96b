"""With `limits.auto_rollback`, is a target where it was when a check that held before an apply fails after it?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.ledger import Kind, Ledger
from tests.behaviour.test_part_way import _apply, _sql
from tests.mariadb import ask
from tests.world import Agent, World, proved

pytestmark = pytest.mark.anyio

_CHECKS = [
    {"name": "nobody is poor", "sql": "SELECT 1 FROM owners WHERE share < 1"},
    {"name": "failed before", "sql": "SELECT 1"},
    {"name": "nothing is empty", "sql": "SELECT 1 FROM items WHERE name = ''"},
]
_UP = """op.create_table("items", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY by_share ON owners (share)")
    op.drop_column("owners", "note")
    op.execute("UPDATE owners SET share = 0 WHERE id = 2")"""
_DOWN = """op.add_column("owners", sa.Column("note", sa.Text))
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY by_share")
    op.drop_table("items")"""


def _project(world: World, url: str | None, *revisions: tuple[str, str]) -> None:
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    columns = "id INTEGER PRIMARY KEY, share INTEGER, note TEXT"
    rows = "INSERT INTO owners VALUES (1, 5, 'first'), (2, 7, 'second')"
    made = f'op.execute("CREATE TABLE owners ({columns})")\n    op.execute("{rows}")'
    world.write_revision("p1", None, made, 'op.drop_table("owners")')
    for n, (up, down) in enumerate(revisions, 2):
        world.write_revision(f"p{n}", f"p{n - 1}", up, down)
    target: dict[str, Any] = {"checks": _CHECKS, "limits": {"auto_rollback": True}, **({"url": url} if url else {})}
    world.configure(lambda value: value["targets"]["shop"].update(target))


async def _apply_to(world: World, agent: Agent, to: str) -> Any:
    plan = await agent.call("migration_plan", target="shop", to=to)
    assert "plan_id" in plan, plan
    return await _apply(world, agent, plan["plan_id"])


@pytest.mark.proves("auto-rollback", "evidence-offline")
async def test_what_stands_is_taken_back_as_an_apply_of_its_own(world: World, postgres_url: str) -> None:
    _project(world, postgres_url, (_UP, _DOWN))
    rows = "SELECT id, share, note FROM owners ORDER BY id"
    async with world.agent() as agent:
        first = await _apply_to(world, agent, "p1")
        assert first["status"] == "applied", first
        before = _sql(postgres_url, rows)
        failed = await _apply_to(world, agent, "p2")
        after, gone = (
            _sql(postgres_url, rows),
            _sql(postgres_url, "SELECT to_regclass('items'), to_regclass('by_share')"),
        )
        status = await agent.call("migration_status", target="shop")
    assert (failed["code"], failed["status"]) == ("validation_failed", "rolled_back"), failed
    [check] = failed["details"]["checks"]
    assert (check["name"], check["detail"]) == ("nobody is poor", "returned 1 rows, expected none")
    assert (after, gone) == (before, [(None, None)])
    assert (status["revision"], status["drift"]["drifted"]) == ("p1", False)
    back, applied, *_ = world_applies = status["last_applies"]
    assert [each["status"] for each in world_applies] == ["applied"] * 3
    assert failed["details"]["rollback"] == {"apply_id": back["apply_id"], "automatic": True, "revision": "p1"}
    started = {event.subject: event for event in world.events(Kind.STEP_STARTED)}
    told = started[back["apply_id"]].body["automatic"]
    assert (told["apply_id"], told["checks"][0]["name"]) == (applied["apply_id"], "nobody is poor")
    assert started[back["apply_id"]].body["tool"] == "migration_rollback"
    ends = {event.subject: event for event in world.events(Kind.STEP_FINISHED)}
    assert ends[applied["apply_id"]].body["checks_failed"][0]["name"] == "nobody is poor"
    assert ends[applied["apply_id"]].seq < started[back["apply_id"]].seq < ends[back["apply_id"]].seq
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db") as ledger:
        forward, rolled_back = (proved(ledger, each["apply_id"], world.folder).told for each in (applied, back))
    assert [each["apply_id"] for each in forward["rollbacks"]] == [back["apply_id"]]
    assert rolled_back["allowed_by"]["automatic"]["apply_id"] == applied["apply_id"]


_MAKES = """op.create_table("items", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY by_share ON owners (share)")
    op.execute("INSERT INTO items VALUES (1, '')")"""
_TAKES_AWAY = """with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY by_share")
    op.drop_table("items")"""


@pytest.mark.parametrize(
    ("more", "status"), [("", "rolled_back"), ('op.execute("DELETE FROM owners WHERE id = 2")', "applied")]
)
@pytest.mark.proves("auto-rollback")
async def test_where_nobody_signed_only_what_the_apply_made_is_taken_away(
    world: World, postgres_url: str, more: str, status: str
) -> None:
    _project(world, postgres_url, (_MAKES, f"{more}\n    {_TAKES_AWAY}"))
    async with world.agent() as agent:
        for to in ("p1", "p2"):
            plan = await agent.call("migration_plan", target="shop", to=to)
            done = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert (done["code"], done["status"]) == ("validation_failed", status), done
    assert ("public.owners" in done["message"]) is bool(more)
    assert _sql(postgres_url, "SELECT id, share FROM owners ORDER BY id") == [(1, 5), (2, 7)]
    assert not world.events(Kind.APPROVAL_REQUESTED)


@pytest.mark.proves("auto-rollback")
async def test_on_mariadb_the_rows_come_back_as_well(world: World, mariadb_url: str) -> None:
    secret = world.folder.parent / "url"
    secret.write_text(mariadb_url)
    up = 'op.drop_column("owners", "note")\n    op.execute("UPDATE owners SET share = 0 WHERE id = 2")'
    _project(world, f"${{file:{secret}}}", (up, 'op.add_column("owners", sa.Column("note", sa.Text))'))
    rows = "SELECT id, share, note FROM owners ORDER BY id"
    async with world.agent() as agent:
        await _apply_to(world, agent, "p1")
        before = ask(mariadb_url, rows)
        plan = await agent.call("migration_plan", target="shop")
        failed = await _apply(world, agent, plan["plan_id"])
    [seen] = plan["rehearsal"]["restored"]
    assert (seen["rows"], seen["same"]) == (2, True)
    assert (failed["code"], failed["status"]) == ("validation_failed", "rolled_back"), failed
    assert ask(mariadb_url, rows) == before


@pytest.mark.proves("auto-rollback")
async def test_what_is_not_committed_yet_never_is(world: World) -> None:
    world.database.unlink()
    _project(world, None, ('op.execute("UPDATE owners SET share = 0 WHERE id = 2")', "pass"))
    async with world.agent() as agent:
        first = await _apply_to(world, agent, "p1")
        failed = await _apply_to(world, agent, "p2")
        checked = await agent.call("migration_validate", apply_id=first["apply_id"])
    assert (failed["code"], failed["status"]) == ("validation_failed", "failed"), failed
    assert [check["name"] for check in failed["details"]["checks"]] == ["nobody is poor"]
    assert world.query("SELECT share FROM owners ORDER BY id") == [(5,), (7,)]
    assert [event.body["status"] for event in world.events(Kind.STEP_FINISHED)] == ["applied", "failed"]
    assert (checked["applied_by"], checked["validated_by"]) == ("agent:demo", "agent:demo")
    about = world.events(Kind.CALL_FINISHED)[-1].body["about"]
    assert about["failed"] == ["failed before", "nothing is empty"]


@pytest.mark.proves("auto-rollback")
async def test_a_way_back_that_cannot_be_gone_is_told_and_all_of_the_apply_stands(
    world: World, postgres_url: str
) -> None:
    """Its last statement fails on the rows that are there, which planning has seen and told."""
    back = ["ALTER TABLE owners ADD note TEXT", "DROP INDEX by_share", "DROP TABLE items"]
    back += ["ALTER TABLE owners ADD CHECK (share > 0)", "ALTER TABLE owners DROP CONSTRAINT owners_share_check"]
    _project(world, postgres_url, (_UP, "\n    ".join(f'op.execute("{sql}")' for sql in back)))
    async with world.agent() as agent:
        await _apply_to(world, agent, "p1")
        plan = await agent.call("migration_plan", target="shop")
        failed = await _apply(world, agent, plan["plan_id"])
        status = await agent.call("migration_status", target="shop")
    assert (plan["rollback"]["available"], plan["rollback"]["restores_data"]) == (True, False)
    assert "owners_share_check" in " ".join(plan["rollback"]["data_why_not"])
    assert (failed["code"], failed["status"]) == ("validation_failed", "applied"), failed["message"]
    assert "The server could not take it back" in failed["message"]
    assert "owners_share_check" in failed["message"]
    assert status["revision"] == "p2"
    assert [each["status"] for each in status["last_applies"]] == ["failed", "applied", "applied"]
