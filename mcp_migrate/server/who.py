"""Who makes this request? The transport says: on standard input there is one caller, over HTTP each has a token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import ServerRequestContext

from mcp_migrate.errors import NotPermittedError
from mcp_migrate.leave.proving import refuse_ended
from mcp_migrate.model import Caller

Who = Callable[[ServerRequestContext[Any]], Caller]
"""The caller of a request. Raises where there is none: a request that nobody makes is never taken for somebody's."""


CALLER = "mcp_migrate.caller"
"""Where a verified caller stands in the scope of an HTTP request (ASGI)."""


def by_token(context: ServerRequestContext[Any]) -> Caller:
    """The caller whom the token of an HTTP request named. Raises: NotPermittedError: none was verified."""
    found = context.request.scope.get(CALLER) if context.request is not None else None
    if not isinstance(found, Caller):
        raise NotPermittedError("Nobody is known to make this request.", hint="Send an access token with it.")
    return found


def always(caller: Caller, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Who:
    """The one caller of a connection that has no identity of its own, for as long as what proves its name holds."""

    def who(_context: ServerRequestContext[Any]) -> Caller:
        refuse_ended(caller, at=clock())
        return caller

    return who
