"""Which paths does a team's server have? The protocol, what clients read to sign in, health, and the review pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.server.app import build_server
from mcp_migrate.server.calls import Calls
from mcp_migrate.server.door import Governed
from mcp_migrate.server.http.bearer import Bearer
from mcp_migrate.server.http.body import Whole
from mcp_migrate.server.http.guard import Guard
from mcp_migrate.server.http.health import Health
from mcp_migrate.server.oauth.claims import scopes_known
from mcp_migrate.server.oauth.verifying import verifier
from mcp_migrate.server.sealing import KEY_BYTES, Seal
from mcp_migrate.server.who import by_token
from mcp_migrate.settings.http import ENDPOINT, METADATA, NAME, Http
from mcp_migrate.settings.references import resolve
from mcp_migrate.tools.registry import Registry

_MOST_BYTES = 4 * 2**20
_MOST_BYTES_OF_A_PAGE = 128 * 2**10
_SECONDS = 20.0
_HERE = ("localhost", "127.0.0.1", "[::1]")
_STOPPING = PlainTextResponse("This server is about to stop.", 503, {"retry-after": "1", "connection": "close"})


@dataclass(frozen=True, slots=True)
class Team:
    """What a team's server is made of. `pages` are those of reviewers, where it serves them; `port` is its own."""

    registry: Registry
    governed: Governed
    calls: Calls
    http: Http
    port: int
    pages: ASGIApp | None = None


def build(team: Team) -> ASGIApp:
    """All of it. Raises: CredentialFailedError."""
    server = build_server(team.registry, team.governed, by_token, team.calls, seal=Seal(keys(team.http)))
    protocol, alive = _protocol(server)
    bearer = Bearer(
        _WhileOpen(Whole(protocol, most=_MOST_BYTES, seconds=_SECONDS), team.calls),
        team.http,
        verifier(team.http),
        team.registry,
        team.governed,
    )
    health = Health(team.calls, team.governed.ledger.head)
    metadata = _metadata(team)
    routes = [
        Route(ENDPOINT, Guard(bearer, hosts=_hosts(team), origin=team.http.url)),
        Route(METADATA, metadata),
        Route(METADATA + ENDPOINT, metadata),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
    ]
    if team.pages is not None:
        routes.append(Mount("/", Whole(team.pages, most=_MOST_BYTES_OF_A_PAGE, seconds=_SECONDS)))  # type: ignore[arg-type]
    return Starlette(routes=routes, lifespan=alive)


def keys(http: Http) -> list[bytes]:
    """The keys that all replicas share. Raises: CredentialFailedError: one names nothing, or is short."""
    found = [resolve(key).encode() for key in http.state_keys]
    if any(len(key) < KEY_BYTES for key in found):
        raise CredentialFailedError(
            "A key under `http.state_keys` is too short.",
            hint=f"Give each at least {KEY_BYTES} characters, as `openssl rand -base64 33` does.",
        )
    return found


def _protocol(server: Server[Any]) -> tuple[ASGIApp, Callable[[Starlette], Any]]:
    """The SDK's side, without sessions, and what keeps it alive; hosts, origins and sizes are looked at before it."""
    manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=_MOST_BYTES)

    @asynccontextmanager
    async def alive(_app: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    return StreamableHTTPASGIApp(manager), alive


class _WhileOpen:
    """Sends requests elsewhere once the server is about to stop: a proxy may try another replica."""

    def __init__(self, app: ASGIApp, calls: Calls) -> None:
        self._app, self._calls = app, calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (_STOPPING if self._calls.stopping else self._app)(scope, receive, send)


def _metadata(team: Team) -> Callable[[Request], Response]:
    """Where tokens for this server come from, and what they can be good for (RFC 9728)."""
    tools = [tool.scope for tool in team.registry]
    body = {
        "resource": team.http.resource,
        "resource_name": NAME,
        "authorization_servers": [team.http.oauth.issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": scopes_known(tools, team.http.oauth),
    }
    return lambda _request: JSONResponse(body)


def _hosts(team: Team) -> frozenset[str]:
    return frozenset({team.http.host, *(f"{name}:{team.port}" for name in _HERE)})
