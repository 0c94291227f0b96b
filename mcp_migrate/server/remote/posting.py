"""How does one message reach a team's server, and what comes back?

No redirect is followed and nothing is sent twice: whether a call that got no answer was made, the ledger says.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from mcp_types import JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

from mcp_migrate.errors import ServerUnreachableError
from mcp_migrate.server.remote.headers import Headers
from mcp_migrate.server.remote.known import Address, make_sure
from mcp_migrate.server.remote.token import Token
from mcp_migrate.server.remote.trouble import refused_there, silent

_SILENCE = httpx2.Timeout(30.0, connect=10.0, read=120.0)
"""A server that works on a call says so every fifteen seconds."""
_MOST_BYTES = 8 * 2**20
_MOST_AT_ONCE = httpx2.Limits(max_connections=100, max_keepalive_connections=10)


class Posting:
    """Sends messages to one server, once it is known to be one of ours."""

    def __init__(self, http: httpx2.AsyncClient, server: Address, token: Token) -> None:
        self._http, self._server, self._token = http, server, token
        self._known = False
        self.headers = Headers()

    async def send(self, message: JSONRPCRequest | JSONRPCNotification) -> AsyncGenerator[JSONRPCMessage]:
        """What the server says to it, the answer last. Raises: MigrateError."""
        if not self._known:
            await self._make_sure()
        form = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        said = {**self._token.headers(), **self.headers.of(message), **form}
        body = message.model_dump_json(by_alias=True, exclude_unset=True).encode()
        try:
            async with self._http.stream("POST", self._server.resource, content=body, headers=said) as answer:
                async for each in self._messages(answer):
                    yield each
        except httpx2.HTTPError as error:
            raise silent(self._server, error) from error

    async def _messages(self, answer: httpx2.Response) -> AsyncIterator[JSONRPCMessage]:
        if answer.headers.get("content-type", "").startswith("text/event-stream") and answer.is_success:
            async for event in httpx2.EventSource(answer, max_event_size=_MOST_BYTES):
                if event.data:
                    yield self._parsed(event.data.encode(), answer)
        elif answer.status_code != 202:  # noqa: PLR2004  taken, and nothing to say
            yield self._parsed(await _bounded(answer), answer)

    def _parsed(self, body: bytes, answer: httpx2.Response) -> JSONRPCMessage:
        """A message of the protocol, whatever the status that it came with. Raises: MigrateError: it is none."""
        try:
            return jsonrpc_message_adapter.validate_json(body, by_name=False)
        except ValidationError:
            raise refused_there(self._server, answer, body, self._token) from None

    async def _make_sure(self) -> None:
        try:
            async with self._http.stream("GET", self._server.metadata) as answer:
                body = await _bounded(answer)
        except httpx2.HTTPError as error:
            raise silent(self._server, error) from error
        if answer.status_code in {502, 503, 504}:  # what stands before it knows of no server that is up
            raise refused_there(self._server, answer, body, self._token)
        try:
            make_sure(self._server, answer.status_code, json.loads(body))
        except ValueError:
            make_sure(self._server, answer.status_code, None)
        self._known = True


@asynccontextmanager
async def posting(server: Address, token: Token) -> AsyncIterator[Posting]:
    """The way to a server, its certificate verified as the system's (or `SSL_CERT_FILE`) say."""
    async with httpx2.AsyncClient(
        timeout=_SILENCE,
        limits=_MOST_AT_ONCE,
        follow_redirects=False,
        verify=ssl.create_default_context(),
        trust_env=not server.on_this_machine,  # a proxy of the environment would read a token that is sent in plain
    ) as http:
        yield Posting(http, server, token)


async def _bounded(answer: httpx2.Response) -> bytes:
    whole = bytearray()
    async for part in answer.aiter_bytes():
        whole += part
        if len(whole) > _MOST_BYTES:
            raise ServerUnreachableError("The server answered too much.", hint="Ask for less at once.")
    return bytes(whole)
