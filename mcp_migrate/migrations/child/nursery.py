"""How do children come to life without loading SQLAlchemy and Alembic anew each time?

One process of our own code loads them once, and forks. It never reads a line of a project, and nothing of one: the
letter that says whose child it is to be is opened by the fork, behind the sandbox's namespaces. What a fork does after
that is what a child that started alone does: it puts up its walls, and answers.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mcp_migrate.migrations.cage.enter import enter
from mcp_migrate.migrations.cage.namespaces import drop_capabilities, join
from mcp_migrate.migrations.child import messages
from mcp_migrate.migrations.child.__main__ import COLLECTED_AFTER
from mcp_migrate.migrations.child.__main__ import answer as answer_requests
from mcp_migrate.migrations.child.clock import shift
from mcp_migrate.migrations.child.witness import Witness

IDLE = 120.0
"""Seconds without a child after which a nursery ends."""
_MOST = 16
"""Descriptors: the letter, the three streams, the namespaces."""

_ALWAYS = (
    *("sqlalchemy.ext.asyncio.engine", "sqlalchemy.pool", "alembic.command", "alembic.op", "alembic.context"),
    *(f"mcp_migrate.migrations.child.{name}" for name in ("session", "describing", "engines", "rendering", "steady")),
)
_FOR = {
    "sqlite": ("sqlalchemy.dialects.sqlite.pysqlite", "mcp_migrate.dialects.sqlite"),
    "postgresql": ("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "mcp_migrate.dialects.postgresql"),
    "mysql": (_MYSQL := ("pymysql", "sqlalchemy.dialects.mysql.pymysql", "mcp_migrate.dialects.mysql")),
    "mariadb": _MYSQL,
    "handler": ("mcp_migrate.migrations.child.handling",),
}
"""What the children of each database, or of tools in Python, load as well."""
_SUBREAPER = 36


def serve(control: int) -> None:
    """Fork a child for each message on the socket, until the other end closes or asks for none for long."""
    with socket.socket(fileno=control) as connection:
        connection.settimeout(IDLE)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children, which are adopted here
        _adopt()
        gc.set_threshold(COLLECTED_AFTER)
        witness = Witness()
        witness.watch()
        shift()
        _load(_ALWAYS, witness)
        gc.freeze()
        with suppress(TimeoutError):
            answer = messages.READY
            while answer != messages.STALE:
                product, descriptors, _flags, _address = socket.recv_fds(connection, messages.MOST, _MOST)
                if not product:
                    return
                answer = _born(product.decode(), descriptors, witness, connection)
                connection.send(answer)


def _born(product: str, descriptors: list[int], witness: Witness, connection: socket.socket) -> bytes:
    """What came of it: ready, or why not."""
    _load(_FOR.get(product, ()), witness)
    said, saying = os.pipe()
    try:
        if not witness.holds():
            return messages.STALE
        if not os.fork():
            _move(descriptors, witness, connection, saying)
        os.close(saying)
        saying = -1
        return os.read(said, messages.MOST)
    finally:
        for each in (*descriptors, said, *([saying] if saying >= 0 else [])):
            os.close(each)


def _load(names: Sequence[str], witness: Witness) -> None:
    """Load modules; what is looked at for that, and no more, is what each child will have looked at."""
    witness.rests = False
    for name in names:
        with suppress(ImportError):  # who needs it will say so
            importlib.import_module(name)
    witness.rests = True


def _move(descriptors: Sequence[int], witness: Witness, connection: socket.socket, saying: int) -> None:
    """Go where the child will live, and fork it: only a new process is in a namespace of processes. Ends."""
    try:
        join(descriptors[4:])
        if not os.fork():
            connection.detach()
            _live(descriptors[:4], witness)
        os.write(saying, messages.READY)
    except OSError as problem:
        os.write(saying, str(problem).encode()[: messages.MOST])
    finally:
        os._exit(0)


def _live(descriptors: Sequence[int], witness: Witness) -> None:
    """Be a child like one that started alone. Ends."""
    try:
        letter = _settle(descriptors)
        os.environ.clear()
        os.environ.update(letter["environment"])
        os.chdir(letter["folder"])
        drop_capabilities()
        enter()
        witness.at_home(os.environ["HOME"])
        witness.rests = False
        answer_requests(witness)
    except BaseException as problem:  # noqa: BLE001  nothing returns to the nursery's own loop
        os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
    finally:
        os._exit(1)


def _settle(descriptors: Sequence[int]) -> Any:
    """A session and three streams of its own, and nothing else open; what the letter says."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    letter, *streams = descriptors
    with os.fdopen(os.dup(letter), "rb") as file:
        file.seek(0)
        read = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(len(streams), os.sysconf("SC_OPEN_MAX"))
    del sys.argv[1:]
    return read


def _adopt() -> None:
    """Have children whose parent ends become ours, wherever we run: else nobody may take them away when they end."""
    import ctypes

    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
