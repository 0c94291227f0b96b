"""How does a child without a network reach its scratch server? Through one port, which leads nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

Address = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""

_CHUNK = 65_536
_CONNECT_SECONDS = 10


@contextmanager
def relay(address: Address) -> Iterator[int]:
    """A port on loopback that passes everything on to `address` and back, until the context is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        open_sockets: list[socket.socket] = []
        threading.Thread(target=_accept, args=(listener, address, open_sockets), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            _shut(listener)  # closed alone, it would take one more: its thread still waits
            for each in open_sockets:
                _shut(each)


def _accept(listener: socket.socket, address: Address, open_sockets: list[socket.socket]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return  # closed: the child is gone
        try:
            far = _connect(address)
        except OSError:
            near.close()
            continue
        open_sockets += [near, far]
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _connect(address: Address) -> socket.socket:
    if not isinstance(address, str):
        return socket.create_connection(address, _CONNECT_SECONDS)
    far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    far.connect(address)
    return far


def _pump(source: socket.socket, sink: socket.socket) -> None:
    source.settimeout(None)
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    _shut(sink)


def _shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
