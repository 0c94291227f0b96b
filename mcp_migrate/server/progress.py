"""How does a client hear how far its call is, and what happens where it is gone?"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent import futures
from typing import Any

import anyio
import anyio.from_thread
from mcp.server.context import ServerRequestContext

GONE = (
    RuntimeError,
    futures.CancelledError,
    asyncio.CancelledError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
)
"""How sending ends where the client is gone: it is told nothing."""


class Progress:
    """Tells the client how far a call is. Its numbers have to grow: a second run goes on from the first's."""

    def __init__(self, context: ServerRequestContext[Any]) -> None:
        self._context = context
        self._before = self._last = 0

    def begin(self) -> Progress:
        """Go on from the number that was reported last."""
        self._before = self._last
        return self

    async def tell(self, what: str) -> None:
        """One step further, from the event loop; how many there will be is not known."""
        self._last += 1
        with contextlib.suppress(*GONE):
            await self._context.session.report_progress(self._last, None, what)

    def report(self, done: int, total: int, what: str) -> None:
        """A client that is gone, or did not ask, is told nothing."""
        if self._before + done < self._last:
            self._before = self._last + 1
        self._last = self._before + done
        with contextlib.suppress(*GONE):
            anyio.from_thread.run(self._context.session.report_progress, self._last, self._before + total, what)
