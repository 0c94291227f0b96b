"""What becomes of a message on its way to a team's server, and of the token that goes with it?"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.server.remote.headers import Headers
from mcp_migrate.server.remote.known import Address, address
from mcp_migrate.server.remote.posting import posting
from mcp_migrate.server.remote.relay import Relay
from mcp_migrate.server.remote.token import Token
from tests.server.authority import Authority, server_context

pytestmark = pytest.mark.anyio
MODERN = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
CALL = {"name": "schema_read", "arguments": {"view": "daily"}, **MODERN}


@dataclass
class Elsewhere:
    """A server that is not ours. `says` answers a path with a status and a body; an Event keeps silent until gone."""

    says: dict[str, tuple[int, Any]]
    url: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    def ours(self) -> Elsewhere:
        told = {"resource_name": "mcp-migrate", "resource": f"{self.url}/mcp"}
        self.says["/.well-known/oauth-protected-resource/mcp"] = (200, told)
        return self


@contextmanager
def elsewhere(
    says: Mapping[str, tuple[int, Any]], tls: Callable[[], ssl.SSLContext] | None = None
) -> Iterator[Elsewhere]:
    made = Elsewhere(dict(says))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, self.headers["authorization"]))
            status, body = made.says.get(self.path, (404, "Not here"))
            if body is None:
                self.rfile.read(int(self.headers["content-length"]))
                self.rfile.read(1)  # until its client is gone
                made.gone.set()
                return
            sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            kind = "text/event-stream" if sent.startswith(b"data:") else "application/json"
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_GET  # noqa: N815  the names that the base class looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name in the base class
            """It says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http{'s' if tls else ''}://localhost:{server.server_address[1]}"
        if tls:
            server.socket = tls().wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        server.shutdown()


@asynccontextmanager
async def relayed(server: Address, *said: tuple[str, Mapping[str, Any]]) -> AsyncIterator[Any]:
    """What a client gets back that said these requests, their ids counted from 1; more can be said."""
    heard, hears = anyio.create_memory_object_stream[JSONRPCMessage](10)
    says, listened = anyio.create_memory_object_stream[SessionMessage | Exception](10)
    token = Token(None, "T", {"T": "secret"})
    async with heard, hears, says, listened, posting(server, token) as way, anyio.create_task_group() as group:
        group.start_soon(Relay(way, heard.send).run, listened)
        for number, (method, params) in enumerate(said, 1):
            request = JSONRPCRequest(jsonrpc="2.0", id=number, method=method, params=dict(params))
            await says.send(SessionMessage(request))
        with anyio.fail_after(20):
            yield hears, says
        group.cancel_scope.cancel()


async def told(server: Address, method: str = "tools/call", params: Mapping[str, Any] = CALL) -> Any:
    """The one answer to one request."""
    async with relayed(server, (method, params)) as (hears, _):
        answer = await hears.receive()
    assert answer.id == 1
    return answer.model_dump(by_alias=True, mode="json", exclude_none=True)


@pytest.mark.proves("remote-no-token")
async def test_what_is_no_server_of_ours_or_goes_by_another_name_is_sent_no_token() -> None:
    other = {"resource_name": "mcp-migrate", "resource": "https://migrate.example.com/mcp"}
    for says, why in (
        ((404, "Not here"), "is no mcp-migrate server"),
        ((200, "<html>"), "is no mcp-migrate server"),
        ((200, {"resource_name": "another"}), "is no mcp-migrate server"),
        ((200, other), "goes by another name, 'https://migrate.example.com/mcp'"),
    ):
        with elsewhere({"/.well-known/oauth-protected-resource/mcp": says}) as server:
            answer = await told(address(server.url))
        assert server.asked == [("/.well-known/oauth-protected-resource/mcp", None)]
        assert answer["result"]["structuredContent"]["code"] == "server_unreachable"
        assert why in answer["result"]["structuredContent"]["message"]


@pytest.mark.proves("remote-no-token")
async def test_a_certificate_that_nobody_vouches_for_is_sent_no_token(tmp_path: Path) -> None:
    file = Authority().holder("server", host="localhost").write(tmp_path / "server.pem")
    with elsewhere({}, lambda: server_context(file)) as server:
        answer = await told(address(server.url))
    assert server.asked == []
    assert "certificate" in answer["result"]["structuredContent"]["message"]
    assert "SSL_CERT_FILE" in answer["result"]["structuredContent"]["next"]["hint"]


