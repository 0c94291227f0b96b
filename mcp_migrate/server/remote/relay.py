"""Which messages are under way between a client and a team's server, and which were called off?"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import aclosing

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import (
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from mcp_migrate.errors import MigrateError, ServerUnreachableError
from mcp_migrate.server.remote.posting import Posting
from mcp_migrate.server.remote.trouble import told

logger = logging.getLogger(__name__)

Answer = Callable[[JSONRPCMessage], Awaitable[None]]


class Relay:
    """Hands on what a client says, each message for itself, and what comes back by `answer`."""

    def __init__(self, posting: Posting, answer: Answer) -> None:
        self._posting, self._answer = posting, answer
        self._under_way: dict[RequestId, anyio.CancelScope] = {}

    async def run(self, said: AsyncIterable[SessionMessage | Exception]) -> None:
        """Until the client says no more; what is under way then is called off, as by a client that is gone."""
        async with anyio.create_task_group() as group:
            async for each in said:
                if isinstance(each, Exception):
                    error = ErrorData(code=PARSE_ERROR, message="This is no message of the protocol.")
                    await self._answer(JSONRPCError(jsonrpc="2.0", id=None, error=error))
                elif isinstance(each.message, JSONRPCRequest):
                    scope = self._under_way[each.message.id] = anyio.CancelScope()
                    group.start_soon(self._request, each.message, scope)
                elif isinstance(each.message, JSONRPCNotification) and not self._called_off(each.message):
                    group.start_soon(self._noted, each.message)
            group.cancel_scope.cancel()

    async def _request(self, message: JSONRPCRequest, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await self._asked(message)
        finally:
            if self._under_way.get(message.id) is scope:
                del self._under_way[message.id]

    async def _asked(self, message: JSONRPCRequest) -> None:
        """A request has exactly one answer, whatever happens on the way."""
        try:
            async with aclosing(self._posting.send(message)) as said:
                async for each in said:
                    if isinstance(each, JSONRPCResponse):
                        self._posting.headers.noticed(message, each)
                    await self._answer(_addressed(each, message.id))
                    if isinstance(each, JSONRPCResponse | JSONRPCError):
                        return
            raise ServerUnreachableError(
                "The server ended the stream without an answer.", hint="Call again; a subscription has to be made anew."
            )
        except MigrateError as error:
            await self._answer(told(message, error))

    def _called_off(self, message: JSONRPCNotification) -> bool:
        """Whether it calls a request off: that ends the request's connection, and no more is sent."""
        if message.method != "notifications/cancelled":
            return False
        asked = (message.params or {}).get("requestId")
        if isinstance(asked, str | int) and asked in self._under_way:
            self._under_way[asked].cancel()
        return True

    async def _noted(self, message: JSONRPCNotification) -> None:
        """Nobody waits for an answer to it."""
        try:
            async for _ in self._posting.send(message):
                pass
        except MigrateError as error:
            logger.warning("%s was not handed on: %s", message.method, error)


def _addressed(message: JSONRPCMessage, asked: RequestId) -> JSONRPCMessage:
    """An answer belongs to the request that it came back for, also where the server could not read its id."""
    if isinstance(message, JSONRPCResponse | JSONRPCError):
        return message.model_copy(update={"id": asked})
    return message
