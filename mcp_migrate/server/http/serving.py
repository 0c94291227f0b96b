"""Where does a team's server listen, and how does it end?

SIGTERM and SIGINT end it: new calls are sent away, those that have not begun to execute are taken back, a statement in
hand is finished, committed or rolled back and recorded, its answer leaves, then the process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anyio
import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.server.calls import Calls

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_MOST_CONNECTIONS = 2_000
_FURTHER = 100
"""Connections beyond those that hear why they are not served; what comes after them is let go unheard."""
_BACKLOG = 128
"""Connections that wait to be taken; asyncio takes them some times over before it looks at the first of them."""
_OTHER_FILES = 1_000
"""What may be open beside those: connections not looked at yet, ledgers, targets, what revisions run in."""
_HEAD_SECONDS = 10.0
_TAKE_SECONDS = 20.0
"""How long a client may take for what lies ready for it."""
_STREAMS_SECONDS = 2
"""How long streams of clients that only listen may outlive the last call."""


def listen(address: str) -> socket.socket:
    """The open socket at ``HOST:PORT``. Raises: ConfigInvalidError."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    hint = "Write it as 127.0.0.1:8765; behind a proxy on this machine that is enough."
    if not host or not port.isdecimal() or int(port) >= 2**16:
        raise ConfigInvalidError(f"{address[:100]!r} is no HOST:PORT.", hint=hint)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigInvalidError(f"{address} cannot be had on this machine: {error}.", hint=hint) from error


def serve_http(app: ASGIApp, calls: Calls, opened: socket.socket, *, drain_seconds: float) -> None:
    """Serve until a signal arrives and what runs has ended, or `drain_seconds` are over."""
    config = uvicorn.Config(
        app,
        lifespan="on",
        http=_Impatient,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_room(),
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_STREAMS_SECONDS,
    )
    anyio.run(_serve, _Server(config), calls, opened, drain_seconds)


def _room() -> int:
    """How many connections are served at once, of as many files as this process may get to have open.

    Without files left no connection would be taken, and no call could open its ledger: idle ones would be enough.
    """
    if sys.platform == "win32":  # its sockets are no files
        return _MOST_CONNECTIONS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS + _FURTHER + _OTHER_FILES
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _MOST_CONNECTIONS if soft < 0 else min(_MOST_CONNECTIONS, max(soft - _FURTHER - _OTHER_FILES, soft // 4))


async def _serve(server: _Server, calls: Calls, opened: socket.socket, drain_seconds: float) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_stop_on_signal, server, calls, drain_seconds)
        await server.serve(sockets=[opened])
        group.cancel_scope.cancel()


async def _stop_on_signal(server: _Server, calls: Calls, drain_seconds: float) -> None:
    if sys.platform == "win32":  # no signal receivers in its event loop; uvicorn's own handlers end it there
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _number in signals:
            calls.stop()
            with anyio.move_on_after(drain_seconds):
                await calls.drained()
            server.should_exit = True
            return


class _Server(uvicorn.Server):
    """Uvicorn's own handlers would close connections before the calls on them have ended."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if sys.platform == "win32":
            with super().capture_signals():
                yield
        else:
            yield


class _Impatient(H11Protocol):
    """Sends each part of an answer at once, and closes a connection that does not say what it wants or take the answer.

    Uvicorn waits for ever, however a connection drips, and takes as many as come; and asyncio holds a second part back
    until the first one is acknowledged (40 ms) on sockets that do not say they are TCP, as those of `create_server`.
    """

    _deadline: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency + _FURTHER:
            transport.abort()
            return
        transport.set_write_buffer_limits(high=0)  # so that it is told of all that lies ready, also behind a close
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._untaken = self.loop.call_later(_TAKE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taken()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()
        self._taken()

    def _watch(self) -> None:
        """A head is waited for, or the rest of a body that was answered without it; or it has come."""
        waits = self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE
        if not waits or self.transport.is_closing():
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None
