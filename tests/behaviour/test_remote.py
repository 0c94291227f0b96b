"""Does a client without HTTP reach a team's server, with nothing but a token?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

from mcp_migrate.ledger import Kind
from tests.behaviour.test_stdio import TOOLS
from tests.ports import free_port
from tests.server.issuer import issuing
from tests.team import Team, for_a_team, paused, serving, shown
from tests.waiting import until
from tests.world import INTENT, Agent, World

pytestmark = pytest.mark.anyio
BOTH = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A plan that drops a table waits, and there is one more revision to plan whether it ran or not."""
    made = World(tmp_path_factory.mktemp("remote"))
    made.write_revision("d1", "a1", 'op.drop_table("orders")')
    made.write_revision("e1", "d1", 'op.create_table("notes", sa.Column("id", sa.Integer))')
    made.prepare(plan="d1")
    public = made.keys["agent"].with_suffix(".pub").read_text().strip()
    made.configure(lambda c: c["workflows"]["shop-agent"].update(workers=["agent:worker"]))
    made.configure(lambda c: c.update(delegators={"agent:demo": [public]}))
    made.configure(lambda c: c.update(pausing={"hold": "100ms"}))
    return made


@pytest.fixture(scope="module")
def team(shop: World) -> Iterator[Team]:
    port = free_port()
    with issuing() as issuer:
        for_a_team(shop, issuer, f"http://localhost:{port}")
        with serving(shop, issuer, port=port) as made:
            yield made


@pytest.fixture
def token(team: Team, tmp_path: Path) -> Path:
    return write(tmp_path / "token", team.issuer.token())


def write(file: Path, token: str, mode: int = 0o600) -> Path:
    file.write_text(f"{token}\n")
    file.chmod(mode)
    return file


def way(url: str, token: Path | None, *words: str, **env: str) -> StdioServerParameters:
    """How a client starts the way to a server, in a folder without a configuration."""
    held = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE_", "PYTHONPATH"))}
    words = ("--remote", url, *(("--token-file", str(token)) if token else ()), *words)
    path = held.get("PYTHONPATH", str(Path(__file__).parents[2]))
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_migrate", "serve", *words],
        env={**held, "PYTHONPATH": path, **env},
        cwd="/",
    )


@asynccontextmanager
async def connected(team: Team, token: Path, mode: str = "auto", **options: Any) -> AsyncIterator[Agent]:
    async with Client(way(team.url, token), mode=mode, **options) as client:
        yield Agent(client, team.planned)


@BOTH
@pytest.mark.proves("remote-everything")
async def test_every_method_passes_in_both_eras(team: Team, shop: World, token: Path, mode: str) -> None:
    steps: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        steps.append(f"{message} {progress}/{total}")

    async with connected(team, token, mode) as agent:
        client = agent.client
        tools = {tool.name for tool in (await client.list_tools()).tools}
        listed = [str(each.uri) for each in (await client.list_resources()).resources]
        schema = getattr((await client.read_resource("schema://shop")).contents[0], "text", "")
        templates = await client.list_resource_templates()
        ref = types.ResourceTemplateReference(uri="schema://{target}/{table}")
        named = await client.complete(ref, {"name": "target", "value": "s"})
        prompt = await client.get_prompt("explain_refusal", {"code": "not_permitted"})
        arguments = {"intent": INTENT, "target": "shop", "to": "e1"}
        plan = await client.call_tool("migration_plan", arguments, progress_callback=hear)
        with pytest.raises(MCPError, match="unknown_resource"):
            await client.read_resource("schema://shop/nowhere")
    assert (tools, listed, named.completion.values) == (TOOLS, ["schema://shop"], ["shop"])
    assert "customers" in schema
    assert len(templates.resource_templates) == 2
    assert "not_permitted" in str(prompt.messages)
    assert plan.structured_content["plan_id"].startswith("plan_")
    assert steps
    [received] = [e for e in shop.events(Kind.CALL_RECEIVED) if e.call_id == plan.structured_content["call_id"]]
    assert received.body["caller"]["assurance"] == "oauth"


@pytest.mark.proves("remote-pauses")
async def test_a_paused_call_shows_its_page_is_heard_of_and_goes_on(team: Team, shop: World, token: Path) -> None:
    async with connected(team, token, "2026-07-28", elicitation_callback=shown) as agent:
        asked = await paused(agent, agent.planned)
        [page] = asked.input_requests.values()
        [request] = shop.events(Kind.APPROVAL_REQUESTED)
        await given_up(shop, agent, str(request.subject))
        uri = f"approval://{request.subject}"
        async with agent.client.listen(resource_subscriptions=[uri]) as changes:
            shop.sign(str(request.subject))
            with anyio.fail_after(30):
                heard = await anext(aiter(changes))
        applied = await paused(agent, agent.planned, asked.request_state)
    assert page.params.url == f"{team.url}/requests/{request.subject}"
    assert heard == ResourceUpdated(uri)
    assert applied.structured_content["status"] == "applied"