@pytest.mark.proves("interface-server-unreachable")
async def test_a_server_that_is_down_or_breaks_off_is_said_to_be_so_in_the_words_of_the_method() -> None:
    with elsewhere({}) as gone:
        url = address(gone.url)
    down, listing = await told(url), await told(url, "tools/list", {})
    with elsewhere({"/mcp": (502, "<html>Bad gateway")}) as server:
        proxy = await told(address(server.ours().url))
        server.says["/mcp"] = (307, "elsewhere")
        moved = await told(address(server.url))
        server.says["/mcp"] = (200, "data: half an answer\n\n")
        broken = await told(address(server.url))
        server.says["/mcp"] = (200, 'data: {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}\n\n')
        async with relayed(address(server.url), ("tools/call", CALL)) as (hears, _):
            progress, cut = await hears.receive(), await hears.receive()
    said = [answer["result"]["structuredContent"] for answer in (down, proxy, moved, broken)]
    assert [each["code"] for each in said] == ["server_unreachable"] * 4
    assert down["result"]["isError"]
    assert "cannot be reached" in said[0]["message"]
    assert ("answered 502" in said[1]["message"], "answered 307" in said[2]["message"]) == (True, True)
    assert listing["error"]["data"]["code"] == "server_unreachable"
    assert isinstance(progress, JSONRPCNotification)
    assert cut.result["structuredContent"]["code"] == "server_unreachable"


@pytest.mark.proves("remote-calls-off")
@pytest.mark.parametrize("params", [CALL, {"name": "schema_read", "arguments": {}}], ids=["2026-07-28", "legacy"])
async def test_what_a_client_calls_off_ends_its_connection_and_has_no_answer(params: Mapping[str, Any]) -> None:
    with elsewhere({"/mcp": (200, None)}) as server:
        async with relayed(address(server.ours().url), ("tools/call", params)) as (hears, says):
            while len(server.asked) < 2:  # noqa: ASYNC110  another thread hears it
                await anyio.sleep(0.01)
            off = JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params={"requestId": 1})
            await says.send(SessionMessage(off))
            assert await anyio.to_thread.run_sync(server.gone.wait, 10)
            with pytest.raises(anyio.WouldBlock):
                hears.receive_nowait()
    assert len(server.asked) == 2


def test_a_message_says_in_its_headers_what_stands_between_may_read() -> None:
    headers = Headers()
    listed = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/list", params=MODERN)
    place = {"type": "object", "properties": {"view": {"type": "string", "x-mcp-header": "View"}}}
    result = {"tools": [{"name": "schema_read", "inputSchema": place}]}
    headers.noticed(listed, JSONRPCResponse(jsonrpc="2.0", id=1, result=result))
    call = JSONRPCRequest(jsonrpc="2.0", id=2, method="tools/call", params=CALL)
    begins = JSONRPCRequest(jsonrpc="2.0", id=3, method="initialize", params={})
    headers.noticed(begins, JSONRPCResponse(jsonrpc="2.0", id=3, result={"protocolVersion": "2025-11-25"}))
    earlier = JSONRPCRequest(jsonrpc="2.0", id=4, method="tools/list")
    assert headers.of(call) == {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "schema_read",
        "Mcp-Param-View": "daily",
    }
    assert headers.of(begins) == {}
    assert headers.of(earlier) == {"mcp-protocol-version": "2025-11-25"}


@pytest.mark.parametrize(
    "said",
    [
        "http://migrate.example.com",
        "https://a:b@host",
        "ftp://host",
        "localhost:8765",
        "https://host/other",
        "https://",
    ],
)
def test_what_could_be_read_on_the_way_is_no_address(said: str) -> None:
    with pytest.raises(ConfigInvalidError):
        address(said)


def test_an_address_is_meant_with_and_without_its_path() -> None:
    assert address("https://host/mcp") == address("https://host/") == address("https://host") == Address("https://host")


@pytest.mark.proves("remote-tokens")
@pytest.mark.parametrize("text", ["", "one two", "a\r\nhost: evil", "x" * 20_000])
def test_what_is_no_token_is_not_sent(text: str) -> None:
    with pytest.raises(ConfigInvalidError, match="no access token"):
        Token(None, "T", {"T": text}).read()
