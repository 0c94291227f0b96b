"""Does a new revision say exactly what was asked for, in a file that is then planned like any other?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

pytestmark = pytest.mark.anyio
ODD = "CREATE TABLE odd (a TEXT DEFAULT ':x 50% ''quoted''')"


async def test_a_revision_from_sql_plans_to_exactly_that_sql(world: World) -> None:
    async with world.agent() as agent:
        made = await agent.call(
            "revision_create",
            target="shop",
            message="something odd",
            source="sql",
            upgrade_sql=[ODD],
            downgrade_sql=["DROP TABLE odd"],
        )
        plan = await agent.call("migration_plan", target="shop")
    assert made["status"] == "written"
    assert plan["to_revision"] == made["revision"]
    assert ODD in [statement["sql"] for statement in plan["statements"]]


async def test_a_revision_from_models_drops_what_they_do_not_know_and_the_plan_says_so(at_b2: World) -> None:
    async with at_b2.agent() as agent:
        early = await agent.call("revision_create", target="shop", message="too early", source="models")
        waiting = await agent.call("migration_apply", plan_id=at_b2.planned)
        at_b2.sign(waiting["request_id"])
        await agent.call("migration_apply", plan_id=at_b2.planned)
        made = await agent.call("revision_create", target="shop", message="add wish list", source="models")
        plan = await agent.call("migration_plan", target="shop")
    assert early["code"] == "render_failed"
    assert [change["kind"] for change in made["changes"]] == ["drop_table"]
    assert "main.orders" in plan["summary"]
    assert plan["approval"]["required"] is True


async def test_a_revision_from_sql_needs_both_ways(world: World) -> None:
    async with world.agent() as agent:
        refused = await agent.call("revision_create", target="shop", message="one way", source="sql", upgrade_sql=[ODD])
    assert refused["code"] == "invalid_arguments"
    assert len(list((world.folder / "migrations" / "versions").glob("*.py"))) == 3


async def test_no_revision_is_written_for_one_of_several_databases(world: World) -> None:
    world.configure(lambda value: value["targets"]["shop"].update(database="orders"))
    async with world.agent() as agent:
        sql: dict[str, Any] = {"source": "sql", "upgrade_sql": [ODD], "downgrade_sql": ["DROP TABLE odd"]}
        refused = await agent.call("revision_create", target="shop", message="a part for each", **sql)
    assert refused["code"] == "render_failed"
    assert "by hand" in refused["next"]["hint"]
