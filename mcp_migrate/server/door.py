"""How does one request of a client become a governed call, and the call an answer on the wire?

Names are looked up and arguments checked here, since the SDK's low-level server does neither.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import mcp_types as types
from mcp.server.context import HandlerResult, ServerRequestContext

from mcp_migrate.errors import InternalError, MigrateError
from mcp_migrate.model import Call
from mcp_migrate.pipeline import Watch
from mcp_migrate.server.calls import Calls, Progress
from mcp_migrate.server.incoming import make_call, new_call_id
from mcp_migrate.server.pausing import Once, Pausing, Records, waits
from mcp_migrate.server.results import failed, succeeded
from mcp_migrate.server.sealing import Seal
from mcp_migrate.server.tasks import Parking, Tasks, knows_tasks
from mcp_migrate.settings import Settings
from mcp_migrate.tools.specs import RegisteredTool, Registry

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any]


class Governed(Records, Parking, Protocol):
    """What runs a call: the pipeline, made when the first call arrives."""

    @property
    def settings(self) -> Settings: ...

    def run(self, call: Call, tool: RegisteredTool, *, watch: Watch) -> Mapping[str, Any]: ...

    def readable_targets(self, principal: str) -> Sequence[str]:
        """The targets whose schema `principal` may read now."""
        ...


class Door:
    """Takes the requests of one principal to the pipeline."""

    def __init__(self, registry: Registry, governed: Governed, principal: str, calls: Calls) -> None:
        self._registry, self._governed, self._principal, self._calls = registry, governed, principal, calls
        self.workflow, _ = governed.settings.workflow_of(principal)
        # The key lives as long as this process, as its client's connection does.
        seal = Seal([secrets.token_bytes(32)])
        hold = governed.settings.pausing.hold.total_seconds()
        self._pausing = Pausing(governed, self.workflow, seal, hold_seconds=hold)
        self.tasks = Tasks(governed, principal, self._run_parked)

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> HandlerResult:
        """Answer `tools/call`: with a result, with a question, or with the handle of a task."""
        call_id = new_call_id()
        try:
            call = self._checked(params.name, params.arguments or {}, context, call_id)
        except MigrateError as error:
            return failed(call_id, error)
        once = Once(context, params, call, self._run)
        try:
            return await self._answered(once)
        except MigrateError as error:
            return failed(once.call.call_id, error)

    async def read(self, name: str, arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
        """Make one governed call that never pauses. Raises: MigrateError."""
        return await self._run(self._checked(name, arguments, context, new_call_id()), Progress(context))

    async def _answered(self, once: Once) -> HandlerResult:
        if knows_tasks(once.context) and once.params.request_state is None:
            answer = await once.run()
            return await self.tasks.create(once.call, answer) if waits(answer) else succeeded(answer)
        paused = await self._pausing.answer(once)
        return paused if isinstance(paused, types.InputRequiredResult) else succeeded(paused)

    async def _run_parked(self, name: str, arguments: Mapping[str, Any], context: Context) -> types.CallToolResult:
        call_id = new_call_id()
        try:
            return succeeded(await self._run(self._checked(name, arguments, context, call_id), Progress(context)))
        except MigrateError as error:
            return failed(call_id, error)

    def _checked(self, name: str, arguments: Mapping[str, Any], context: Context, call_id: str) -> Call:
        self._registry[name].check_arguments(arguments)
        return make_call(call_id, name, arguments, self._principal, context)

    async def _run(self, call: Call, progress: Progress) -> Mapping[str, Any]:
        tool = self._registry[call.tool]
        try:
            return await self._calls.run(
                lambda watch: self._governed.run(call, tool, watch=watch), progress, waits=tool.spec.waits
            )
        except InternalError:
            logger.exception("a defect in %s, %s", call.tool, call.call_id)
            raise
