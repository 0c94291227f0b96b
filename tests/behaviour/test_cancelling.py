"""What becomes of a call that is taken back?"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.errors import CancelledError
from mcp_migrate.ledger import Kind
from mcp_migrate.model import Call, Caller
from mcp_migrate.pipeline import Watch
from mcp_migrate.wiring import Wiring
from tests.behaviour.test_stdio import applying
from tests.waiting import until
from tests.world import INTENT, World

pytestmark = pytest.mark.anyio


@pytest.mark.proves("cancel-before-execute", "interface-cancelled")
async def test_a_call_cancelled_before_it_executes_changes_nothing(at_a1: World) -> None:
    wiring = Wiring(load_settings(at_a1.config))
    arguments = {"intent": INTENT, "plan_id": at_a1.planned}
    call = Call("call_cancelled", "migration_apply", arguments, INTENT, Caller("agent:demo"), datetime.now(UTC))
    with pytest.raises(CancelledError):
        wiring.run(call, wiring.registry["migration_apply"], watch=Watch(cancelled=lambda: True))
    wiring.ledger.close()
    assert at_a1.events(Kind.STEP_STARTED) == ()
    assert [event.body["code"] for event in at_a1.events(Kind.CALL_REFUSED)] == ["cancelled"]
    assert "loyalty_points" not in at_a1.columns("customers")


@pytest.mark.proves("cancel-after-execute")
async def test_a_call_cancelled_while_it_executes_finishes_and_is_recorded(world: World) -> None:
    server = applying(world)
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
    server.stdin.write(json.dumps(cancelled) + "\n")
    server.stdin.flush()
    until(lambda: world.events(Kind.STEP_FINISHED))
    server.close()
    [finished] = world.events(Kind.STEP_FINISHED)
    assert finished.body["status"] == "applied"
    assert world.query("SELECT count(*) FROM big") == [(2_000_000,)]