async def given_up(shop: World, agent: Agent, request_id: str) -> None:
    """The server waits no longer for people than its client does."""
    with anyio.move_on_after(1) as gone:
        await agent.call("approval_status", request_id=request_id, wait_seconds=50)
    assert gone.cancelled_caught
    ends = (Kind.CALL_FINISHED, Kind.CALL_REFUSED)
    begun = {event.call_id for event in shop.events(Kind.CALL_RECEIVED)}
    await anyio.to_thread.run_sync(
        until, lambda: begun <= {event.call_id for kind in ends for event in shop.events(kind)}
    )


@BOTH
@pytest.mark.proves("remote-tokens")
async def test_a_lesser_or_an_old_token_says_what_to_do_and_a_new_one_counts_at_once(
    team: Team, token: Path, mode: str
) -> None:
    late = datetime.now(UTC) - timedelta(minutes=5)
    async with connected(team, token, mode) as agent:
        write(token, team.issuer.token(scope="schema_read"))
        lesser = await agent.call("migration_status", target="shop")
        write(token, team.issuer.token(exp=late))
        expired = await agent.call("migration_status", target="shop")
        with pytest.raises(MCPError, match=f"token_invalid.*{token}"):
            await agent.client.list_prompts()
        write(token, team.issuer.token())
        good = await agent.call("migration_status", target="shop")
    assert (lesser["code"], expired["code"]) == ("insufficient_scope", "token_invalid")
    assert (
        mode == "legacy" or f"with the scope migration_status. Write a new one into {token}" in lesser["next"]["hint"]
    )
    assert str(token) in expired["next"]["hint"]
    assert good["revision"]


@pytest.mark.proves("remote-tokens")
def test_a_token_that_others_can_read_reaches_nobody(team: Team, tmp_path: Path) -> None:
    start = way(team.url, write(tmp_path / "open", team.issuer.token(), 0o644))
    words = [start.command, *start.args]
    done = subprocess.run(words, env=start.env, cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "config_invalid" in done.stderr
    assert "open to others" in done.stderr


async def test_a_token_may_stand_under_a_name_of_the_environment(team: Team) -> None:
    start = way(team.url, None, "--token-env", "SHOP_TOKEN", SHOP_TOKEN=team.issuer.token())
    async with Client(start) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS


@pytest.mark.proves("delegation-over-http")
async def test_a_worker_does_over_http_what_was_handed_on_to_it_and_no_more(
    team: Team, shop: World, tmp_path: Path
) -> None:
    who = ("agent:worker", "--as", "agent:demo", "--key", str(shop.keys["agent"]), "--target", "shop")
    done = shop.here("delegate", *who, "--tool", "schema_read")
    assert done.returncode == 0, done.stderr
    grant = write(tmp_path / "grant", done.stdout.strip())
    token = write(tmp_path / "token", team.issuer.token("agent:worker"))
    other = write(tmp_path / "other", team.issuer.token())
    async with Client(way(team.url, token, "--grant", str(grant))) as client:
        read = await Agent(client).call("schema_read", target="shop")
        beyond = await Agent(client).call("migration_status", target="shop")
    async with connected(team, token) as agent:
        alone = await agent.call("schema_read", target="shop")
    text, worker, demo = (file.read_text().strip() for file in (grant, token, other))
    for held, said, why in (
        (demo, text, "it is agent:worker's, not agent:demo's"),
        (worker, ", ".join([text] * 4), "more than 3"),
        (worker, f"{text[:-4]}AAAA", "signature does not hold"),
        (worker, f"{text},", "it is none"),
    ):
        refused = team.post(authorization=f"Bearer {held}", mcp_migrate_grant=said)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
        assert why in refused.json()["message"]
        recorded = shop.events(Kind.CALL_REFUSED)[-1].body
        assert (recorded["code"], why in recorded["sentence"]) == ("not_permitted", True)
    [received] = [e for e in shop.events(Kind.CALL_RECEIVED) if e.call_id == read["call_id"]]
    assert [each["by"] for each in received.body["caller"]["grants"]] == ["agent:demo"]
    assert "not migration_status" in beyond["message"]
    assert (alone["code"], "nobody did" in alone["message"]) == ("not_permitted", True)
