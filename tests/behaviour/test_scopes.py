"""Is nothing allowed that no scope names, and is each scope held against what really happens?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.ledger import Kind
from tests.world import World

pytestmark = pytest.mark.anyio


def scopes(world: World, *entries: dict[str, Any]) -> None:
    world.configure(lambda c: c["workflows"]["shop-agent"].update(scopes=list(entries)))


READING = {"tools": ["schema_read", "migration_plan", "access_explain"], "targets": ["shop"]}


@pytest.mark.proves("interface-not-permitted", "interface-deny-by-default")
async def test_a_tool_that_no_scope_names_is_refused_and_the_refusal_names_scope_and_owner(
    world: World,
) -> None:
    scopes(world, READING)
    async with world.agent() as agent:
        refused = await agent.call("migration_status", target="shop")
    assert refused["code"] == "not_permitted"
    assert refused["details"]["missing"] == {"tool": "migration_status", "target": "shop"}
    assert "Ada Lovelace <ada@example.com>" in refused["next"]["hint"]
    assert refused["next"]["action"] == "ask_owner"


async def test_a_call_that_lacks_a_ticket_alone_is_asked_for_one(world: World) -> None:
    scopes(world, {**READING, "ticket": "required"})
    async with world.agent() as agent:
        refused = await agent.call("schema_read", target="shop")
        none = await agent.call("schema_read", target="shop", tables=["nothing*"], ticket="SHOP-1")
    assert (refused["code"], refused["next"]["action"]) == ("not_permitted", "none")
    assert refused["message"].endswith("on shop: one for it requires a ticket.")
    assert refused["next"]["hint"].startswith("Pass `ticket`")
    assert none["next"]["hint"] == "No table matches; without `tables` 2 are shown."


@pytest.mark.proves("design-1")
async def test_a_refused_call_reaches_no_database_and_is_on_the_ledger(world: World) -> None:
    scopes(world, READING)
    world.database.write_bytes(b"whoever reads this fails, for it is no database")
    async with world.agent() as agent:
        refused = await agent.call("migration_status", target="shop")
    assert refused["code"] == "not_permitted"
    [event] = world.events(Kind.CALL_REFUSED)
    assert (event.body["code"], event.call_id) == ("not_permitted", refused["call_id"])


@pytest.mark.proves("design-1")
async def test_an_apply_is_judged_by_its_real_effects_not_by_its_name(world: World) -> None:
    scopes(world, READING, {"tools": ["migration_apply"], "targets": ["shop"], "effects": ["additive"]})
    world.write_revision("x1", "a1", 'op.drop_table("orders")  # add_nothing')
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="x1")
        refused = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert refused["code"] == "not_permitted"
    assert "destructive" in refused["message"]
    assert world.query("SELECT count(*) FROM orders") == [(120,)]


async def test_objects_outside_a_scope_are_refused(world: World) -> None:
    leave = {
        "tools": ["migration_apply"],
        "targets": ["shop"],
        "effects": ["additive"],
        "objects": ["main.orders*"],
    }
    scopes(world, READING, leave)
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="b2")
        refused = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert refused["code"] == "not_permitted"
    assert "main.customers" in refused["message"]


async def test_a_plan_is_applied_only_on_targets_the_scope_covers(world: World) -> None:
    def second(config: dict[str, Any]) -> None:
        config["targets"]["other"] = {**config["targets"]["shop"], "url": "sqlite:///other.db"}

    world.configure(second)
    scopes(world, READING, {"tools": ["migration_apply"], "targets": ["other"], "effects": ["additive"]})
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="b2")
        refused = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert refused["code"] == "not_permitted"


@pytest.mark.proves("interface-unknown-target", "bad-input-unknown-target")
async def test_an_unknown_target_is_named_with_the_nearest(world: World) -> None:
    async with world.agent() as agent:
        refused = await agent.call("schema_read", target="shopp")
    assert refused["code"] == "unknown_target"
    assert "shop" in refused["next"]["hint"]


@pytest.mark.proves("interface-access-explain")
async def test_access_explain_and_the_admins_command_agree(world: World) -> None:
    scopes(world, READING)
    async with world.agent() as agent:
        allowed = await agent.call("access_explain", tool="schema_read", target="shop")
        denied = await agent.call("access_explain", tool="migration_apply", target="shop")
    told = world.command("config", "explain", "agent:demo", "migration_apply", "shop")
    assert allowed["allowed"] is True
    assert denied["allowed"] is False
    assert denied["needed"][0] in told.stdout


def test_an_address_that_is_none_is_no_answer_about_another_call(world: World) -> None:
    told = world.here("config", "explain", "agent:demo", "schema_read", "shop", "--from", "10.1.2")
    assert told.returncode == 2
    assert "no address" in told.stderr


@pytest.mark.proves("design-8")
async def test_a_workflow_without_an_owner_does_not_start(world: World) -> None:
    world.configure(lambda c: c["workflows"]["shop-agent"].pop("owner"))
    done = world.command("config", "check")
    served = world.command("serve")
    assert done.returncode == 1
    assert "owner" in done.stdout
    assert served.returncode == 1
    assert "config_invalid" in served.stderr


async def test_a_principal_of_no_workflow_does_not_start(world: World) -> None:
    served = world.command("serve", "--as", "agent:stranger")
    assert served.returncode == 1
    assert "not_permitted" in served.stderr


@pytest.mark.proves("interface-intent-missing", "bad-input-missing-intent")
async def test_a_call_without_an_intent_is_refused(world: World) -> None:
    async with world.agent() as agent:
        none = await agent.client.call_tool("schema_read", {"target": "shop"})
        short = await agent.call("schema_read", target="shop", intent="x")
    assert none.structured_content["code"] == "intent_missing"
    assert short["code"] == "intent_missing"


@pytest.mark.proves("interface-unknown-tool")
async def test_an_unknown_tool_is_a_tool_error_with_a_suggestion(world: World) -> None:
    async with world.agent() as agent:
        refused = await agent.call("schema_reed", target="shop")
    assert refused["code"] == "unknown_tool"
    assert "schema_read" in refused["next"]["hint"]


async def test_a_scope_can_name_a_tool_of_the_teams_own(world: World) -> None:
    folder = world.folder / "team"
    folder.mkdir()
    (folder / "notes.yaml").write_text(
        "name: make_notes\ntitle: Make a table of notes\ndescription: Makes a table for the notes of the shop.\n"
        "effects: [additive]\nsql: CREATE TABLE notes (id INTEGER NOT NULL PRIMARY KEY)\n"
    )
    world.configure(lambda c: c.update(tool_specs=["team"]))
    scopes(world, {"tools": ["make_notes"], "targets": ["shop"], "effects": ["additive"]})
    async with world.agent() as agent:
        made = await agent.call("make_notes", target="shop")
    assert made["status"] == "applied", made
