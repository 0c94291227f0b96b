"""Is what was planned what runs, and nothing else?"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from mcp_migrate.ledger import Kind
from tests.world import INTENT, World

pytestmark = pytest.mark.anyio


def alter(world: World, sql: str) -> None:
    """Change the shop's database behind the server's back."""
    with sqlite3.connect(world.database) as database:
        database.execute(sql)
    database.close()


@pytest.mark.proves("design-2")
async def test_an_additive_plan_runs_at_once_and_ends_where_it_said(world: World) -> None:
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="b2")
        done = await agent.call("migration_apply", plan_id=plan["plan_id"])
        checked = await agent.call("migration_validate", apply_id=done["apply_id"])
    assert plan["effects"] == ["additive", "read"]
    assert done["status"] == "applied"
    assert done["revision"] == "b2"
    assert checked["ok"] is True
    assert [check["name"] for check in checked["checks"]] == [
        "outcome recorded",
        "revision",
        "schema fingerprint, but for owners and grants",
        "views compile",
        "foreign keys hold",
    ]
    assert "loyalty_points" in world.columns("customers")
    assert world.query("SELECT version_num FROM alembic_version") == [("b2",)]


async def test_a_projects_own_checks_are_counted_and_never_shown(world: World) -> None:
    checks = [
        {"name": "all is well", "sql": "SELECT * FROM customers WHERE id < 0"},
        {"name": "nobody is here", "sql": "SELECT email FROM customers"},
        {"name": "no query", "sql": "DELETE FROM customers"},
    ]
    world.configure(lambda value: value["targets"]["shop"].update(checks=checks))
    customers = world.query("SELECT count(*) FROM customers")[0][0]
    async with world.agent() as agent:
        done = await agent.plan_and_apply("b2")
        checked = await agent.call("migration_validate", apply_id=done["apply_id"])
    assert checked["ok"] is False
    assert [check["ok"] for check in checked["checks"][-3:]] == [True, False, False]
    assert checked["checks"][-2] == {
        "name": "nobody is here",
        "ok": False,
        "detail": f"returned {customers} rows, expected none",
        "sql": "SELECT email FROM customers",
    }
    assert checked["checks"][-1]["detail"].startswith("could not be asked: ")
    assert world.query("SELECT count(*) FROM customers") == [(customers,)]


@pytest.mark.proves("plan-rehearsal-shown")
async def test_the_rehearsal_is_told_to_the_caller_the_ledger_and_the_reviewer(at_b2: World) -> None:
    async with at_b2.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="c3")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
    seen = plan["rehearsal"]
    assert (seen["ran"], seen["faithful"], seen["rollback_restored"]) == (True, True, True)
    assert 0 < seen["seconds"] < 60
    *_, on_record = (e.body["rehearsal"] for e in at_b2.events(Kind.PLAN_FROZEN) if e.subject == plan["plan_id"])
    assert (on_record["seconds"], on_record["server"]) == (seen["seconds"], seen["server"])
    shown = at_b2.command("approvals", "show", waiting["request_id"]).stdout
    assert f"{seen['seconds']:.2f} s on {seen['server']}; the way back restored the schema" in " ".join(shown.split())


@pytest.mark.proves("plan-rehearsal-off")
async def test_a_plan_that_was_not_rehearsed_says_so_and_is_unknown(world: World) -> None:
    world.configure(lambda c: c["targets"]["shop"].update(rehearsal={"on": "off"}))
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="b2")
    assert plan["rehearsal"]["ran"] is False
    assert "unknown" in plan["effects"]
    assert "was not rehearsed" in str(plan["doubts"])


@pytest.mark.proves("plan-progress")
async def test_whoever_waits_for_a_plan_hears_how_far_it_is(world: World) -> None:
    heard: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001  as MCP calls it
        heard.append((progress, message))

    async with world.stdio_agent() as agent:
        arguments = {"intent": INTENT, "target": "shop", "to": "b2"}
        await agent.client.call_tool("migration_plan", arguments, progress_callback=hear)
    assert [message for _progress, message in heard] == [
        "making a scratch database as of a1",
        "recording the revisions to b2",
        "recording the way back",
        "rehearsing statement 1 of 2",
        "rehearsing statement 2 of 2",
    ]
    assert [progress for progress, _message in heard] == [0, 1, 2, 3, 4]


@pytest.mark.proves("design-2")
async def test_a_revision_edited_after_planning_does_not_change_what_runs(at_a1: World) -> None:
    async with at_a1.agent() as agent:
        path = at_a1.folder / "migrations" / "versions" / "b2_loyalty.py"
        path.write_text(path.read_text().replace('"loyalty_points"', '"evil"'))
        done = await agent.call("migration_apply", plan_id=agent.planned)
        other = await agent.call("migration_plan", target="shop", to="c3")
    assert done["status"] == "applied"
    assert "loyalty_points" in at_a1.columns("customers")
    assert "evil" not in at_a1.columns("customers")
    assert other["plan_id"] != agent.planned


@pytest.mark.proves("design-2", "approval-digest", "interface-plan-stale")
async def test_a_target_whose_schema_changed_since_planning_is_refused(at_a1: World) -> None:
    async with at_a1.agent() as agent:
        alter(at_a1, "ALTER TABLE orders ADD COLUMN note TEXT")
        refused = await agent.call("migration_apply", plan_id=agent.planned)
    assert (refused["code"], refused["status"]) == ("plan_stale", "plan_stale")
    assert refused["next"]["action"] == "replan"
    assert "loyalty_points" not in at_a1.columns("customers")


@pytest.mark.proves("design-2", "interface-plan-stale")
async def test_a_target_whose_revision_changed_since_planning_is_refused(at_a1: World) -> None:
    async with at_a1.agent() as agent:
        alter(at_a1, "UPDATE alembic_version SET version_num = 'b2'")
        refused = await agent.call("migration_apply", plan_id=agent.planned)
    assert refused["code"] == "plan_stale"


async def test_the_same_state_gives_the_same_plan(world: World) -> None:
    async with world.agent() as agent:
        first = await agent.call("migration_plan", target="shop")
        second = await agent.call("migration_plan", target="shop")
    assert first["digest"] == second["digest"]


async def test_applying_a_plan_twice_runs_it_once(at_a1: World) -> None:
    async with at_a1.agent() as agent:
        first = await agent.call("migration_apply", plan_id=agent.planned)
        second = await agent.call("migration_apply", plan_id=agent.planned)
    assert second["status"] == "applied"
    assert second["apply_id"] == first["apply_id"]
    assert len(at_a1.events(Kind.STEP_STARTED)) == 1


@pytest.mark.proves("interface-plan-not-found")
async def test_an_unknown_plan_is_refused(world: World) -> None:
    async with world.agent() as agent:
        refused = await agent.call("migration_apply", plan_id="plan_nobody_made")
    assert refused["code"] == "plan_not_found"


@pytest.mark.proves("interface-statement-failed")
async def test_a_statement_the_database_refuses_leaves_nothing_behind(world: World) -> None:
    alter(world, "INSERT INTO customers (id, email) SELECT 1000, email FROM customers WHERE id = 1")
    world.write_revision(
        "u1",
        "a1",
        'op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True))\n'
        '    op.execute("CREATE UNIQUE INDEX one_email ON customers (lower(email))")',
        'op.drop_index("one_email", "customers")\n    op.drop_table("notes")',
    )
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="u1")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
        world.sign(waiting["request_id"])
        failed = await agent.call("migration_apply", plan_id=plan["plan_id"])
        status = await agent.call("migration_status", target="shop")
    assert (failed["code"], failed["status"]) == ("statement_failed", "failed")
    assert world.query("SELECT name FROM sqlite_schema WHERE name = 'notes'") == []
    assert status["revision"] == "a1"
    assert status["last_applies"][0]["status"] == "failed"


@pytest.mark.proves("incident-downgrade-to-base")
async def test_a_downgrade_to_base_to_verify_is_stopped_with_the_rows_it_would_destroy(world: World) -> None:
    async with world.agent() as agent:
        stopped = await agent.call("migration_rollback", target="shop", to="base", intent="Verify the downgrade")
    assert stopped["status"] == "approval_required"
    assert stopped["rows"] == {"main.customers": 40, "main.orders": 120}
    assert world.query("SELECT count(*) FROM orders") == [(120,)]


@pytest.mark.proves("incident-misleading-autogenerate", "interface-intent-exceeded")
async def test_an_autogenerated_revision_that_drops_is_stopped_and_each_drop_named(at_b2: World) -> None:
    at_b2.write_revision(
        "d4",
        "c3",
        'op.create_table("wishes", sa.Column("id", sa.Integer(), primary_key=True))\n    op.drop_table("orders")',
    )
    async with at_b2.agent() as agent:
        request = await agent.call("migration_apply", plan_id=at_b2.planned)
        at_b2.sign(request["request_id"])
        await agent.call("migration_apply", plan_id=at_b2.planned)
        refused = await agent.call(
            "migration_plan", target="shop", expects={"effects": ["additive"], "objects": ["main.wishes*"]}
        )
        plan = await agent.call("migration_plan", target="shop")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert refused["code"] == "intent_exceeded"
    assert "main.orders was not expected to be touched" in refused["details"]["differences"]
    assert "destructive" in plan["effects"]
    assert "main.orders" in plan["summary"]
    assert waiting["status"] == "approval_required"


async def test_a_rollback_runs_what_was_frozen_with_the_plan(at_a1: World) -> None:
    async with at_a1.agent() as agent:
        done = await agent.call("migration_apply", plan_id=agent.planned)
        path = at_a1.folder / "migrations" / "versions" / "b2_loyalty.py"
        path.write_text(path.read_text().replace("def downgrade():", "def downgrade():\n    this breaks"))
        waiting = await agent.call("migration_rollback", apply_id=done["apply_id"])
        at_a1.sign(waiting["request_id"])
        back = await agent.call("migration_rollback", apply_id=done["apply_id"])
    assert back["status"] == "applied"
    assert back["revision"] == "a1"
    assert at_a1.columns("customers") == {"id", "email", "fax"}


async def test_a_plan_without_a_way_back_says_so_first_and_waits_for_people(world: World) -> None:
    world.write_revision(
        "n1",
        "a1",
        """op.execute("INSERT INTO customers (email) VALUES ('a@example.com')")""",
        'raise RuntimeError("there is no way back")',
    )
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="n1")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert plan["summary"].startswith("THERE IS NO WAY BACK")
    assert plan["rollback"]["available"] is False
    assert waiting["status"] == "approval_required"


_REQUIRED = (
    'with op.batch_alter_table("customers") as b: b.alter_column("fax", existing_type=sa.String(40), nullable=False)'
)


async def test_rows_in_the_way_are_told_with_the_plan_and_stop_an_apply_before_it_begins(world: World) -> None:
    world.write_revision("r1", "a1", _REQUIRED, "pass")
    empty = 3
    with closing(sqlite3.connect(world.database)) as database:
        database.execute("UPDATE customers SET fax = NULL WHERE id <= ?", (empty,))
        database.commit()
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="r1")
        asked = await agent.call("migration_apply", plan_id=plan["plan_id"])
        shown = world.command("approvals", "show", asked["request_id"]).stdout
        world.sign(asked["request_id"])
        failed = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert plan["summary"].startswith(
        f"IT WOULD FAIL NOW: {empty} rows are in the way: main.customers.fax takes no null"
    )
    assert plan["next"]["action"] == "fix_revision"
    assert f"FAILS NOW {empty} rows in the way" in shown
    assert (failed["code"], failed["details"]["rows"], failed["details"]["object"]) == (
        "precondition_failed",
        empty,
        "main.customers.fax",
    )
    assert world.query("SELECT version_num FROM alembic_version") == [("a1",)]
    assert world.events(Kind.STEP_FINISHED)[-1].body["code"] == "precondition_failed"


_UPPER = """bind = op.get_bind()
    for number, email in bind.execute(sa.text("SELECT id, email FROM customers")).fetchall():
        values = {"email": email.upper(), "id": number}
        bind.execute(sa.text("UPDATE customers SET email = :email WHERE id = :id"), values)"""


@pytest.mark.proves("plan-reads", "interface-plan-stale")
async def test_a_plan_made_from_rows_runs_while_they_are_the_same_and_not_after(world: World) -> None:
    world.write_revision("r1", "a1", _UPPER)
    before = world.query("SELECT email FROM customers ORDER BY id")
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="r1")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
        world.command("approvals", "approve", waiting["request_id"], "--key", str(world.keys["grace"]))
        alter(world, "UPDATE customers SET email = 'eve@example.com' WHERE id = 1")
        refused = await agent.call("migration_apply", plan_id=plan["plan_id"])
        names = world.query("SELECT email FROM customers ORDER BY id")
        again = await agent.call("migration_plan", target="shop", to="r1")
        waiting = await agent.call("migration_apply", plan_id=again["plan_id"])
        world.command("approvals", "approve", waiting["request_id"], "--key", str(world.keys["grace"]))
        done = await agent.call("migration_apply", plan_id=again["plan_id"])
    assert plan["doubts"] == []
    assert refused["code"] == "plan_stale"
    assert "SELECT id, email FROM customers" in refused["message"]
    assert names == [("eve@example.com",), *before[1:]]
    assert done["status"] == "applied"
    assert world.query("SELECT email FROM customers ORDER BY id") == [(email.upper(),) for (email,) in names]
