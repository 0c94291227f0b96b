"""Does a rollback bring back what was lost, and does everybody say the same of it beforehand?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from mcp_migrate.ledger import Kind
from tests.world import Agent, World

pytestmark = pytest.mark.anyio
_TO_B2 = {"target": "shop", "to": "b2"}
FAXES = "SELECT id, fax FROM customers ORDER BY id"


def write(world: World, sql: str) -> None:
    with closing(sqlite3.connect(world.database)) as database, database:
        database.execute(sql)


@pytest.fixture
def world(at_b2: World) -> World:
    return at_b2


async def applied(world: World, agent: Agent, to: str = "c3", *, words: tuple[str, ...] = ()) -> str:
    """Apply what needs a signature, with these `words` on its command line; the id of the apply."""
    plan_id = agent.planned if to == "c3" else (await agent.call("migration_plan", target="shop", to=to))["plan_id"]
    waiting = await agent.call("migration_apply", plan_id=plan_id)
    world.sign(waiting["request_id"], *words)
    done = await agent.call("migration_apply", plan_id=plan_id)
    assert done["status"] == "applied", done
    return str(done["apply_id"])


async def rolled_back(world: World, agent: Agent, apply_id: str) -> dict[str, Any]:
    done = await agent.call("migration_rollback", apply_id=apply_id)
    if done["status"] == "approval_required":
        world.sign(done["request_id"])
        done = await agent.call("migration_rollback", apply_id=apply_id)
    return dict(done)


@pytest.mark.proves("design-5")
async def test_a_rolled_back_apply_gives_every_row_back(world: World) -> None:
    before = world.query(FAXES)
    async with world.agent() as agent:
        apply_id = await applied(world, agent)
        assert "fax" not in world.columns("customers")
        checked = await agent.call("migration_validate", apply_id=apply_id)
        done = await rolled_back(world, agent, apply_id)
    assert checked["ok"] is True
    assert done["status"] == "applied", done
    assert world.query(FAXES) == before
    assert any(fax for _id, fax in before)
    assert not [
        name for (name,) in world.query("SELECT name FROM sqlite_schema") if name.startswith("_mcp_migrate_undo_")
    ]


async def test_a_rollback_runs_once_where_it_fits_and_for_who_may_and_can_be_taken_back(world: World) -> None:
    other = {"owner": {"name": "Alan", "email": "alan@example.com"}, "principals": ["agent:other"]}
    reading = {"tools": ["migration_status"], "targets": ["*"]}
    changing = {"tools": ["migration_*"], "targets": ["*"]}
    every = ["read", "additive", "data", "destructive", "breaking", "blocking", "privilege", "unknown"]
    others = {
        "other": {**other, "scopes": [reading]},
        "third": {**other, "principals": ["agent:third"], "scopes": [{**changing, "effects": every}]},
    }
    world.configure(lambda value: value["workflows"].update(others))
    before = world.query(FAXES)
    async with world.agent() as agent, world.agent("agent:other") as stranger, world.agent("agent:third") as third:
        await agent.plan_and_apply("b2")
        apply_id = await applied(world, agent)
        refused = [await stranger.call("migration_rollback", apply_id=apply_id)]
        theirs = [await third.call("migration_rollback", **by) for by in ({"apply_id": apply_id}, _TO_B2)]
        write(world, "ALTER TABLE orders ADD COLUMN extra TEXT")
        refused.append(await agent.call("migration_rollback", apply_id=apply_id))
        theirs.append(await third.call("migration_rollback", **_TO_B2))  # by the downgrades of today
        back = await third.call("migration_plan", **_TO_B2)
        theirs.append(await third.call("migration_apply", plan_id=back["plan_id"]))
        write(world, "ALTER TABLE orders DROP COLUMN extra")
        done = await rolled_back(world, agent, apply_id)
        refused.append(await agent.call("migration_rollback", apply_id=apply_id))
        again = await rolled_back(world, agent, str(done["apply_id"]))
        gone = "fax" not in world.columns("customers")
        last = await rolled_back(world, agent, str(again["apply_id"]))
    assert [answer["code"] for answer in refused] == ["not_permitted", "plan_stale", "plan_stale"]
    assert [answer["code"] for answer in theirs] == ["not_permitted"] * 4
    told = f"{apply_id} was applied by workflow 'shop-agent', not 'third'"
    assert [told in answer["message"] for answer in theirs] == [True] * 4, theirs
    assert "The schema of shop changed since" in refused[1]["message"]
    assert "shop is at b2" in refused[2]["message"]
    assert [answer["status"] for answer in (done, again, last)] == ["applied"] * 3, (again, last)
    assert gone
    assert world.query(FAXES) == before


@pytest.mark.proves("design-5")
async def test_plan_review_and_ledger_say_the_same_of_the_way_back(world: World) -> None:
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="c3")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
        shown = world.command("approvals", "show", waiting["request_id"])
        world.sign(waiting["request_id"])
        done = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert "rolling back restores the data as well, for 14 days" in plan["summary"]
    assert plan["rollback"]["restores_data"] is True
    assert plan["rehearsal"]["restored"] == [{"table": "main.customers", "rows": 40, "same": True}]
    assert "tried on rows of the target and brought each one back: 40 of main.customers" in " ".join(
        shown.stdout.split()
    )
    [kept] = plan["rollback"]["keeps"]
    assert (kept["table"], kept["columns"], kept["method"]) == ("main.customers", ["fax"], "primary key")
    assert kept["rows_now"] == world.query("SELECT count(*) FROM customers")[0][0]
    assert "restores schema and data: rows of main.customers are kept for 14 days" in shown.stdout
    [started] = [event for event in world.events(Kind.STEP_STARTED) if event.subject == done["apply_id"]]
    assert started.body["plan"]["undo"]["restores_data"] is True
    assert done["undo_until"] > started.at


@pytest.mark.proves("design-5")
async def test_rows_without_a_key_are_promised_everywhere_and_come_back(world: World) -> None:
    write(world, "CREATE TABLE visits (who TEXT, page TEXT)")
    write(world, "INSERT INTO visits VALUES ('ada', 'a'), ('ada', 'a'), ('ada', 'b'), ('grace', 'a')")
    world.write_revision("d4", "b2", "op.execute(\"UPDATE visits SET page = 'x' WHERE who = 'ada'\")", "pass")
    before = world.query("SELECT who, page FROM visits ORDER BY 1, 2")
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="d4")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
        shown = world.command("approvals", "show", waiting["request_id"])
        world.sign(waiting["request_id"])
        done = await agent.call("migration_apply", plan_id=plan["plan_id"])
        write(world, "INSERT INTO visits VALUES ('ada', 'x')")
        back = await rolled_back(world, agent, done["apply_id"])
    assert "rolling back restores the data as well, for 14 days" in plan["summary"]
    assert [(kept["table"], kept["method"]) for kept in plan["rollback"]["keeps"]] == [("main.visits", "whole rows")]
    assert plan["rehearsal"]["restored"] == [{"table": "main.visits", "rows": 4, "same": True}]
    assert "restores schema and data: rows of main.visits are kept for 14 days" in shown.stdout
    [started] = [event for event in world.events(Kind.STEP_STARTED) if event.subject == done["apply_id"]]
    assert started.body["plan"]["undo"]["restores_data"] is True
    assert (back["status"], back["rehearsal"]["put_back"][0]["same"]) == ("applied", True), back
    assert world.query("SELECT who, page FROM visits ORDER BY 1, 2") == sorted([*before, ("ada", "x")])


@pytest.mark.proves("approval-covers-rollback")
async def test_a_rollback_that_was_approved_with_its_apply_runs_at_once_and_only_once(world: World) -> None:
    rule = {"when": {"tools": ["migration_rollback"]}, "require": {"from": "dba"}}
    world.configure(lambda value: value.update(approvals=[*value.get("approvals", []), rule]))
    before = world.query(FAXES)
    async with world.agent() as agent:
        apply_id = await applied(world, agent, words=("--covers-rollback", "4h"))
        status = await agent.call("migration_status", target="shop")
        write(world, "UPDATE customers SET email = 'changed@example.com' WHERE id = 2")
        done = await agent.call("migration_rollback", apply_id=apply_id)
        after = world.query(FAXES)
        [asked] = [event for event in world.events(Kind.APPROVAL_REQUESTED) if event.body["tool"] == "migration_apply"]
        decided = await agent.call("approval_status", request_id=str(asked.subject))
        twice = await applied(world, agent)
        again = await agent.call("migration_rollback", apply_id=twice)
        shown = world.approvals("show", str(asked.subject))
    assert done["status"] == "applied", done
    assert after == before
    until = decided["decisions"][0]["covers_rollback_until"]
    assert status["last_applies"][0]["rollback_covered_until"] == until
    assert f"covers its rollback until {until}" in " ".join(shown.stdout.split())
    [started] = [event for event in world.events(Kind.STEP_STARTED) if event.subject == done["apply_id"]]
    assert started.body["covered_by"] == {"request_id": asked.subject, "until": until}
    assert started.body["rehearsal"]["put_back"] == [{"table": "main.customers", "rows": 40, "same": True}]
    assert done["rehearsal"]["put_back"] == started.body["rehearsal"]["put_back"]
    assert again["status"] == "approval_required", "that apply was approved by itself"


async def test_rows_beyond_the_limit_are_not_kept_and_the_plan_says_so(world: World) -> None:
    world.configure(lambda value: value["targets"]["shop"].update(limits={"undo_rows": 3, "undo_keep": "2h"}))
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="c3")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
        shown = world.command("approvals", "show", waiting["request_id"])
    assert plan["rollback"]["restores_data"] is False
    assert "rolling back restores the schema, not the data: main.customers holds about 40 rows" in plan["summary"]
    assert "more than the 3 kept" in plan["rollback"]["data_why_not"][0]
    assert "NOT ALL THE DATA: main.customers holds about" in shown.stdout
    assert all("_mcp_migrate" not in statement["sql"] for statement in plan["statements"])


async def test_what_was_written_since_stays(world: World) -> None:
    async with world.agent() as agent:
        apply_id = await applied(world, agent)
        write(world, "DELETE FROM customers WHERE id = 1")
        write(world, "INSERT INTO customers (id, email) VALUES (9000, 'new@example.com')")
        write(world, "UPDATE customers SET email = 'changed@example.com' WHERE id = 2")
        await rolled_back(world, agent, apply_id)
    assert world.query("SELECT fax FROM customers WHERE id IN (1, 9000)") == [(None,)]
    [(email, fax)] = world.query("SELECT email, fax FROM customers WHERE id = 2")
    assert (email, bool(fax)) == ("changed@example.com", True)


@pytest.mark.proves("interface-undo-conflict")
async def test_a_conflict_is_refused_before_anything_runs(world: World) -> None:
    world.write_revision("d4", "b2", 'op.execute("DELETE FROM orders WHERE id = 1")', "pass")
    async with world.agent() as agent:
        apply_id = await applied(world, agent, "d4")
        write(world, "INSERT INTO orders (id, customer_id, total) VALUES (1, 1, 5)")
        refused = await agent.call("migration_rollback", apply_id=apply_id)
        write(world, "DELETE FROM orders WHERE id = 1")
        done = await rolled_back(world, agent, apply_id)
    assert refused["code"] == "undo_conflict"
    assert "have the keys of rows of main.orders that were deleted (1 of them)" in refused["message"]
    assert done["status"] == "applied"
    assert world.query("SELECT total FROM orders WHERE id = 1") == [(100,)]


@pytest.mark.proves("interface-undo-gone")
async def test_a_rollback_after_the_undo_data_is_gone_is_a_clear_error(world: World) -> None:
    async with world.agent() as agent:
        apply_id = await applied(world, agent)
        for (name,) in world.query(
            "SELECT name FROM sqlite_schema WHERE name LIKE '!_mcp!_migrate!_undo!_%' ESCAPE '!'"
        ):
            write(world, f'DROP TABLE IF EXISTS "{name}"') if not name.endswith("_k") else None
        write(world, "DELETE FROM _mcp_migrate_undo")
        refused = await agent.call("migration_rollback", apply_id=apply_id)
    assert refused["code"] == "undo_gone"
    assert "main.customers" in refused["message"]


async def test_a_revision_cannot_touch_undo_data(world: World) -> None:
    world.write_revision(
        "d4", "b2", 'op.execute("CREATE TABLE _mcp_migrate_undo_mine AS SELECT * FROM customers")', "pass"
    )
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="d4")
    assert {"privilege", "unknown"} <= set(plan["effects"])


async def test_undo_data_is_listed_and_pruned_on_the_record_when_its_time_is_over(world: World) -> None:
    async with world.agent() as agent:
        apply_id = await applied(world, agent)
        early = world.command("undo", "prune")
        listed = world.command("undo", "list")
        shown = world.command("undo", "show", apply_id)
        write(world, "UPDATE _mcp_migrate_undo SET until = kept_at")
    assert "removed nothing" in early.stdout, early.stderr
    assert apply_id in listed.stdout
    assert "main.customers (fax)" in shown.stdout
    async with world.agent() as agent:  # a server that starts removes it with the first call
        await agent.call("schema_read", target="shop")
        refused = await agent.call("migration_rollback", apply_id=apply_id)
    assert refused["code"] == "undo_gone"
    [expired], [pruned] = world.events(Kind.UNDO_EXPIRED), world.events(Kind.UNDO_PRUNED)
    assert expired.seq < pruned.seq
    assert expired.subject == pruned.subject == expired.body["key"]
    assert (expired.body["table"], expired.body["rows"]) == ("main.customers", 40)
    assert world.command("undo", "list").stdout.strip() == "Nothing is kept."


async def back_to(world: World, agent: Agent, to: str) -> dict[str, object]:
    done = await agent.call("migration_rollback", target="shop", to=to)
    if done["status"] == "approval_required":
        world.sign(done["request_id"])
        done = await agent.call("migration_rollback", target="shop", to=to)
    return dict(done)


async def test_several_applies_are_rolled_back_in_one_plan_with_all_they_lost(world: World) -> None:
    world.write_revision("d4", "c3", 'op.execute("DELETE FROM orders WHERE id < 5")', "pass")
    before = world.query(FAXES), world.query("SELECT * FROM orders ORDER BY id")
    async with world.agent() as agent:
        for revision in ("c3", "d4"):
            await applied(world, agent, revision)
        first = await back_to(world, agent, "b2")  # and once more, so that what was rolled back is passed over
        assert first["status"] == "applied", first
        again = world.query(FAXES), world.query("SELECT * FROM orders ORDER BY id")
        for revision in ("c3", "d4"):
            await applied(world, agent, revision)
        assert world.query("SELECT count(*) FROM orders") < [(len(before[1]),)]
        done = await back_to(world, agent, "a1")
    assert (done["status"], done["revision"]) == ("applied", "a1"), done
    assert again == before
    assert (world.query(FAXES), world.query("SELECT * FROM orders ORDER BY id")) == before
    [_, *steps] = [event for event in world.events(Kind.STEP_STARTED) if event.body["tool"] == "migration_rollback"]
    assert len(steps) == 1


async def test_a_rollback_that_cannot_put_everything_back_says_so(world: World) -> None:
    async with world.agent() as agent:
        await applied(world, agent)
        write(world, "CREATE TABLE elsewhere (id INTEGER)")
        asked = await agent.call("migration_rollback", target="shop", to="a1")
        shown = world.command("approvals", "show", asked["request_id"])
    assert asked["status"] == "approval_required"
    assert "undo data that is kept on the target is not put back" in shown.stdout


@pytest.mark.proves("undo-parked")
async def test_a_table_is_parked_by_a_plan_whose_way_back_is_derived_and_everybody_says_so(world: World) -> None:
    world.write_revision("d4", "b2", 'op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))', "pass")
    world.write_revision("e5", "d4", 'op.drop_table("notes")', "pass")
    world.configure(lambda value: value["targets"]["shop"].update(limits={"undo_park": 1}))
    async with world.agent() as agent:
        await agent.plan_and_apply("d4")
        write(world, "INSERT INTO notes VALUES (7), (8)")
        plan = await agent.call("migration_plan", target="shop", to="e5")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
        shown = world.command("approvals", "show", waiting["request_id"]).stdout
        world.sign(waiting["request_id"])
        done = await agent.call("migration_apply", plan_id=plan["plan_id"])
        status = await agent.call("migration_status", target="shop")
        listed = world.command("undo", "list").stdout
        back = await rolled_back(world, agent, done["apply_id"])
    assert "main.notes is parked: its space is not free" in plan["summary"]
    assert "the way back is derived" in plan["summary"]
    assert plan["rollback"]["derived"] is True
    assert plan["rollback"]["keeps"][0]["ends"].startswith("DROP TABLE main.")
    assert all(word in " ".join(shown.split()) for word in ("DERIVED BY US", "main.notes what is dropped is PARKED"))
    assert status["drift"]["drifted"] is False
    assert "2 rows (parked)" in listed
    assert back["status"] == "applied", back
    assert world.query("SELECT id FROM notes ORDER BY id") == [(7,), (8,)]
