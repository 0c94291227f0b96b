"""How does a client hear that a request was decided, without asking?

A request is the resource ``approval://{request_id}``. Clients of 2026-07-28 listen (`subscriptions/listen`), earlier
ones subscribe (`resources/subscribe`) where they have a connection of their own. Both hear once, when it is not pending
any more, and read what was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError

from mcp_migrate.errors import MigrateError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.server.progress import GONE
from mcp_migrate.server.results import refused, refusing

SCHEME = "approval://"
TEMPLATE = "approval://{request_id}"
_LOOK_SECONDS = 1.0
_WATCHED_AT_MOST = 1_000
_OF_ONE_STREAM = 100
"""Each is looked up on the ledger before a stream begins."""

Context = ServerRequestContext[Any]


class Requests(Protocol):
    """What can be watched."""

    @property
    def ledger(self) -> Ledger: ...

    def request_status(self, request_id: str) -> str:
        """How a request stands now."""
        ...


class Updates:
    """Subscriptions, to requests of the subscriber's own workflow. Nothing looks while nobody listens."""

    def __init__(self, requests: Requests, workflow: Callable[[Context], str], spawn: Callable[..., None]) -> None:
        self._requests = requests
        self._workflow = workflow
        self._spawn = spawn
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._watched: set[str] = set()
        self._sessions: dict[str, ServerSession] = {}
        self._looks = False

    async def publish(self, event: ServerEvent) -> None:
        """Tell everybody who listens for it."""
        await self._bus.publish(event)

    def attach(self, server: Server[Any]) -> None:
        """Answer the methods of both eras."""
        listen, subscribe = refusing(self.listen), refusing(self.subscribe)
        server.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, listen)
        server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, subscribe)
        server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, self.unsubscribe)

    async def listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Serve one stream, for as long as the client keeps it; of others' requests it hears nothing."""
        wanted = params.notifications
        asked = wanted.resource_subscriptions or ()
        if len(asked) > _OF_ONE_STREAM:
            raise refused(
                "invalid_arguments", f"One stream is for {_OF_ONE_STREAM} requests at most.", "Name those that wait."
            )
        ours = [uri for uri in asked if await self._watch(str(uri), context)]
        heard = wanted.model_copy(update={"resource_subscriptions": ours})
        return await self._listen(context, params.model_copy(update={"notifications": heard}))

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Tell this session when it changes."""
        _lasting(context)
        uri = str(params.uri)
        if not await self._watch(uri, context):
            raise MCPError(types.INVALID_PARAMS, f"There is no request {uri[:200]!r} to subscribe to")
        self._sessions[uri] = context.session
        return types.EmptyResult()

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Tell it no more."""
        _lasting(context)
        self._sessions.pop(str(params.uri), None)
        return types.EmptyResult()

    async def _watch(self, uri: str, context: Context) -> bool:
        """Whether `uri` is a request of the caller's workflow; from here on it is looked at."""
        ours = await anyio.to_thread.run_sync(self._ours, uri, self._workflow(context))
        if not ours or len(self._watched) >= _WATCHED_AT_MOST:
            return False
        self._watched.add(uri)
        if not self._looks:
            self._looks = True
            self._spawn(self._look)
        return True

    def _ours(self, uri: str, workflow: str) -> bool:
        events = self._requests.ledger.find(Kind.APPROVAL_REQUESTED, uri.removeprefix(SCHEME))
        return uri.startswith(SCHEME) and bool(events) and events[0].workflow == workflow

    async def _look(self) -> None:
        """Look at what is watched until all of it is decided."""
        while self._watched:
            for uri in await anyio.to_thread.run_sync(self._decided, tuple(self._watched)):
                self._watched.discard(uri)
                await self._bus.publish(ResourceUpdated(uri))
                await self._tell(uri)
            await anyio.sleep(_LOOK_SECONDS)
        self._looks = False

    def _decided(self, uris: Iterable[str]) -> list[str]:
        try:
            return [uri for uri in uris if self._requests.request_status(uri.removeprefix(SCHEME)) != "pending"]
        except MigrateError:  # the ledger cannot be read now; the next look may do better
            return []

    async def _tell(self, uri: str) -> None:
        session = self._sessions.pop(uri, None)
        if session is None:
            return
        try:
            await session.send_resource_updated(uri)
        except GONE:  # a client that is gone is told nothing
            return


def _lasting(context: Context) -> None:
    """Refuse earlier clients over HTTP: each of their requests stands alone, and can only end what others hear.

    Raises:
        MCPError: it is one of theirs.
    """
    if context.request is not None:
        raise refused(
            "not_subscribable",
            "Over HTTP only clients of 2026-07-28 are told of changes.",
            "Ask approval_status, with `wait_seconds`.",
        )
