"""Does a team's server know who calls by their tokens alone, hear nobody else, and end well?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from mcp_migrate.ledger import Kind
from tests.ports import free_port
from tests.server.issuer import NAME, Issuer, issuing
from tests.team import Team, for_a_team, paused, serving, shown
from tests.waiting import until
from tests.world import World

pytestmark = pytest.mark.anyio
STREAMING = {
    "protocolVersion": "2026-07-28",
    "clientInfo": {"name": "test", "version": "1"},
    "clientCapabilities": {},
}
BOTH = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A plan that drops a table waits, and a second agent is there."""
    made = World(tmp_path_factory.mktemp("team"))
    made.write_revision("d1", "a1", 'op.drop_table("orders")')
    made.prepare(plan="d1")
    made.configure(lambda c: c["workflows"]["shop-agent"]["principals"].append("agent:other"))
    made.configure(lambda c: c.update(pausing={"hold": "100ms"}))
    return made


@pytest.fixture
def slow(tmp_path: Path) -> World:
    """The plan that waits takes a second or two."""
    made = World(tmp_path)
    made.write_slow_revision()
    return made.prepare(plan="s1")


@pytest.fixture(scope="module")
def team(shop: World, issuer: Issuer) -> Iterator[Team]:
    port = free_port()
    for_a_team(shop, issuer, f"http://localhost:{port}")
    with serving(shop, issuer, port=port) as made:
        yield made


@pytest.mark.proves("pausing-holds-nothing")
async def test_calls_that_wait_for_people_hold_no_thread_and_no_file_of_the_server(team: Team, shop: World) -> None:
    def held() -> tuple[int, int]:
        status = Path(f"/proc/{team.process.pid}/status")
        if not status.exists():
            pytest.skip("no /proc tells what a process holds")
        files = list(Path(f"/proc/{team.process.pid}/fd").iterdir())
        return int(status.read_text().partition("Threads:")[2].split()[0]), len(files)

    async def many(count: int) -> None:
        async with team.agent(mode="2026-07-28", elicitation_callback=shown) as agent:
            answers = [await paused(agent, shop.planned) for _ in range(count)]
            assert all(isinstance(answer, types.InputRequiredResult) for answer in answers)

    await many(4)  # what is kept for the next call is there now
    before = held()
    await many(50)
    # a connection whose client has left is a file until the server hears of it
    until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))


@BOTH
@pytest.mark.proves("team-both-eras", "record-caller")
async def test_a_token_says_who_calls_and_the_record_keeps_for_whom(team: Team, shop: World, mode: str) -> None:
    token = team.issuer.token("ada", act={"sub": "agent:demo"}, client_id="chat")
    async with team.agent(token, mode=mode) as agent:
        read = await agent.call("schema_read", target="shop")
    [received] = [e for e in shop.events(Kind.CALL_RECEIVED) if e.call_id == read["call_id"]]
    assert "orders" in read["schema"]
    assert received.body["principal"] == "agent:demo"
    assert received.body["caller"]["assurance"] == "oauth"
    assert received.body["caller"]["client"] == "chat"
    assert received.body["caller"]["chain"] == [{"subject": "ada", "issuer": NAME}]


