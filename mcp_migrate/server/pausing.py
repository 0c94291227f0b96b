"""How does a call wait for people, in this client?

The answer of the pipeline says that it waits; here is only how the person at the client is shown where to look, and
when the call is made again. Nothing that a client answers decides: it can only make the pipeline look again. While
somebody waits, no lock, transaction, credential or thread is held.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from mcp_migrate.errors import MigrateError, RequestStateInvalidError
from mcp_migrate.model import Call, digest
from mcp_migrate.server.incoming import made_again
from mcp_migrate.server.pause_words import question, told
from mcp_migrate.server.progress import Progress
from mcp_migrate.server.sealing import Pause, Seal, refuse

Context = ServerRequestContext[Any]
Answer = Mapping[str, Any]
Run = Callable[[Call, Progress], Awaitable[Answer]]
"""Takes one call through the door."""

_KEY = "review"
_ASKED_AT_MOST = 3
"""How often one call shows the same page: a client that accepts by itself must come to an end."""
_LOOK_SECONDS = 0.5
_TELL_SECONDS = 5.0


class Records(Protocol):
    """What a pause needs of the governed side."""

    def refused(self, call: Call, error: MigrateError) -> None:
        """Record a call that never came to the door."""
        ...

    def request_status(self, request_id: str) -> str:
        """How a request stands now."""
        ...


class Once:
    """One request of a client, which goes through the door once or, after a wait, twice: as a call of its own."""

    def __init__(self, context: Context, params: types.CallToolRequestParams, call: Call, run: Run) -> None:
        self.context, self.params, self.call = context, params, call
        self.progress = Progress(context)
        self._run = run
        self._ran = False

    async def run(self) -> Answer:
        """Take it through the door. Raises: MigrateError."""
        if self._ran or self.params.request_state is not None:
            self.call = made_again(self.call)
        self._ran = True
        return await self._run(self.call, self.progress)


class Pausing:
    """Pauses calls, each open for a decision for `hold_seconds`. `workflow` is what a principal acts for."""

    def __init__(self, records: Records, workflow: Callable[[str], str], seal: Seal, *, hold_seconds: float) -> None:
        self._records = records
        self._workflow = workflow
        self._seal = seal
        self._hold = hold_seconds

    async def answer(self, once: Once) -> Answer | types.InputRequiredResult:
        """The answer of the call, or the question that the client has to put first."""
        earlier, said = await self._continued(once), _said(once.params)
        if earlier and said == "accept":
            await self._decided(earlier.request_id, once.progress)
        answer = await once.run()
        if not waits(answer) or not _has_page(once.context, answer):
            return answer
        if once.context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return await self._ask_now(once, answer)
        asked = earlier.asked if earlier else 0
        if said in ("decline", "cancel") or asked >= _ASKED_AT_MOST:
            return {**answer, "client": told(said)}
        return types.InputRequiredResult(
            input_requests={_KEY: _page(answer, again=bool(asked))},
            request_state=self._seal.close(self._pause(once, answer, asked + 1)),
        )

    async def _continued(self, once: Once) -> Pause | None:
        """The pause that the client comes back from. Raises: RequestStateInvalidError."""
        if once.params.request_state is None:
            return None
        try:
            pause = self._seal.open(once.params.request_state, once.call.at)
            if not pause.continues(self._pause(once, {}, 0)):
                refuse("was given out for another call")
        except RequestStateInvalidError as error:
            await anyio.to_thread.run_sync(self._records.refused, once.call, error)
            raise
        return pause

    def _pause(self, once: Once, answer: Answer, asked: int) -> Pause:
        call = once.call
        return Pause(
            principal=call.principal,
            workflow=self._workflow(call.principal),
            tool=call.tool,
            arguments=digest(dict(call.arguments)),
            request_id=answer.get("request_id", ""),
            expires_at=answer.get("expires_at", ""),
            asked=asked,
        )

    async def _ask_now(self, once: Once, answer: Answer) -> Answer:
        """Show the page while the call is open, and answer when it is decided or the time is over."""
        said = "accept"
        decided = False
        with anyio.move_on_after(self._hold):
            async with anyio.create_task_group() as group:

                async def ask() -> None:
                    nonlocal said
                    said = await _elicited(once.context, answer)
                    if said != "accept":
                        group.cancel_scope.cancel()

                group.start_soon(ask)
                decided = await self._decided(answer["request_id"], once.progress)
                group.cancel_scope.cancel()
        if not decided:
            return {**answer, "client": told(said)}
        await _tell_complete(once.context, answer["request_id"])
        return await once.run()

    async def _decided(self, request_id: str, progress: Progress) -> bool:
        """Wait until the request is not pending any more; False when the time was over first."""
        ends = anyio.current_time() + self._hold
        tell = anyio.current_time()
        while (status := await anyio.to_thread.run_sync(self._records.request_status, request_id)) == "pending":
            now = anyio.current_time()
            if now >= ends:
                return False
            if now >= tell:
                await progress.tell(f"Waiting for people to decide {request_id}")
                tell = now + _TELL_SECONDS
            await anyio.sleep(_LOOK_SECONDS)
        return status != "pending"


def _said(params: types.CallToolRequestParams) -> str | None:
    """What the client answered to our question; None when there was none."""
    if params.input_responses is None:
        return None
    response = params.input_responses.get(_KEY)
    return response.action if isinstance(response, types.ElicitResult) else "cancel"


def waits(answer: Answer) -> bool:
    """Whether people have yet to decide: not what is approved for a later time, nor what too few could ever approve."""
    if answer.get("status") != "approval_required" or answer.get("not_before"):
        return False
    return not answer["needs"].get("too_few")


def shows_addresses(context: Context) -> bool:
    """Whether the client of this request can show a person an address."""
    declared = context.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    return elicitation is not None and elicitation.url is not None


def _has_page(context: Context, answer: Answer) -> bool:
    return bool(answer.get("review_url")) and shows_addresses(context)


def _page(answer: Answer, *, again: bool) -> types.ElicitRequest:
    return types.ElicitRequest(
        params=types.ElicitRequestURLParams(message=question(answer, again=again), url=answer["review_url"])
    )


async def _elicited(context: Context, answer: Answer) -> str:
    try:
        result = await context.session.elicit_url(
            question(answer, again=False), answer["review_url"], answer["request_id"], context.request_id
        )
    except (MCPError, ValidationError):  # it declared that it can, and cannot
        return "cancel"
    return result.action


async def _tell_complete(context: Context, request_id: str) -> None:
    await context.session.send_elicit_complete(request_id, context.request_id)
