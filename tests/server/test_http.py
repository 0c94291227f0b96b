"""What is heard over HTTP at all, how slowly, and what is answered where nobody can say who calls?"""

from __future__ import annotations

import base64
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError, LedgerUnavailableError, MigrateError
from mcp_migrate.model import Call, Grant
from mcp_migrate.server.calls import Calls
from mcp_migrate.server.http import app as team_app
from mcp_migrate.server.http import bearer, serving
from mcp_migrate.server.http.bearer import Bearer
from mcp_migrate.server.http.body import Whole
from mcp_migrate.server.http.guard import Guard
from mcp_migrate.server.http.health import Health
from mcp_migrate.server.oauth.verifying import Signed
from mcp_migrate.server.who import CALLER
from mcp_migrate.settings.http import Http
from mcp_migrate.tools.registry import load
from tests.server.authority import Authority
from tests.server.issuer import NAME, Issuer, issuing

pytestmark = pytest.mark.anyio


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


class Nobody:
    """A ledger and a configuration that know no caller."""

    def refused(self, call: Call, error: MigrateError) -> None: ...

    def handed_on(self, texts: Sequence[str], principal: str) -> tuple[Grant, ...]:
        raise AssertionError(texts, principal)


def http_of(issuer: Issuer, **more: Any) -> Http:
    oauth = {"issuer": NAME, "jwks": issuer.url}
    return Http.model_validate({"url": "http://localhost:1", "state_keys": ["${env:K}"], "oauth": oauth, **more})


