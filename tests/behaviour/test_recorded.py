"""Is every call on the record, with what came of it, and without what nobody may read?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from mcp_migrate.ledger import Event, Kind
from tests.world import World

pytestmark = pytest.mark.anyio
SECRET = "Tr0ub4dor3"


def of(world: World, answer: Any) -> dict[str, Event]:
    """The entries of one call, by kind."""
    return {event.kind: event for event in world.events() if event.call_id == answer["call_id"]}


def everything(world: World) -> str:
    """The ledger, as somebody with the file reads it."""
    with closing(sqlite3.connect(world.folder / ".mcp-migrate" / "ledger.db")) as file:
        return "".join(body for (body,) in file.execute("SELECT body FROM events"))


@pytest.mark.proves("record-malformed", "record-outcomes")
async def test_calls_that_no_tool_takes_are_on_the_record_and_so_is_their_size(world: World) -> None:
    huge = "x" * 10_000_000
    async with world.agent() as agent:
        answers = [
            await agent.call("schema_raed", target="shop"),
            await agent.call("schema_read", target="shop", detail="everything"),
            await agent.call("schema_read", target=f"postgresql://app:{SECRET}@db/{'x' * 200}"),
            await agent.call("schema_read", target="shop", intent=huge),
        ]
    assert [answer["code"] for answer in answers] == ["unknown_tool", *["invalid_arguments"] * 2, "intent_missing"]
    unknown, strange, secret, large = (of(world, answer)[Kind.CALL_REFUSED].body for answer in answers)
    assert (unknown["tool"], unknown["code"]) == ("schema_raed", "unknown_tool")
    assert strange["arguments"] == {"detail": "everything"}
    assert secret["target"].startswith("postgresql://app:[redacted ")
    assert SECRET not in everything(world)
    assert large["bytes"] > len(huge)
    assert large["intent"].startswith("[left out 10000000 bytes hmac-sha256:")
    assert len(everything(world)) < 10_000


@pytest.mark.proves("record-no-secrets", "record-redacted-by-rule")
async def test_what_is_redacted_stands_nowhere_in_the_ledger_and_the_call_goes_on(world: World) -> None:
    world.configure(lambda c: c.update(redact=[{"tools": ["schema_read"], "arguments": ["/tables/*"]}]))
    async with world.agent() as agent:
        read = await agent.call(
            "schema_read", intent=f"Is postgresql://app:{SECRET}@db the same?", target="shop", tables=["cust*"]
        )
        wrong = await agent.call("schema_read", target="shop", detail=f"password={SECRET}", tables=["cust*"])
    assert "customers" in read["schema"]
    assert wrong["code"] == "invalid_arguments"
    assert SECRET not in everything(world)
    assert "cust*" not in everything(world)
    key = world.folder / ".mcp-migrate" / "ledger.db.redaction"
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.proves("record-outcomes", "record-client")
async def test_what_came_of_a_call_is_told_with_time_sizes_client_and_what_decided(at_a1: World) -> None:
    at_a1.write_revision("d1", "b2", 'op.drop_table("orders")')
    async with at_a1.agent() as agent:
        read = await agent.call("schema_read", target="shop")
        applied = await agent.call("migration_apply", plan_id=agent.planned)
        plan = await agent.call("migration_plan", target="shop", to="d1")
        waits = [await agent.call("migration_apply", plan_id=plan["plan_id"]) for _ in range(2)]
    received = of(at_a1, read)[Kind.CALL_RECEIVED].body
    assert received["client"].startswith("mcp ")
    assert received["protocol"]
    assert received["bytes"] > len(received["intent"])
    ended = [of(at_a1, answer)[Kind.CALL_FINISHED].body for answer in (read, applied, *waits)]
    assert [body["status"] for body in ended] == ["answered", "applied", "approval_required", "approval_required"]
    assert all(body["ms"] >= 0 and body["answer_bytes"] > 0 for body in ended)
    assert [body["rules"] for body in ended[:2]] == [[], []]
    assert ended[2]["rules"]
    assert {body["scope"] for body in ended} == {0, 2}


@pytest.mark.proves("record-configuration")
async def test_a_changed_configuration_is_recorded_with_who_started_it_and_what_it_gives(world: World) -> None:
    async with world.agent() as agent:
        await agent.call("schema_read", target="shop")
    more = {"tools": ["audit_read"], "targets": ["*"], "effects": ["privilege"]}
    world.configure(lambda c: c["workflows"]["shop-agent"]["scopes"].append(more))
    async with world.agent() as agent:
        await agent.call("schema_read", target="shop")
    first, second = (event.body for event in world.events(Kind.CONFIG_LOADED))
    assert "gained" not in first
    assert second["before"] == first["digest"]
    assert second["gained"] == ["agent:demo may use audit_read on *, doing privilege, read"]
    assert second["lost"] == []
    assert second["by"]["principal"] == "agent:demo"
    assert second["by"]["user"]
