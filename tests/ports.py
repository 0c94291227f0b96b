"""Which port can a server have that is told one before it listens?"""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

_FIRST, _MANY = 20_000, 12_000
"""Below those that systems give to whoever asks for any, so that nobody else takes it meanwhile."""


def free_port() -> int:
    while True:
        port = _FIRST + secrets.randbelow(_MANY)  # `random` draws the same for each process that runs tests
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
