"""Does the address that an agent is given lead a person to the question, and does their answer reach the agent?"""

from __future__ import annotations

import httpx2
import pytest

from mcp_migrate.signers.sign import public_key_of, sign
from tests.web.visitor import field_of, statement_of
from tests.world import Agent, World

pytestmark = pytest.mark.anyio


async def ask(agent: Agent) -> tuple[str, str, str]:
    """Apply a plan that drops a column: the plan, its request and where a person reviews it."""
    await agent.plan_and_apply("b2")
    plan = await agent.call("migration_plan", target="shop", to="c3")
    waiting = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert waiting["status"] == "approval_required", waiting
    return plan["plan_id"], waiting["request_id"], waiting["review_url"]


@pytest.mark.proves("review-pages-sign")
async def test_a_reviewer_follows_the_url_signs_and_the_same_call_runs(world: World) -> None:
    async with world.stdio_agent("--as", "agent:demo") as agent, httpx2.AsyncClient() as browser:
        plan_id, request_id, url = await ask(agent)
        page = (await browser.get(url)).text
        assert "Drops main.customers.fax" in page
        key = public_key_of(world.keys["grace"], passphrase=str)
        fields = {"mark": field_of(page, "mark"), "signer": f"grace {key.fingerprint}", "verdict": "approve"}
        origin = {"origin": url.rpartition("/requests/")[0]}
        shown = (await browser.post(f"{url}/sign", data=fields, headers=origin)).text
        signature = sign(statement_of(shown), world.keys["grace"], passphrase=str)
        sent = {"mark": fields["mark"], "statement": field_of(shown, "statement"), "signature": signature}
        await browser.post(f"{url}/decision", data=sent, headers=origin)
        status = await agent.call("approval_status", request_id=request_id)
        done = await agent.call("migration_apply", plan_id=plan_id)
    assert (status["status"], status["review_url"]) == ("approved", url)
    assert done["status"] == "applied"
    assert "fax" not in world.columns("customers")
