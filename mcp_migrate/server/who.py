"""Who makes this request? The transport says: on standard input there is one caller, over HTTP each has a token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import ServerRequestContext

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.model import Caller

Who = Callable[[ServerRequestContext[Any]], Caller]
"""The caller of a request. Raises what it likes where there is none: nobody is never taken for somebody."""


CALLER = "mcp_migrate.caller"
"""Where a verified caller stands in the scope of an HTTP request (ASGI)."""


def by_token(context: ServerRequestContext[Any]) -> Caller:
    """The caller whom the token of an HTTP request named. Raises: NotPermittedError: none was verified."""
    found = context.request.scope.get(CALLER) if context.request is not None else None
    if not isinstance(found, Caller):
        raise NotPermittedError("Nobody is known to make this request.", hint="Send an access token with it.")
    return found


def always(caller: Caller) -> Who:
    """The one caller of a connection that has no identity of its own."""
    return lambda _context: caller


def until(caller: Caller, ends: datetime, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Who:
    """The one caller of a connection, for as long as what proves its name holds."""

    def who(_context: ServerRequestContext[Any]) -> Caller:
        if clock() >= ends:
            raise NotPermittedError(
                f"The launch token of {caller.principal} ended at {ends.isoformat()}.",
                hint="Start the server anew with another: `mcp-migrate launch-token`.",
            )
        return caller

    return who
