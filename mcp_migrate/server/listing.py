"""Which tools does a client see now, and how does it hear that they are others?

Tools whose words nobody has accepted are left out. Once somebody has, clients of 2026-07-28 that listen for it
(`subscriptions/listen`) hear that the list changed, and earlier ones on a connection of their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import partial
from typing import Any, Protocol

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import ToolsListChanged
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_migrate.errors import MigrateError, ToolWithheldError
from mcp_migrate.server.progress import GONE
from mcp_migrate.tools.registry import RegisteredTool, Registry

_LOOK_SECONDS = 1.0

Context = ServerRequestContext[Any]


class Withholds(Protocol):
    """Who knows what is withheld."""

    def withheld(self) -> Collection[str]:
        """The tools that no agent may be shown now."""
        ...


def refuse_withheld(name: str, withholds: Withholds) -> None:
    """A tool may not be called in words that agents are not shown. Raises: ToolWithheldError."""
    if name in withholds.withheld():
        raise ToolWithheldError(
            f"Nobody has accepted {name} yet as it is described now.",
            hint=f"Do without it meanwhile. `mcp-migrate tools accept {name}` shows an admin what is new.",
            tool=name,
        )


class Listing:
    """The tools of one server. Nothing looks while all of them are shown."""

    def __init__(
        self,
        registry: Registry,
        withholds: Withholds,
        spawn: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
        publish: Callable[[ToolsListChanged], Awaitable[None]],
    ) -> None:
        self._registry, self._withholds, self._spawn, self._publish = registry, withholds, spawn, publish
        self._of_teams = frozenset(tool.spec.name for tool in registry if not tool.ours)
        self._session: ServerSession | None = None
        self._looks = False

    async def list(self, context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """Answer `tools/list`."""
        hidden = await self._hidden()
        if context.request is None and context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            self._session = context.session
        if hidden and not self._looks:
            self._looks = True
            self._spawn(partial(self._look, hidden))
        return types.ListToolsResult(tools=[_listed(tool) for tool in self._registry if tool.spec.name not in hidden])

    async def _hidden(self) -> Collection[str]:
        """What is withheld; where nobody can say now, all that teams wrote."""
        if not self._of_teams:
            return self._of_teams
        try:
            return await anyio.to_thread.run_sync(self._withholds.withheld)
        except MigrateError:
            return self._of_teams

    async def _look(self, hidden: Collection[str]) -> None:
        """Look until everything is shown."""
        while hidden:
            await anyio.sleep(_LOOK_SECONDS)
            before, hidden = hidden, await self._hidden()
            if hidden != before:
                await self._publish(ToolsListChanged())
                await self._tell()
        self._looks = False

    async def _tell(self) -> None:
        if self._session is None:
            return
        try:
            await self._session.send_tool_list_changed()
        except GONE:  # a client that is gone is told nothing
            self._session = None


def _listed(tool: RegisteredTool) -> types.Tool:
    spec = tool.spec
    return types.Tool(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        input_schema=spec.input_schema,
        output_schema=spec.output,
        annotations=types.ToolAnnotations(
            read_only_hint=spec.annotations.read_only,
            destructive_hint=spec.annotations.destructive,
            idempotent_hint=spec.annotations.idempotent,
            open_world_hint=spec.annotations.open_world,
        ),
    )