@pytest.mark.proves("oauth-no-one", "interface-token-invalid")
def test_without_a_token_nobody_calls_and_a_client_hears_where_to_get_one(team: Team) -> None:
    late = datetime.now(UTC) - timedelta(minutes=5)
    bare, wrong, expired = (
        team.post(),
        team.post(authorization="Basic YTpi"),
        team.post(authorization=f"Bearer {team.issuer.token(exp=late)}"),
    )
    assert [answer.status_code for answer in (bare, wrong, expired)] == [401, 401, 401]
    assert expired.json()["code"] == "token_invalid"
    assert 'error="invalid_token"' in expired.headers["www-authenticate"]
    assert "error" not in bare.headers["www-authenticate"]
    where = bare.headers["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
    told = httpx2.get(where).json()
    assert told["resource"] == f"{team.url}/mcp"
    assert told["authorization_servers"] == [NAME]
    assert "migration_apply" in told["scopes_supported"]


@pytest.mark.proves("interface-insufficient-scope", "oauth-step-up")
async def test_both_the_token_and_the_configuration_have_to_allow_a_call(team: Team, shop: World) -> None:
    reading = team.issuer.token(scope="schema_read")
    async with team.agent(reading, mode="legacy") as agent:
        allowed = await agent.call("schema_read", target="shop")
        refused = await agent.call("migration_plan", target="shop")
    async with team.agent(team.issuer.token("agent:nobody")) as agent:
        unknown = await agent.call("schema_read", target="shop")
    told = team.post(authorization=f"Bearer {reading}", mcp_method="tools/call", mcp_name="migration_plan")
    assert "orders" in allowed["schema"]
    assert (refused["code"], unknown["code"]) == ("insufficient_scope", "not_permitted")
    assert told.status_code == 403
    assert 'error="insufficient_scope", scope="migration_plan"' in told.headers["www-authenticate"]
    codes = [event.body["code"] for event in shop.events(Kind.CALL_REFUSED)]
    assert codes.count("insufficient_scope") == 2


@pytest.mark.proves("pausing-state-stolen")
async def test_a_pause_over_http_is_its_callers_alone(team: Team) -> None:
    modern: dict[str, Any] = {"mode": "2026-07-28", "elicitation_callback": shown}
    async with team.agent(**modern) as agent, team.agent(team.issuer.token("agent:other"), **modern) as thief:
        asked = await paused(agent, team.planned)
        stolen = await paused(thief, team.planned, asked.request_state)
        again = await paused(agent, team.planned, asked.request_state)
    [asks] = asked.input_requests.values()
    page = httpx2.get(asks.params.url)
    assert asks.params.url.startswith(f"{team.url}/requests/req_")
    assert stolen.structured_content["code"] == "request_state_invalid"
    assert isinstance(again, types.InputRequiredResult)
    assert page.status_code == 200
    assert "orders" in page.text


@pytest.mark.proves("team-subscriptions")
async def test_no_client_ends_what_another_hears(team: Team) -> None:
    """Earlier clients have no connection over HTTP that could hear of anything, and so none that could end it."""
    request = types.UnsubscribeRequest(params=types.UnsubscribeRequestParams(uri="approval://req_0"))
    async with team.agent(mode="legacy") as agent:
        with pytest.raises(MCPError, match="not_subscribable"):
            await agent.client.session.send_request(request, types.EmptyResult)


@pytest.mark.proves("team-rebinding")
@pytest.mark.parametrize("path", ["/mcp", "/requests/req_0/decision"])
def test_no_name_that_was_made_to_point_here_and_no_page_of_others_is_heard(team: Team, path: str) -> None:
    token = {"authorization": f"Bearer {team.issuer.token()}"}
    assert team.post(path=path, host="evil.example.com", **token).status_code == 421
    assert team.post(path=path, origin="http://evil.example.com", **token).status_code == 403
    preflight = httpx2.options(team.url + path, headers={"origin": "http://evil.example.com"})
    assert preflight.status_code in {403, 405}
    assert "access-control-allow-origin" not in preflight.headers
    assert team.get("/mcp", **token).status_code == 405


@pytest.mark.proves("team-bad-bodies")
async def test_what_is_too_long_or_no_call_is_refused_and_the_server_goes_on(team: Team) -> None:
    token = {"authorization": f"Bearer {team.issuer.token()}", "mcp_protocol_version": "2026-07-28"}
    assert team.post(b"x" * (4 * 2**20 + 1), **token).status_code == 413
    for body in (b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"jsonrpc": "2.0", "id": 1, "method": "no/such"}'):
        assert 400 <= team.post(body, **token).status_code < 500
    assert team.post(b"x" * 2**20, path="/requests/req_0/decision", origin=team.url).status_code == 413
    async with team.agent() as agent:
        assert "orders" in (await agent.call("schema_read", target="shop"))["schema"]


def listening(team: Team, *uris: str, **token: Any) -> str:
    """What a stream for these begins with, where it does not begin."""
    meta = {f"io.modelcontextprotocol/{name}": said for name, said in STREAMING.items()}
    params = {"notifications": {"resourceSubscriptions": uris}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
    named = {"mcp_protocol_version": "2026-07-28", "mcp_method": "subscriptions/listen"}
    return team.post(json.dumps(body).encode(), authorization=f"Bearer {team.issuer.token(**token)}", **named).text


@pytest.mark.proves("oauth-scopes")
def test_nobody_hears_of_requests_whose_token_does_not_stand_for_looking_at_them(team: Team) -> None:
    assert "insufficient_scope: The token" in listening(team, "approval://req_1", scope="schema_read")


def test_a_stream_for_more_requests_than_anybody_waits_for_does_not_begin(team: Team) -> None:
    refused = listening(team, *(f"approval://req_{n}" for n in range(101)))
    assert "invalid_arguments: One stream is for 100 requests at most." in refused


@pytest.mark.proves("team-health")
def test_health_is_told_to_anybody_and_tells_nothing_else(team: Team) -> None:
    assert (team.get("/healthz", host="10.0.0.1").text, team.get("/readyz").text) == ("alive\n", "ready\n")


@pytest.mark.proves("team-drain")
async def test_a_stop_finishes_what_runs_sends_new_calls_away_and_ends(slow: World, issuer: Issuer) -> None:
    port = free_port()
    for_a_team(slow, issuer, f"http://localhost:{port}")
    with serving(slow, issuer, port=port) as team:
        async with team.agent() as agent, anyio.create_task_group() as group:
            await agent.client.list_tools()  # the client asks for them after a call otherwise
            done: dict[str, Any] = {}

            async def apply() -> None:
                done.update(await agent.call("migration_apply", plan_id=team.planned))

            group.start_soon(apply)
            await anyio.to_thread.run_sync(until, lambda: slow.events(Kind.STEP_STARTED))
            team.process.terminate()
            await anyio.to_thread.run_sync(until, lambda: team.get("/readyz").status_code == 503)
            sent_away = team.post(authorization=f"Bearer {team.issuer.token()}")
        code = team.process.wait(120)
    assert done["status"] == "applied"
    assert sent_away.status_code == 503
    assert code == 0
