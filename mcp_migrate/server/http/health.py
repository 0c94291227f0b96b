"""Is this process alive, and may calls be sent to it?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mcp_migrate.errors import MigrateError
from mcp_migrate.server.calls import Calls


class Health:
    """What balancers ask. `look` reads the ledger, without which no call is made. Neither answer says anything else."""

    def __init__(self, calls: Calls, look: Callable[[], object]) -> None:
        self._calls, self._look = calls, look

    async def alive(self, _request: Request) -> Response:
        """It answers."""
        return PlainTextResponse("alive\n")

    def ready(self, _request: Request) -> Response:
        """It is not about to stop, and its ledger is there."""
        if self._calls.stopping:
            return PlainTextResponse("stopping\n", 503)
        try:
            self._look()
        except MigrateError as error:
            return PlainTextResponse(f"{error.code}\n", 503)
        return PlainTextResponse("ready\n")
