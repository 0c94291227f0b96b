"""Where do the pages listen? On this machine only, on both of its names, so that nobody else can answer for them."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.ledger import Ledger
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.web.desk import Desk

_TRIES = 20
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


@dataclass(frozen=True, slots=True)
class Served:
    """Pages whose port is open."""

    desk: Desk
    sockets: tuple[socket.socket, ...]

    @property
    def origin(self) -> str:
        return self.desk.origin

    def url(self, request_id: str) -> str:
        """Where a person reviews this request."""
        return self.desk.url(request_id)

    def serve(self) -> None:
        """Answer until the process is interrupted."""
        import uvicorn

        from mcp_migrate.web.app import build

        config = uvicorn.Config(
            build(self.desk),
            lifespan="off",
            log_config=None,  # standard output may belong to a client, and what is logged to the server
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run(sockets=list(self.sockets))

    def serve_beside(self) -> None:
        """Answer for as long as this process lives, beside what it does."""
        threading.Thread(target=self.serve, name="review pages", daemon=True).start()


def open_pages(settings: Settings, ledger: Ledger, *, port: int | None = None) -> Served:
    """Open this port, or the configuration's, or a free one (0). Raises: ConfigInvalidError."""
    from mcp_migrate.web.desk import Desk

    sockets = listen(port if port is not None else settings.review.port or 0)
    number = sockets[0].getsockname()[1]
    return Served(Desk(settings, ledger, lambda: datetime.now(UTC), number, secrets.token_bytes(32)), sockets)


def listen(port: int) -> tuple[socket.socket, ...]:
    """The port on each loopback address of this machine: a browser may try either for ``localhost``.

    Raises:
        ConfigInvalidError: somebody listens there already.
    """
    for _ in range(1 if port else _TRIES):
        opened: list[socket.socket] = []
        try:
            for family, address in _LOOPBACK:
                opened += _bound(family, address, opened[0].getsockname()[1] if opened else port)
        except OSError as error:
            for each in opened:
                each.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
        else:
            return tuple(opened)
    raise ConfigInvalidError(
        f"The port {port or 'that was free'} cannot be had on this machine.",
        hint="Choose another with --port, or under `review`.",
    )


def _bound(family: socket.AddressFamily, address: str, port: int) -> list[socket.socket]:
    """One socket, or none where this machine has no such address."""
    try:
        # asyncio only sends small answers at once on sockets that say they are TCP.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        if error.errno in _NO_SUCH_ADDRESS:
            return []
        raise
    try:
        if os.name == "posix":  # elsewhere it would let others share the port; here it lets a restart have it again
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(128)
    except OSError as error:
        made.close()
        if error.errno in _NO_SUCH_ADDRESS:
            return []
        raise
    return [made]
