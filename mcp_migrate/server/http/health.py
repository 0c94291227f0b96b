"""Is this process alive, and may calls be sent to it?"""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mcp_migrate.errors import MigrateError
from mcp_migrate.server.calls import Calls

_HOLDS_SECONDS = 1.0
"""How long one look is good for, whoever asks: anybody may, and none of them makes work."""


class Health:
    """What balancers ask. `look` reads the ledger, without which no call is made. Neither answer says anything else."""

    def __init__(self, calls: Calls, look: Callable[[], object], ticks: Callable[[], float] = time.monotonic) -> None:
        self._calls, self._look, self._ticks = calls, look, ticks
        self._looked = -_HOLDS_SECONDS
        self._trouble: MigrateError | None = None
        self._one = anyio.Lock()

    async def alive(self, _request: Request) -> Response:
        """It answers."""
        return PlainTextResponse("alive\n")

    async def ready(self, _request: Request) -> Response:
        """It is not about to stop, and its ledger was there a moment ago."""
        if self._calls.stopping:
            return PlainTextResponse("stopping\n", 503)
        async with self._one:
            if self._ticks() - self._looked >= _HOLDS_SECONDS:
                self._trouble = await anyio.to_thread.run_sync(self._found)
                self._looked = self._ticks()
        if self._trouble is not None:
            return PlainTextResponse(f"{self._trouble.code}\n", 503)
        return PlainTextResponse("ready\n")

    def _found(self) -> MigrateError | None:
        try:
            self._look()
        except MigrateError as error:
            return error
        return None
