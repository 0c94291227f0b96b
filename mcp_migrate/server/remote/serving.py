"""How does the way to a team's server live on standard input and output, and how does it end?

End of input, SIGTERM and SIGINT end it at once: its connections are closed, and the server takes back each call that
has not begun to execute. There is nothing here to lose.
"""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage

from mcp_migrate.server.remote.known import Address
from mcp_migrate.server.remote.posting import posting
from mcp_migrate.server.remote.relay import Relay
from mcp_migrate.server.remote.token import Token
from mcp_migrate.server.stdio import end


def serve_remote(server: Address, token: Token) -> NoReturn:
    """Hand on messages until the input ends or a signal arrives, and do not return. Raises: ConfigInvalidError."""
    token.headers()  # without one nothing can work, and whoever starts this sees it now
    anyio.run(_serve, server, token)
    end()


async def _serve(server: Address, token: Token) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_end_on_signal)
        async with stdio_server() as (read, write), read, write, posting(server, token) as way:

            async def answer(message: JSONRPCMessage) -> None:
                await write.send(SessionMessage(message))

            await Relay(way, answer).run(read)
        group.cancel_scope.cancel()


async def _end_on_signal() -> None:
    if sys.platform == "win32":  # no signal receivers in its event loop; the end of input ends it
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _number in signals:
            end()
