"""Does an admin's policy on rules decide what waits, and can every reviewer see it?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.ledger import Kind
from tests.world import World

pytestmark = pytest.mark.anyio

_WHY = "Both names are read since June"


def say(world: World, **rules: Any) -> None:
    world.configure(lambda value: value.update(rules=rules))


def accept(rule: str) -> list[dict[str, Any]]:
    return [{"rule": rule, "targets": ["shop"], "reason": _WHY}]


async def test_an_accepted_rule_needs_nobody_and_the_plan_says_so(world: World) -> None:
    world.write_revision("r1", "a1", 'op.rename_table("orders", "purchases")', 'op.rename_table("purchases", "orders")')
    async with world.agent() as agent:
        before = await agent.call("migration_plan", target="shop", to="r1")
    say(world, accept=accept("rename"))
    async with world.agent() as agent:
        after = await agent.call("migration_plan", target="shop", to="r1")
        done = await agent.call("migration_apply", plan_id=after["plan_id"])
    assert before["approval"]["required"]
    assert not after["approval"]["required"]
    assert after["statements"][0]["accepted"] == {"rename": _WHY}
    assert done["status"] == "applied"
    assert not world.events(Kind.APPROVAL_REQUESTED)


async def test_a_raised_rule_waits_for_a_person(world: World) -> None:
    say(world, **{"raise": {"add-column": ["breaking"]}})
    async with world.agent() as agent:
        waiting = await agent.plan_and_apply("b2")
    assert waiting["status"] == "approval_required"
    [request] = world.events(Kind.APPROVAL_REQUESTED)
    assert request.body["judgements"][0]["effects"] == ["additive", "breaking"]


async def test_what_is_accepted_is_under_the_signature(world: World) -> None:
    upgrade = 'op.rename_table("orders", "purchases")\n    op.drop_column("customers", "fax")'
    world.write_revision("r1", "a1", upgrade, 'op.rename_table("purchases", "orders")')
    say(world, accept=accept("rename"))
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="r1")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert waiting["status"] == "approval_required"
    [request] = world.events(Kind.APPROVAL_REQUESTED)
    assert request.body["judgements"][0]["accepted"] == {"rename": _WHY}
    shown = world.command("approvals", "show", waiting["request_id"]).stdout
    assert "Accepted  rename, by the configuration" in shown
    assert _WHY in " ".join(shown.split())


@pytest.mark.parametrize("rule", ["drop-column", "not-understood"])
async def test_nothing_silences_what_destroys_or_is_not_understood(world: World, rule: str) -> None:
    say(world, accept=accept(rule))
    refused = world.command("config", "check")
    assert refused.returncode == 1
    assert "no configuration silences" in refused.stdout
