"""How does a call wait in the background, in a client that knows tasks?

The Tasks extension of MCP (`io.modelcontextprotocol/tasks`, 2026-07-28): the client gets a handle and asks how it is
going. What waits stands on the ledger, so either side may restart. It is run when somebody asks after it, never on its
own: what nobody waits for any more is not done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
import mcp_types as types
from anyio.abc import TaskGroup
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_migrate.errors import ApprovalExpiredError
from mcp_migrate.ledger import Ledger
from mcp_migrate.model import Call, digest
from mcp_migrate.server.incoming import new_call_id
from mcp_migrate.server.pause_words import question, told, where
from mcp_migrate.server.pausing import shows_addresses
from mcp_migrate.server.results import failed, refusing, succeeded
from mcp_migrate.server.who import Who
from mcp_migrate.tools.parked import Parked, outcome, parked

EXTENSION = "io.modelcontextprotocol/tasks"
_POLL_MILLISECONDS = 2_000
_KEPT = timedelta(hours=24)
"""How long a client may ask for the outcome after its request expired."""

_REMEMBERED = 500
"""Tasks whose answers and results are remembered."""

Context = ServerRequestContext[Any]
_RunTool = Callable[[str, Mapping[str, Any], Context], Awaitable[types.CallToolResult]]
"""Makes one governed call of a tool."""


class Parking(Protocol):
    """What tasks need of the governed side."""

    @property
    def ledger(self) -> Ledger: ...

    def may_park(self, call: Call) -> bool:
        """Whether the record will hold all that is needed to make this call again."""
        ...

    def parked(self, call: Call, task_id: str, answer: Mapping[str, Any]) -> None:
        """Record that a call waits in the background."""
        ...

    def request_status(self, request_id: str) -> str:
        """How a request stands now."""
        ...

    def review_url(self, request_id: str) -> str | None:
        """Where a person reviews it."""
        ...


_P = TypeVar("_P")
_V = TypeVar("_V")


class _TaskParams(types.RequestParams):
    task_id: str


class _UpdateParams(_TaskParams):
    input_responses: types.InputResponses


class Tasks:
    """Each task is its principal's alone. Kept here is only what one process knows: answers, results, what runs."""

    def __init__(self, parking: Parking, who: Who, run: _RunTool, scope_of: Callable[[str], str]) -> None:
        self._parking = parking
        self._who = who
        self._run = run
        self._scope_of = scope_of
        self._group: TaskGroup | None = None
        self._running: set[str] = set()
        self._cancelled: dict[str, None] = {}
        self._said: dict[str, str] = {}
        self._results: dict[str, types.CallToolResult] = {}

    @asynccontextmanager
    async def alive(self, _server: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        """For as long as the server lives; what executes then is finished by `Calls`."""
        async with anyio.create_task_group() as self._group:
            yield {}
            self._group.cancel_scope.cancel()

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something beside the requests, for as long as the server lives."""
        if self._group is None:
            raise TypeError("the server is not alive")
        self._group.start_soon(work)

    def attach(self, server: Server[Any]) -> None:
        """Advertise the extension and answer its methods."""
        server.extensions[EXTENSION] = {}
        server.add_request_handler("tasks/get", _TaskParams, refusing(_declared(self.get)))
        server.add_request_handler("tasks/update", _UpdateParams, refusing(_declared(self.update)))
        server.add_request_handler("tasks/cancel", _TaskParams, refusing(_declared(self.cancel)))

    async def create(self, call: Call, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Park a call that waits for people; the handle is on the ledger before the client has it."""
        task_id = "task_" + call.call_id.removeprefix("call_")
        await anyio.to_thread.run_sync(self._parking.parked, call, task_id, answer)
        task = parked(task_id, self._parking.ledger, principal=call.principal)
        if task is None:
            raise TypeError(f"{task_id} is not on the ledger")
        return {"resultType": "task", **_told(task, "working", f"{question(answer, again=False)} {where(answer)}")}

    async def get(self, context: Context, params: _TaskParams) -> dict[str, Any]:
        """How it is going; what was decided meanwhile begins to run."""
        task = await self._known(params.task_id, context)
        if task.task_id in self._results:
            return self._completed(task, self._results[task.task_id])
        if task.task_id in self._cancelled:
            return _complete(_told(task, "cancelled", "The client cancelled. The request stands for the reviewers."))
        if task.task_id in self._running:
            return _complete(_told(task, "working", "It was decided; the call runs."))
        status = await anyio.to_thread.run_sync(self._parking.request_status, task.request_id)
        if status == "pending":
            return self._waiting(task, context)
        return await self._decided(task, status, context)

    async def update(self, context: Context, params: _UpdateParams) -> dict[str, Any]:
        """What the person at the client answered: it ends the wait, or does not. It decides nothing."""
        task = await self._known(params.task_id, context)
        said = params.input_responses.get(self._key(task))
        if isinstance(said, types.ElicitResult):
            _keep(self._said, self._key(task), said.action)
        return _complete({})

    async def cancel(self, context: Context, params: _TaskParams) -> dict[str, Any]:
        """The client does not wait any more. What runs is finished; the request stays with the reviewers."""
        task = await self._known(params.task_id, context)
        if task.task_id not in self._running | self._results.keys():
            _keep(self._cancelled, task.task_id, None)
        return _complete({})

    async def _known(self, task_id: str, context: Context) -> Parked:
        """Its principal's task, for a token that stands for the tool: with a lesser one it would end in a refusal."""
        caller = self._who(context)

        def look() -> Parked | None:
            return parked(task_id, self._parking.ledger, principal=caller.principal)

        task = await anyio.to_thread.run_sync(look)
        if task is None or not caller.may_use(self._scope_of(task.tool)):
            raise MCPError(types.INVALID_PARAMS, "There is no such task", {"taskId": task_id[:80]})
        return task

    def _key(self, task: Parked) -> str:
        """Another address is another question: a restarted server serves its pages elsewhere."""
        url = self._parking.review_url(task.request_id)
        return f"review-{digest([task.task_id, url]).removeprefix('sha256:')[:12]}"

    def _waiting(self, task: Parked, context: Context) -> dict[str, Any]:
        url, key = self._parking.review_url(task.request_id), self._key(task)
        answer = {**task.answer, "review_url": url}
        said = self._said.get(key)
        if said in ("decline", "cancel"):
            return self._completed(task, succeeded({**answer, "client": told(said)}))
        message = question(answer, again=said is not None)
        if url is None or said is not None or not shows_addresses(context):
            return _complete(_told(task, "working", f"{message} {where(answer)}"))
        page = types.ElicitRequest(params=types.ElicitRequestURLParams(message=message, url=url))
        shown = {key: page.model_dump(by_alias=True, mode="json", exclude_none=True)}
        return _complete({**_told(task, "input_required", message), "inputRequests": shown})

    async def _decided(self, task: Parked, status: str, context: Context) -> dict[str, Any]:
        if status in ("expired", "withdrawn"):
            over = ApprovalExpiredError(
                f"The request {task.request_id} is {status}; nothing was changed.",
                hint="Make the same call again if the change is still needed: that asks anew.",
            )
            return self._completed(task, failed(new_call_id(), over))
        if status == "used":
            known = await anyio.to_thread.run_sync(outcome, task.request_id, self._parking.ledger)
            if known is None:
                return _complete(_told(task, "working", "The apply has begun; its outcome is not on the record yet."))
            return self._completed(task, succeeded({"call_id": task.task_id.replace("task_", "call_"), **known}))
        if task.task_id not in self._running | self._results.keys():  # another question may have been faster
            self._running.add(task.task_id)
            self.spawn(partial(self._work, task, context))
        return _complete(_told(task, "working", "It was decided; the call runs."))

    async def _work(self, task: Parked, context: Context) -> None:
        try:
            _keep(self._results, task.task_id, await self._run(task.tool, task.arguments, context))
        finally:
            self._running.discard(task.task_id)

    def _completed(self, task: Parked, result: types.CallToolResult) -> dict[str, Any]:
        _keep(self._results, task.task_id, result)
        told_result = result.model_dump(by_alias=True, mode="json", exclude_none=True)
        return _complete({**_told(task, "completed", "The call has its answer."), "result": told_result})


def _keep(among: dict[str, _V], key: str, value: _V) -> None:
    """The newest of what only this process knows: a team's server lives long, and what is forgotten is asked anew."""
    among[key] = value
    while len(among) > _REMEMBERED:
        del among[next(iter(among))]


def _declared(handler: Callable[[Context, _P], Awaitable[dict[str, Any]]]) -> Callable[[Context, _P], Any]:
    """The method for clients that say they know tasks; the extension has the others hear what they lack."""

    async def answer(context: Context, params: _P) -> dict[str, Any]:
        if not knows_tasks(context):
            needed = types.ClientCapabilities(extensions={EXTENSION: {}})
            data = types.MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
            told = data.model_dump(by_alias=True, mode="json", exclude_none=True)
            raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, f"This is for clients of {EXTENSION}", told)
        return await handler(context, params)

    return answer


def knows_tasks(context: Context) -> bool:
    """Whether the client of this request declared the extension."""
    declared = context.session.client_capabilities
    extensions = declared.extensions if declared else None
    return context.protocol_version in MODERN_PROTOCOL_VERSIONS and EXTENSION in (extensions or {})


def _told(task: Parked, status: str, message: str) -> dict[str, Any]:
    kept = task.expires + _KEPT - task.created
    return {
        "taskId": task.task_id,
        "status": status,
        "statusMessage": message,
        "createdAt": task.created.isoformat(),
        "lastUpdatedAt": datetime.now(UTC).isoformat(),
        "ttlMs": int(kept.total_seconds() * 1000),
        "pollIntervalMs": _POLL_MILLISECONDS,
    }


def _complete(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"resultType": "complete", **body}
