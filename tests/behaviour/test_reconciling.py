"""Is a change that is not on the record found, does it hold up what comes after, and who ends that?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from mcp_migrate.ledger import Kind
from tests.world import World

pytestmark = pytest.mark.anyio


def by_hand(world: World, *statements: str) -> None:
    """What somebody does to the database without telling anybody."""
    with closing(sqlite3.connect(world.database)) as database, database:
        for statement in statements:
            database.execute(statement)


def block(world: World, *tiers: str) -> None:
    world.configure(lambda value: value.update(reconcile={"block": list(tiers)}))


def reconciled(world: World, *words: str, code: int = 0) -> dict[str, Any]:
    done = world.here("ledger", "reconcile", "shop", "--json", *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.proves("reconcile-found", "reconcile-blocks", "reconcile-accepted", "interface-unreconciled")
async def test_a_change_by_hand_is_named_and_nothing_is_applied_until_a_reviewer_signs_for_it(at_b2: World) -> None:
    world = at_b2
    block(world, "staging")
    assert reconciled(world)["status"] == "explained"
    by_hand(world, "CREATE TABLE sneaked (id INTEGER)", "DROP INDEX IF EXISTS ix_none")
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="c3")
        refused = await agent.call("migration_apply", plan_id=plan["plan_id"])
        status = await agent.call("migration_status", target="shop")
    named = [{"how": "added", "object": "table main.sneaked", "gone": None}]
    assert plan["unexplained"]["blocks"]
    assert plan["unexplained"]["differences"] == refused["details"]["unexplained"]["differences"] == named
    assert status["unexplained"]["differences"] == named
    assert refused["code"] == "unreconciled"
    assert "mcp-migrate ledger reconcile shop" in refused["next"]["hint"]
    assert not {row[0] for row in world.query("SELECT version_num FROM alembic_version")} - {"b2"}
    assert "fails  target shop, on the record: Since" in world.here("doctor").stdout

    asked = reconciled(world, code=1)
    assert reconciled(world, code=1)["request_id"] == asked["request_id"]
    [found] = world.events(Kind.RECONCILE_FOUND)
    assert (found.subject, found.body["differences"]) == (asked["request_id"], named)
    shown = world.approvals("show", asked["request_id"]).stdout
    assert "FOUND     added table main.sneaked" in shown
    world.sign(asked["request_id"])
    accepted = reconciled(world)
    [entry] = world.events(Kind.RECONCILE_ACCEPTED)
    assert (accepted["status"], entry.body["reviewers"]) == ("accepted", ["grace"])
    assert entry.body["fingerprint"] == accepted["fingerprint"] == found.body["fingerprint"]
    assert reconciled(world)["status"] == "explained"
    async with world.agent() as agent:
        again = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert again["status"] == "approval_required"  # as it would have been without all this: c3 drops a column


@pytest.mark.proves("reconcile-accepted")
def test_where_callers_have_to_prove_their_name_people_can_still_have_it_signed_for(at_b2: World) -> None:
    least = {"least": {"development": "oauth", "staging": "oauth", "production": "oauth"}}
    at_b2.configure(lambda value: value.update(identity=least))
    by_hand(at_b2, "CREATE TABLE sneaked (id INTEGER)")
    assert reconciled(at_b2, code=1)["status"] == "approval_required"
    assert "takes calls of oauth" in at_b2.here("plan", "shop").stderr
    asked = at_b2.approvals("canary", "--target", "shop", "--table", "main.customers", "--json")
    assert asked.returncode == 0, asked.stderr


@pytest.mark.proves("reconcile-found")
async def test_a_version_table_that_was_stamped_and_an_apply_whose_effect_is_gone_are_told(at_b2: World) -> None:
    world = at_b2
    reconciled(world)  # so that the apply of b2 is the newest state and not the only one
    async with world.agent() as agent:
        [b2] = [each for each in world.events(Kind.STEP_FINISHED) if each.body["revision"] == "b2"]
        world.write_revision(
            "x1", "b2", 'op.create_table("later", sa.Column("id", sa.Integer()))', 'op.drop_table("later")'
        )
        applied = await agent.plan_and_apply("x1")
    assert applied["status"] == "applied", applied
    by_hand(world, "DROP TABLE later", "UPDATE alembic_version SET version_num = 'b2'")
    told = world.here("status", "shop").stdout
    assert f"removed table main.later; the version table says b2, not x1; the effect of {applied['apply_id']}" in told
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="x1")
        assert not plan["unexplained"]["blocks"]  # only told, and may go on
        assert plan["unexplained"]["gone"] == {applied["apply_id"]: ["table main.later"]}
        assert (await agent.call("migration_apply", plan_id=plan["plan_id"]))["status"] == "applied"
    assert b2.subject != applied["apply_id"]
    assert reconciled(world)["status"] == "explained"


@pytest.mark.proves("reconcile-first-use")
async def test_a_database_that_is_older_than_the_record_has_nothing_to_explain(world: World) -> None:
    block(world, "staging")
    by_hand(world, "CREATE TABLE older (id INTEGER)")
    assert reconciled(world)["status"] == "nothing_recorded"
    based = reconciled(world, "--accept-as-base")
    assert based["status"] == "accepted"
    assert world.here("ledger", "reconcile", "shop", "--accept-as-base").returncode == 1
    by_hand(world, "ALTER TABLE older ADD COLUMN more TEXT")
    found = reconciled(world, code=1)
    [entry] = world.events(Kind.RECONCILE_FOUND)
    assert [each["how"] + " " + each["object"] for each in entry.body["differences"]] == ["altered table main.older"]
    world.sign(found["request_id"], verdict="deny")
    refused = world.here("ledger", "reconcile", "shop")
    assert (refused.returncode, "approval_denied" in refused.stderr) == (1, True)


@pytest.mark.proves("reconcile-accepted")
async def test_a_signature_is_for_exactly_what_was_there(at_b2: World) -> None:
    world = at_b2
    by_hand(world, "CREATE TABLE sneaked (id INTEGER)")
    asked = reconciled(world, code=1)
    world.sign(asked["request_id"])
    by_hand(world, "CREATE TABLE another (id INTEGER)")
    assert reconciled(world, code=1)["request_id"] != asked["request_id"]
    assert not world.events(Kind.RECONCILE_ACCEPTED)
