"""How does one request of a client become a governed call, and the call an answer on the wire?

Names are looked up and arguments checked here, since the SDK's low-level server does neither.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import anyio.to_thread
import mcp_types as types
from mcp.server.context import HandlerResult, ServerRequestContext

from mcp_migrate.errors import InsufficientScopeError, InternalError, MigrateError
from mcp_migrate.model import Call, Caller, Grant
from mcp_migrate.server.calls import Calls
from mcp_migrate.server.incoming import make_call, new_call_id, turned_away
from mcp_migrate.server.listing import Withholds, refuse_withheld
from mcp_migrate.server.pausing import Once, Pausing, Records, waits
from mcp_migrate.server.progress import Progress
from mcp_migrate.server.results import failed, succeeded
from mcp_migrate.server.sealing import Seal
from mcp_migrate.server.tasks import Parking, Tasks, knows_tasks
from mcp_migrate.server.who import Who
from mcp_migrate.settings import Settings
from mcp_migrate.tools.registry import RegisteredTool, Registry
from mcp_migrate.watching.ids import working_on

if TYPE_CHECKING:
    from mcp_migrate.pipeline import Watch

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any]

_LOOKS = "approval_status"


class Governed(Records, Parking, Withholds, Protocol):
    """What runs a call: the pipeline, made when the first call arrives."""

    @property
    def settings(self) -> Settings: ...

    def run(self, call: Call, tool: RegisteredTool, *, watch: Watch) -> Mapping[str, Any]: ...

    def handed_on(self, texts: Sequence[str], principal: str) -> tuple[Grant, ...]:
        """The grants that `principal` acts by, as they were written. Raises: NotPermittedError."""
        ...

    def readable_targets(self, caller: Caller) -> Sequence[str]:
        """The targets whose schema `caller` may read now."""
        ...


class Door:
    """Takes requests to the pipeline."""

    def __init__(self, registry: Registry, governed: Governed, who: Who, calls: Calls, seal: Seal) -> None:
        self._registry, self._governed, self._who, self._calls = registry, governed, who, calls
        hold = governed.settings.pausing.hold.total_seconds()
        self._pausing = Pausing(governed, self._workflow, seal, hold_seconds=hold)
        self.tasks = Tasks(governed, who, self._run_parked, lambda name: registry[name].scope)

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> HandlerResult:
        """Answer `tools/call`: with a result, with a question, or with the handle of a task."""
        call_id = new_call_id()
        try:
            call = await self._checked(params.name, params.arguments or {}, context, call_id)
        except MigrateError as error:
            return failed(call_id, error)
        once = Once(context, params, call, self._run)
        try:
            return await self._answered(once)
        except MigrateError as error:
            return failed(once.call.call_id, error)

    async def read(self, name: str, arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
        """Make one governed call that never pauses. Raises: MigrateError."""
        return await self._run(await self._checked(name, arguments, context, new_call_id()), Progress(context))

    async def _answered(self, once: Once) -> HandlerResult:
        if knows_tasks(once.context) and once.params.request_state is None:
            answer = await once.run()
            parks = waits(answer) and self._governed.may_park(once.call)
            return await self.tasks.create(once.call, answer) if parks else succeeded(answer)
        paused = await self._pausing.answer(once)
        return paused if isinstance(paused, types.InputRequiredResult) else succeeded(paused)

    async def _run_parked(self, name: str, arguments: Mapping[str, Any], context: Context) -> types.CallToolResult:
        call_id = new_call_id()
        try:
            call = await self._checked(name, arguments, context, call_id)
            return succeeded(await self._run(call, Progress(context)))
        except MigrateError as error:
            return failed(call_id, error)

    async def _checked(self, name: str, arguments: Mapping[str, Any], context: Context, call_id: str) -> Call:
        """The call, if there is such a tool and it takes these arguments; otherwise that is on record.

        Raises:
            MigrateError: it is not, and why.
        """
        try:
            tool = self._registry[name]
            if not tool.ours:
                await anyio.to_thread.run_sync(refuse_withheld, name, self._governed)
            tool.check_arguments(arguments)
        except MigrateError as error:
            call = turned_away(call_id, name, arguments, self._who(context), context)
            await anyio.to_thread.run_sync(self._governed.refused, call, error)
            raise
        return make_call(call_id, name, arguments, self._who(context), context)

    def workflow(self, context: Context) -> str:
        """For what whoever makes this request acts, and may hear of requests.

        Raises:
            NotPermittedError, InsufficientScopeError: nobody's, or its token does not stand for looking at them.
        """
        caller = self._who(context)
        if not caller.may_use(_LOOKS):
            raise InsufficientScopeError(
                f"The token does not stand for {_LOOKS}, by which requests are looked at.",
                hint="Sign in again with more scopes.",
            )
        return self._workflow(caller.principal)

    def _workflow(self, principal: str) -> str:
        name, _ = self._governed.settings.workflow_of(principal)
        return name

    async def _run(self, call: Call, progress: Progress) -> Mapping[str, Any]:
        tool = self._registry[call.tool]
        try:
            return await self._calls.run(
                lambda watch: self._governed.run(call, tool, watch=watch),
                progress,
                whose=call.principal,
                waits=tool.spec.waits,
            )
        except InternalError:
            with working_on(call_id=call.call_id, tool=call.tool, target=call.target):
                logger.exception("a defect in %s, %s", call.tool, call.call_id)
            raise
