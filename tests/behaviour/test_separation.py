"""Does a change need different people where policy says so, and do names count only when somebody vouches for them?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.ledger import Kind
from mcp_migrate.signers.sign import generate_key
from tests.world import World

pytestmark = pytest.mark.anyio


def separate(world: World) -> None:
    world.keys["admin"] = world.folder / "admin_key"
    admin = generate_key(world.keys["admin"])

    def change(config: dict[str, Any]) -> None:
        config["admins"] = [admin.line]
        config["separation"] = {"staging": ["plan", "apply", "validate"]}
        config["workflows"]["shop-agent"]["principals"] += ["agent:ada", "agent:ops", "agent:watch"]
        config["people"] = {"ada": ["agent:demo", "agent:ada"]}

    world.configure(change)


@pytest.mark.proves("separation-of-duties", "separation-one-person", "interface-not-separated", "launch-tokens")
async def test_planning_applying_and_validating_take_three_people_whose_names_are_proven(at_a1: World) -> None:
    separate(at_a1)
    tokens = {name: at_a1.launch(name) for name in ("agent:demo", "agent:ada", "agent:ops", "agent:watch")}

    async def tries(principal: str, tool: str, *, proven: bool = True, **arguments: Any) -> Any:
        async with at_a1.agent(principal, token=tokens[principal] if proven else None, knowing=True) as agent:
            return await agent.call(tool, **arguments)

    old = await tries("agent:ops", "migration_apply", plan_id=at_a1.planned)
    assert (old["code"], "nobody vouched" in old["message"]) == ("not_separated", True)
    claimed = await tries("agent:demo", "migration_plan", proven=False, target="shop", to="b2")
    assert (claimed["code"], "launch-token" in claimed["next"]["hint"]) == ("not_separated", True)
    assert (await tries("agent:demo", "schema_read", proven=False, target="shop"))["revision"] == "a1"
    at_a1.write_revision("b9", "a1", 'op.add_column("orders", sa.Column("note", sa.Text()))')
    plan = await tries("agent:demo", "migration_plan", target="shop", to="b9")

    for own in ("agent:demo", "agent:ada"):
        refused = await tries(own, "migration_apply", plan_id=plan["plan_id"])
        assert (refused["code"], refused["details"]["taken"]) == ("not_separated", "plan"), own
    assert "note" not in at_a1.columns("orders")
    done = await tries("agent:ops", "migration_apply", plan_id=plan["plan_id"])
    assert done["status"] == "applied"
    for too_close in ("agent:ops", "agent:ada"):
        refused = await tries(too_close, "migration_validate", apply_id=done["apply_id"])
        assert refused["code"] == "not_separated", too_close
    assert (await tries("agent:watch", "migration_validate", apply_id=done["apply_id"]))["ok"]
    [started] = at_a1.events(Kind.STEP_STARTED)
    caller = started.body["caller"]
    assert (caller["assurance"], caller["launch"] in at_a1.here("tokens", "list").stdout) == ("launch-token", True)
    assert len(at_a1.events(Kind.LAUNCH_SIGNED)) == len(tokens)


@pytest.mark.proves("delegation-holds", "delegation-narrows-only")
async def test_a_worker_does_what_was_handed_on_to_it_as_often_as_it_may_and_people_see_for_whom(at_b2: World) -> None:
    key = at_b2.keys["agent"]

    def change(config: dict[str, Any]) -> None:
        config["workflows"]["shop-agent"]["workers"] = ["agent:worker"]
        config["delegators"] = {"agent:demo": [key.with_suffix(".pub").read_text().strip()]}

    at_b2.configure(change)
    for_it = ("agent:worker", "--as", "agent:demo", "--key", str(key), "--target", "shop")
    effects = [word for effect in ("destructive", "breaking", "additive", "data") for word in ("--effect", effect)]
    done = at_b2.here("delegate", *for_it, "--tool", "migration_*", *effects, "--uses", "1")
    assert done.returncode == 0, done.stderr
    grant = at_b2.folder / "grant"
    grant.touch(mode=0o600)
    grant.write_text(done.stdout)
    async with at_b2.agent("agent:worker", knowing=True) as agent:
        alone = await agent.call("migration_status", target="shop")
    async with at_b2.agent("agent:worker", grants=[grant], knowing=True) as agent:
        reading = await agent.call("schema_read", target="shop")
        asked = await agent.call("migration_apply", plan_id=at_b2.planned)
        shown = at_b2.approvals("show", asked["request_id"]).stdout
        at_b2.sign(asked["request_id"])
        applied = await agent.call("migration_apply", plan_id=at_b2.planned)
        back = await agent.call("migration_rollback", apply_id=applied["apply_id"])
    assert (alone["code"], "nobody did" in alone["message"]) == ("not_permitted", True)
    assert "not schema_read" in reading["message"]
    assert "agent:worker, on behalf of agent:demo, for workflow shop-agent" in " ".join(shown.split())
    assert applied["status"] == "applied"
    assert (back["code"], "used as often" in back["message"]) == ("not_permitted", True)
    [started] = at_b2.events(Kind.STEP_STARTED)[-1:]
    assert [each["by"] for each in started.body["caller"]["grants"]] == ["agent:demo"]


@pytest.mark.proves("tokens-revoked")
async def test_a_running_server_does_nothing_more_by_a_token_that_was_taken_back(at_a1: World) -> None:
    separate(at_a1)
    token = at_a1.launch("agent:ops")
    async with at_a1.agent("agent:ops", token=token, knowing=True) as agent:
        assert (await agent.call("schema_read", target="shop"))["revision"] == "a1"
        done = at_a1.here("tokens", "revoke", "agent:ops", "--reason", "the laptop is gone")
        assert done.returncode == 0, done.stderr
        refused = await agent.call("schema_read", target="shop")
    assert (refused["code"], "the laptop is gone" in refused["message"]) == ("not_permitted", True)
    assert at_a1.events(Kind.CALL_REFUSED)[-1].call_id == refused["call_id"]
    assert "None holds" in at_a1.here("tokens", "list").stdout
