"""Does an agent see its own workflow's record, all of it, and nothing else?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from mcp_migrate.ledger import Draft, Kind, Ledger
from tests.world import Agent, World

pytestmark = pytest.mark.anyio
AT = datetime(2026, 1, 1, tzinfo=UTC)


async def pages(agent: Agent, **asked: Any) -> list[Mapping[str, Any]]:
    """All that the pages from the first to the last say of refused calls."""
    found: list[Mapping[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await agent.call("audit_read", kind="call.refused", **asked, **cursor)
        assert "truncated" not in answer
        found += answer["entries"]
        if answer["next_cursor"] is None:
            return found
        cursor = {"cursor": answer["next_cursor"]}


@pytest.mark.proves("record-own-workflow")
async def test_pages_hold_each_entry_of_ones_own_workflow_once_and_none_of_another(world: World) -> None:
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db") as ledger:
        for n in range(60):
            body = {"n": n, "seq": -1, "parts": ["y" * 100] * (n % 7 * 10)}
            mine, other = (Draft(Kind.CALL_REFUSED, body, workflow=name) for name in ("shop-agent", "other"))
            ledger.append(mine, other, at=AT)
    async with world.agent() as agent:
        small, large, late = [await pages(agent, **asked) for asked in ({"limit": 7}, {"limit": 200}, {"since": 100})]
    assert small == large
    assert [(entry["n"], entry["seq"]) for entry in large] == [(n, 2 * n) for n in range(60)]
    assert [entry["seq"] for entry in late] == list(range(100, 120, 2))
    assert large[6]["parts"].endswith("characters, not shown")


@pytest.mark.proves("record-outcomes")
async def test_an_agent_reads_what_came_of_its_calls_and_how_long_they_took(world: World) -> None:
    async with world.agent() as agent:
        read = await agent.call("schema_read", target="shop")
        wrong = await agent.call("schema_read", target="nowhere")
        entries = (await agent.call("audit_read"))["entries"]
    by_call = {(entry["call_id"], entry["kind"]): entry for entry in entries}
    assert by_call[read["call_id"], "call.finished"]["status"] == "answered"
    assert by_call[wrong["call_id"], "call.refused"]["code"] == "unknown_target"
    assert all(entry["ms"] >= 0 for (_, kind), entry in by_call.items() if kind != "call.received")
