"""What happens to a running call when its client cancels, or the server must stop?

Until something is executed it is taken back; after that it finishes, is recorded, and only then let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.context import ServerRequestContext

from mcp_migrate.errors import CancelledError
from mcp_migrate.pipeline import Watch


class Calls:
    """The calls in flight. Each runs in a thread, since databases are waited for there."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Take back every call that has not begun to execute, and refuse new ones."""
        self._stopping.set()

    async def run(
        self, work: Callable[[Watch], Mapping[str, Any]], context: ServerRequestContext[Any]
    ) -> Mapping[str, Any]:
        """Run `work` in a thread and wait for its end, also when this task is cancelled meanwhile."""
        if self._stopping.is_set():
            raise CancelledError("The server is shutting down.", hint="Call again when it is back.")
        cancelled = threading.Event()
        finished = anyio.Event()
        outcome: list[Mapping[str, Any] | BaseException] = []

        def in_thread() -> None:
            watch = Watch(
                cancelled=lambda: cancelled.is_set() or self._stopping.is_set(),
                progress=lambda done, total, what: _report(context, done, total, what),
            )
            outcome.append(work(watch))

        async def carry() -> None:
            with anyio.CancelScope(shield=True):
                try:
                    await anyio.to_thread.run_sync(in_thread)
                except Exception as error:  # noqa: BLE001  handed to the caller below, whatever it is
                    outcome.append(error)
                finally:
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


_GONE = (
    RuntimeError,
    futures.CancelledError,
    asyncio.CancelledError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
)


def _report(context: ServerRequestContext[Any], done: int, total: int, what: str) -> None:
    """Tell the client how far an apply is; a client that is gone, or did not ask, is told nothing."""
    with contextlib.suppress(*_GONE):
        anyio.from_thread.run(context.session.report_progress, done, total, what)