@pytest.mark.proves("oauth-issuer-down", "interface-issuer-unreachable")
async def test_while_nobody_can_say_whether_a_token_holds_its_sender_keeps_it(issuer: Issuer) -> None:
    issuer.answers = 500
    http = http_of(issuer)
    app = Bearer(PlainTextResponse("heard"), http, Signed(http), load({}), Nobody())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=http.url) as client:
        answer = await client.post("/mcp", headers={"authorization": f"Bearer {issuer.token()}"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "issuer_unreachable"


async def whoever_calls(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers who its caller is, and how that was proved."""
    caller = Request(scope).scope[CALLER]
    await JSONResponse([caller.principal, caller.assurance])(scope, receive, send)


async def called(issuer: Issuer, headers: Mapping[str, str], **more: Any) -> httpx2.Response:
    """The answer to a request that came by a proxy of ours."""
    http = http_of(issuer, trusted_proxies=["10.0.0.5"], **more)
    issuer.audience = f"{http.url}/mcp"
    bearer = Bearer(whoever_calls, http, Signed(http), load({}), Nobody())
    transport = httpx2.ASGITransport(bearer, client=("10.0.0.5", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=http.url) as client:
        sent = {"authorization": f"Bearer {issuer.token('agent:by-token', scope='schema_read')}", **headers}
        return await client.post("/mcp", headers={name: text for name, text in sent.items() if text})


@pytest.mark.proves("mtls-names")
async def test_whoever_sends_a_token_calls_by_it_whatever_certificate_the_proxy_saw(issuer: Issuer) -> None:
    der = Authority().holder("ci", "spiffe://acme.example/ns/ci").der
    issuer.audience = "http://localhost:1/mcp"
    certificate = {"client-cert": f":{base64.b64encode(der).decode()}:"}
    both = await called(issuer, certificate, certificates={})
    alone = await called(issuer, {**certificate, "authorization": ""}, certificates={})
    unsound = await called(issuer, {**certificate, "authorization": "Bearer no.token.at-all"}, certificates={})
    assert both.json() == ["agent:by-token", "oauth"]
    assert alone.json() == ["spiffe://acme.example/ns/ci", "mtls"]
    assert unsound.status_code == 401


@pytest.mark.proves("oauth-step-up")
async def test_only_a_call_is_refused_by_its_headers_for_the_tool_that_it_names(issuer: Issuer) -> None:
    named = {"mcp-name": "migration_apply"}
    with pytest.MonkeyPatch.context() as patch:
        refused: list[str] = []
        patch.setattr(Nobody, "refused", lambda _self, call, _error: refused.append(call.tool))
        call = await called(issuer, {**named, "mcp-method": "tools/call"})
        other = await called(issuer, {**named, "mcp-method": "prompts/get"})
    assert (call.status_code, other.status_code, refused) == (403, 200, ["migration_apply"])


@pytest.mark.proves("team-fair")
async def test_nobody_has_all_connections_of_a_server(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearer, "_AT_ONCE", 2)
    issuer.audience, ends = "http://localhost:1/mcp", anyio.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await ends.wait()
        await PlainTextResponse("heard")(scope, receive, send)

    http = http_of(issuer)
    app = Bearer(stream, http, Signed(http), load({}), Nobody())
    answers: dict[str, list[int]] = {"one": [], "other": []}

    async def ask(whose: str) -> None:
        sent = {"authorization": f"Bearer {issuer.token(whose)}"}
        answers[whose].append((await client.post("/mcp", headers=sent)).status_code)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                for whose in ("one", "one", "one", "other"):
                    group.start_soon(ask, whose)
                await seen(lambda: answers["one"] == [429] and sum(app._open.values()) == 3)
                ends.set()
            await ask("one")
    assert (answers, app._open) == ({"one": [429, 200, 200, 200], "other": [200]}, {})


@pytest.mark.proves("team-rebinding")
@pytest.mark.parametrize("hosts", [(), ("localhost", "localhost"), ("localhost", "evil.example"), ("evil.example",)])
async def test_a_request_with_any_but_one_host_that_is_ours_is_not_heard(hosts: Sequence[str]) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def nothing() -> MutableMapping[str, Any]:
        raise AssertionError("its body was read")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    guard = Guard(PlainTextResponse("heard"), hosts=frozenset({"localhost"}), origin="http://localhost")
    headers = [(b"host", host.encode()) for host in hosts]
    await guard({"type": "http", "method": "POST", "headers": headers}, nothing, send)
    assert sent[0]["status"] == 421


@pytest.mark.proves("pausing-state-stolen")
def test_a_key_of_paused_calls_that_could_be_guessed_is_no_start(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOD", "g" * 40)
    for short in ("", "k" * 31):
        monkeypatch.setenv("SHORT", short)
        with pytest.raises(CredentialFailedError):
            team_app.keys(http_of(issuer, state_keys=["${env:GOOD}", "${env:SHORT}"]))
    assert team_app.keys(http_of(issuer, state_keys=["${env:GOOD}"])) == [b"g" * 40]


@pytest.mark.proves("team-slow-clients")
async def test_a_body_that_does_not_come_in_time_is_not_waited_for() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def drip() -> MutableMapping[str, Any]:
        await anyio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    whole = Whole(PlainTextResponse("heard"), most=1_000, seconds=0.1)
    await whole({"type": "http", "method": "POST"}, drip, send)
    assert sent[0]["status"] == 408


@pytest.mark.proves("team-slow-clients")
@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n"]
)
async def test_a_head_or_the_rest_of_a_refused_body_that_only_drips_in_ends_its_connection(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(serving, "_HEAD_SECONDS", 0.3)
    app = PlainTextResponse("heard")
    config = uvicorn.Config(app, http=serving._Impatient, ws="none", lifespan="off", log_config=None, access_log=False)
    server, opened = uvicorn.Server(config), serving.listen("127.0.0.1:0")
    port = opened.getsockname()[1]
    async with anyio.create_task_group() as group:
        group.start_soon(server._serve, [opened])
        with anyio.fail_after(20):
            async with httpx2.AsyncClient() as client:
                heard = await client.get(f"http://127.0.0.1:{port}/")
            async with await anyio.connect_tcp("127.0.0.1", port) as slow:
                await slow.send(begun)
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await dripped(slow)
        server.should_exit = True
    assert heard.text == "heard"


@pytest.mark.proves("team-at-once")
async def test_no_part_of_an_answer_waits_for_the_one_before_to_be_acknowledged() -> None:
    config = uvicorn.Config(PlainTextResponse("heard"), http=serving._Impatient, ws="none", lifespan="off")
    server, opened, waits = serving._Server(config), serving.listen("127.0.0.1:0"), list[int]()
    async with anyio.create_task_group() as group, httpx2.AsyncClient() as client:
        group.start_soon(server._serve, [opened])
        with anyio.fail_after(20):
            await client.get(f"http://127.0.0.1:{opened.getsockname()[1]}/")
        for each in server.server_state.connections:
            held = each.transport.get_extra_info("socket")
            waits.append(held.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        server.should_exit = True
    assert waits == [1]


@pytest.mark.proves("team-slow-clients")
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
async def test_whoever_does_not_take_its_answer_is_let_go(monkeypatch: pytest.MonkeyPatch, more: bytes) -> None:
    monkeypatch.setattr(serving, "_TAKE_SECONDS", 0.3)
    app = PlainTextResponse("x" * 2**24)  # more than lies between two sockets
    config = uvicorn.Config(app, http=serving._Impatient, ws="none", lifespan="off")
    server, opened = serving._Server(config), serving.listen("127.0.0.1:0")
    async with anyio.create_task_group() as group:
        group.start_soon(server._serve, [opened])
        with anyio.fail_after(20):
            async with await anyio.connect_tcp(*opened.getsockname()) as slow:
                await slow.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n")
                await seen(lambda: server.server_state.total_requests > 0)
                await seen(lambda: not server.server_state.connections)
        server.should_exit = True


@pytest.mark.proves("team-slow-clients")
@pytest.mark.skipif(sys.platform == "win32", reason="sockets there are no files")
def test_as_many_connections_are_taken_as_leave_files_for_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    allowed: list[tuple[int, int]] = []
    found = {}
    for limits in ((1_024, 524_288), (1_024, 2_048), (1_024, 1_024), (256, 256), (65_536, 65_536)):
        allowed.clear()
        monkeypatch.setattr(resource, "getrlimit", lambda _which, limits=limits: limits)
        monkeypatch.setattr(resource, "setrlimit", lambda _which, said: allowed.append(said))
        found[limits] = serving._room(), [*allowed]
    assert found == {
        (1_024, 524_288): (2_000, [(3_100, 524_288)]),
        (1_024, 2_048): (948, [(2_048, 2_048)]),
        (1_024, 1_024): (256, [(1_024, 1_024)]),
        (256, 256): (64, [(256, 256)]),
        (65_536, 65_536): (2_000, []),
    }


async def test_connections_beyond_those_that_hear_why_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_FURTHER", 2)
    app = PlainTextResponse("heard")
    config = uvicorn.Config(app, http=serving._Impatient, ws="none", lifespan="off", limit_concurrency=4)
    server, opened = serving._Server(config), serving.listen("127.0.0.1:0")
    async with anyio.create_task_group() as group, AsyncExitStack() as held:
        group.start_soon(server._serve, [opened])
        with anyio.fail_after(20):
            for _ in range(6):
                await held.enter_async_context(await anyio.connect_tcp(*opened.getsockname()))
            await seen(lambda: len(server.server_state.connections) == 6)
            async with await anyio.connect_tcp(*opened.getsockname()) as further:
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await further.receive()
            assert len(server.server_state.connections) == 6
        server.should_exit = True


async def seen(look: Callable[[], bool]) -> None:
    """Wait for what the server does in its own time."""
    while not look():  # noqa: ASYNC110  it tells nobody
        await anyio.sleep(0.02)


async def dripped(slow: anyio.abc.SocketStream) -> None:
    """One letter after another, until nobody listens any more."""
    while True:
        await slow.send(b"X")
        with anyio.move_on_after(0.05):
            await slow.receive()


@pytest.mark.parametrize("address", ["8765", "localhost", ":8765", "127.0.0.1:port", "127.0.0.1:99999", "no.such:1"])
def test_an_address_that_cannot_be_had_is_no_start(address: str) -> None:
    with pytest.raises(ConfigInvalidError):
        serving.listen(address)


@pytest.mark.proves("team-health")
async def test_whoever_asks_for_health_makes_no_work() -> None:
    looks: list[float] = []
    now = 0.0

    def look() -> None:
        looks.append(now)
        if now >= 2:
            raise LedgerUnavailableError("It is gone.", hint="")

    app = Starlette(routes=[Route("/readyz", Health(Calls(), look, lambda: now).ready)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
        told = [(await client.get("/readyz")).text for _ in range(20)]
        now = 2.0
        gone = [(await client.get("/readyz")).text for _ in range(20)]
    assert looks == [0.0, 2.0]
    assert (set(told), set(gone)) == ({"ready\n"}, {"ledger_unavailable\n"})
