"""What happens to a running call when its client cancels, or the server must stop?

Until something is executed it is taken back; after that it finishes, is recorded, and only then let go.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mcp_migrate.errors import CancelledError
from mcp_migrate.server.progress import Progress

if TYPE_CHECKING:
    from mcp_migrate.pipeline import Watch

_THREADS, _OF_ONE = 40, 20
"""Calls that are worked on at once, and those of one principal among them: whoever makes many waits for its own."""
_WAITERS = 16
_LOOK_SECONDS = 0.02


class Calls:
    """The calls in flight. Each runs in a thread, since databases are waited for there.

    What looks at tokens, at health, or for pages has threads of its own, and is never behind a call.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._running = self._waiters = 0
        self._working, self._waiting = anyio.CapacityLimiter(_THREADS), anyio.CapacityLimiter(_WAITERS)
        self._shares: dict[str, anyio.CapacityLimiter] = {}

    @property
    def stopping(self) -> bool:
        """Whether new calls are refused."""
        return self._stopping.is_set()

    async def drained(self) -> None:
        """Return when no call runs any more and its answer had a moment to leave."""
        while self._running:  # noqa: ASYNC110  what is waited for are threads
            await anyio.sleep(_LOOK_SECONDS)
        await anyio.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """Take back every call that has not begun to execute, and refuse new ones."""
        self._stopping.set()

    async def run(
        self, work: Callable[[Watch], Mapping[str, Any]], progress: Progress, *, whose: str, waits: bool
    ) -> Mapping[str, Any]:
        """Run `work` in a thread and wait for its end, also when this task is cancelled meanwhile.

        What `waits` for people does so in threads of its own, so that it holds up nobody else; without room for one
        more it is told at once that nobody waits.
        """
        room = waits and self._waiters < _WAITERS
        self._waiters += room
        try:
            async with contextlib.nullcontext() if room else self._share(whose):
                return await self._run(
                    work, progress, self._waiting if room else self._working, hurry=waits and not room
                )
        finally:
            self._waiters -= room

    @contextlib.asynccontextmanager
    async def _share(self, whose: str) -> AsyncIterator[None]:
        """One of the places that a principal may have at once."""
        share = self._shares.setdefault(whose, anyio.CapacityLimiter(_OF_ONE))
        try:
            async with share:
                yield
        finally:
            if not share.borrowed_tokens and not share.statistics().tasks_waiting:
                self._shares.pop(whose, None)

    async def _run(
        self,
        work: Callable[[Watch], Mapping[str, Any]],
        progress: Progress,
        threads: anyio.CapacityLimiter,
        *,
        hurry: bool,
    ) -> Mapping[str, Any]:
        if self._stopping.is_set():
            raise CancelledError("The server is shutting down.", hint="Call again when it is back.")
        cancelled = threading.Event()
        if hurry:
            cancelled.set()
        finished = anyio.Event()
        outcome: list[Mapping[str, Any] | BaseException] = []

        def in_thread() -> None:
            outcome.append(work(self._watch(cancelled, progress)))

        async def carry() -> None:
            with anyio.CancelScope(shield=True):
                self._running += 1
                try:
                    await anyio.to_thread.run_sync(in_thread, limiter=threads)
                except Exception as error:  # noqa: BLE001  handed to the caller below, whatever it is
                    outcome.append(error)
                finally:
                    self._running -= 1
                    finished.set()

        async with anyio.create_task_group() as group:
            group.start_soon(carry)
            try:
                await finished.wait()
            except anyio.get_cancelled_exc_class():
                cancelled.set()
                raise
        result = outcome[0]
        if isinstance(result, BaseException):
            raise result
        return result

    def _watch(self, cancelled: threading.Event, progress: Progress) -> Watch:
        from mcp_migrate.pipeline import Watch  # a client that lists the tools does not wait for it

        return Watch(lambda: cancelled.is_set() or self._stopping.is_set(), progress.begin().report)
