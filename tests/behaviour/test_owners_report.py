"""Does the owner of a workflow see what it did, and what of its leave nobody needs?"""

from __future__ import annotations

import json

import pytest

from tests.world import World

pytestmark = pytest.mark.anyio


async def test_an_owner_sees_what_was_asked_refused_decided_and_never_used(at_b2: World) -> None:
    async with at_b2.agent() as agent:
        asked = await agent.call("migration_apply", plan_id=at_b2.planned)
        assert asked["status"] == "approval_required"
        at_b2.sign(asked["request_id"])
        assert (await agent.call("migration_apply", plan_id=at_b2.planned))["status"] == "applied"
        assert (await agent.call("schema_read", target="nowhere"))["code"] == "unknown_target"
    told = json.loads(at_b2.here("report", "--json").stdout)["shop-agent"]
    assert told["owner"] == "Ada Lovelace <ada@example.com>"
    assert told["requests"] == {"used": 1}
    assert told["decided_by"] == {"grace (approve)": 1}
    assert told["refused"] == {"unknown_target": 1}
    assert told["applies"]["applied"] >= 1
    assert told["rollbacks"] == {}
    assert told["calls"]["migration_apply"] >= 2
    assert [scope["tools"] for scope in told["unused_scopes"]] == [["revision_create"]]
    text = at_b2.here("report", "--workflow", "shop-agent").stdout
    assert "decided by       1 grace (approve)" in text
    assert "never used       scope 1: revision_create on shop" in text
    assert at_b2.here("report", "--workflow", "other").returncode == 1
