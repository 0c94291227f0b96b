"""Does each request of one server act as whoever makes it, and nobody as anybody?"""

from __future__ import annotations

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mcp_migrate.__main__ import load_settings
from mcp_migrate.ledger import Kind
from mcp_migrate.model import Caller, Party
from mcp_migrate.server.app import build_server
from mcp_migrate.server.calls import Calls
from mcp_migrate.wiring import Wiring
from tests.world import Agent, World

ISSUER = "https://login.example.com"
WORKER = Caller(
    "agent:demo",
    assurance="oauth",
    party=Party("worker-7", ISSUER),
    client="orchestrator",
    chain=(Party("orchestrator-1", ISSUER), Party("ada", ISSUER)),
    tools=("schema_*",),
)
CLAIMED: dict[str, object] = {"assurance": "claimed", "party": None, "client": None, "chain": [], "tools": None}


@pytest.mark.anyio
@pytest.mark.proves("record-caller", "caller-per-request")
async def test_each_request_acts_as_its_caller_and_is_recorded_with_what_proves_it(world: World) -> None:
    callers = [WORKER]
    wiring = Wiring(load_settings(world.config))
    server = build_server(wiring.registry, wiring, lambda _context: callers[-1], Calls())
    async with Client(server) as client:
        agent = Agent(client)
        await agent.call("schema_read", target="shop")
        callers.append(Caller("agent:nobody"))
        refused = await agent.call("schema_read", target="shop")
        with pytest.raises(MCPError, match="not_permitted"):
            await client.list_resources()
    [received], [turned_away] = world.events(Kind.CALL_RECEIVED), world.events(Kind.CALL_REFUSED)
    assert refused["code"] == "not_permitted"
    assert (received.body["principal"], turned_away.body["principal"]) == ("agent:demo", "agent:nobody")
    assert turned_away.body["caller"] == CLAIMED
    assert received.body["caller"] == {
        "assurance": "oauth",
        "party": {"subject": "worker-7", "issuer": ISSUER},
        "client": "orchestrator",
        "chain": [{"subject": "orchestrator-1", "issuer": ISSUER}, {"subject": "ada", "issuer": ISSUER}],
        "tools": ["schema_*"],
    }
