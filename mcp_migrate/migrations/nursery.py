"""Which nurseries of children are there, and how is a child asked of one?

There is one for each of the two recordings of a plan, since hash seed and clock are set before anything is loaded. It
is started when it is first needed, ends by itself when nobody needs it for a while, and with this process in any case.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO

from mcp_migrate.migrations.child import messages

START = str(Path(__file__).with_name("child") / "start.py")
_TRIES = 2
_PATIENCE = 30.0
"""Seconds in which a nursery has to have loaded everything."""

Streams = tuple[IO[bytes], IO[bytes], IO[bytes]]
"""Our ends of a child's standard input, output and error."""


class Nursery:
    """One such process: our own code, with `environment`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self.usable = True

    def born(self, product: str, letter: bytes, namespaces: Sequence[int]) -> Streams | None:
        """A child in these namespaces that reads the letter there; None if that is not to be had."""
        answer = messages.GONE
        with self._lock:
            for _try in range(_TRIES):
                streams, answer = self._ask(product, letter, namespaces)
                if answer == messages.READY:
                    return streams
                for stream in streams:
                    stream.close()
                self.close()
            self.usable = answer == messages.STALE
        return None

    def _ask(self, product: str, letter: bytes, namespaces: Sequence[int]) -> tuple[Streams, bytes]:
        """Our ends of three new pipes, and what came of it."""
        theirs, ours = _pipes()
        handed = os.memfd_create("letter", os.MFD_CLOEXEC)
        try:
            os.write(handed, letter)
            connection = self._connection or self._start()
            socket.send_fds(connection, [product.encode()], [handed, *theirs, *namespaces])
            answer = connection.recv(messages.MOST) or messages.GONE
        except OSError:
            answer = messages.GONE
        finally:
            for each in (handed, *theirs):
                os.close(each)
        return ours, answer

    def _start(self) -> socket.socket:
        connection, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with control:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, a fixed script
                [sys.executable, "-P", START, messages.NURSERY, str(control.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=self._environment,
                pass_fds=(control.fileno(),),
                start_new_session=True,
            )
        connection.settimeout(_PATIENCE)
        self._connection = connection
        return connection

    def close(self) -> None:
        """End the process; the next child starts another."""
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection:
            connection.close()
        if process:
            process.kill()
            process.wait()


class Nurseries:
    """Those of this process, by their environment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[tuple[str, str], ...], Nursery] = {}
        self._owner = os.getpid()
        atexit.register(self.close)

    def of(self, environment: Mapping[str, str]) -> Nursery | None:
        """The nursery with this environment, which is only ever made by our own code; None if there is none here."""
        if os.getpid() != self._owner:
            return None  # a fork of the server must not speak through the server's sockets
        with self._lock:
            found = self._known.setdefault(tuple(sorted(environment.items())), Nursery(environment))
        return found if found.usable else None

    def close(self) -> None:
        """End them all."""
        if os.getpid() == self._owner:
            for each in self._known.values():
                each.close()


@cache
def nurseries() -> Nurseries:
    """Those of this process."""
    return Nurseries()


def _pipes() -> tuple[list[int], Streams]:
    """The child's ends of three pipes, and ours."""
    (their_in, our_in), (our_out, their_out), (our_error, their_error) = os.pipe(), os.pipe(), os.pipe()
    ours = (os.fdopen(our_in, "wb"), os.fdopen(our_out, "rb"), os.fdopen(our_error, "rb"))
    return [their_in, their_out, their_error], ours
