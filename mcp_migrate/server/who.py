"""Who makes this request? The transport says: on standard input there is one caller, over HTTP each has a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.context import ServerRequestContext

from mcp_migrate.model import Caller

Who = Callable[[ServerRequestContext[Any]], Caller]
"""The caller of a request. Raises what it likes where there is none: nobody is never taken for somebody."""


def always(caller: Caller) -> Who:
    """The one caller of a connection that has no identity of its own."""
    return lambda _context: caller
