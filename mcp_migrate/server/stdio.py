"""How does the server live on standard input and output, and how does it end?

End of input, SIGTERM and SIGINT all end it the same way: calls that have not begun to execute are taken back, a
statement in hand is finished, committed or rolled back and recorded, then the process exits.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import anyio
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server

from mcp_migrate.server.calls import Calls


def serve_stdio(server: Server[Any], calls: Calls, at_last: Callable[[], None]) -> None:
    """Serve until the input ends or a signal arrives, do `at_last`, which must not take long, and do not return."""
    anyio.run(_serve, server, calls, at_last)
    at_last()
    end()


def end() -> NoReturn:
    """End at once: a thread may wait in a read of standard input, which nothing can interrupt.

    Everything worth keeping is on disk by now.
    """
    sys.stderr.flush()
    os._exit(0)


async def _serve(server: Server[Any], calls: Calls, at_last: Callable[[], None]) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_on_signal, calls, at_last)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options(NotificationOptions(tools_changed=True)))
        group.cancel_scope.cancel()


async def _stop_on_signal(calls: Calls, at_last: Callable[[], None]) -> None:
    if sys.platform == "win32":  # no signal receivers in its event loop; the end of input ends the server
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _number in signals:
            calls.stop()
            await calls.drained()
            at_last()
            end()
