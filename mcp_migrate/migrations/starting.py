"""How does a child begin: by itself, or forked in a nursery?

Where it will live in a sandbox and by our own interpreter, a process that has loaded SQLAlchemy and Alembic forks it
(see `child.nursery`), in a tenth of the time. Where that cannot be it begins by itself, and nothing else is otherwise.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mcp_migrate.migrations.cage.room import VARIABLE, Room
from mcp_migrate.migrations.cage.tiers import Cage, command
from mcp_migrate.migrations.child.clock import VARIABLE as CLOCK
from mcp_migrate.migrations.nursery import START, nurseries

_NOWHERE = "/nonexistent"
_DECIDING = (
    *("PYTHON", "LD_", "LANG", "LC_", "TZ", "MALLOC_", "OPENSSL_", "SSL", "COVERAGE_"),
    *("SQLALCHEMY", "DISABLE_SQLALCHEMY", "ALEMBIC", "PSYCOPG", "GREENLET"),
)
"""How variables are named that an interpreter, or what a nursery loads, looks at when it begins."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a child is given: its walls, its folder, the database's product, a home, and variables.

    `configured` are those of the configuration, `variant` those by which two recordings differ.
    """

    cage: Cage
    room: Room
    folder: str
    product: str
    home: str
    configured: Mapping[str, str]
    variant: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """All that it begins with, the description of its walls included."""
        walls = {VARIABLE: self.room.to_json()} if self.cage.name != "none" else {}
        return {**scrubbed(self.home), **self.configured, **self.variant, **walls}


@dataclass(frozen=True, slots=True)
class Running:
    """A process whose group ends with `leader`, and the three streams of the child in it."""

    leader: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    def close(self) -> None:
        """Close what is open of it."""
        for stream in (self.stdin, self.stdout, self.stderr, self.leader.stdin, self.leader.stdout):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()


def begin(given: Beginning, python: Path | None) -> Running:
    """A child by our own interpreter, or by the project's `python`."""
    born = _born(given) if _may_be_born(given, python) else None
    return born or _alone(given, python)


def scrubbed(home: str) -> dict[str, str]:
    """What a process begins with that knows nothing of ours but the search path for programs."""
    return {
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join(os.get_exec_path()),
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"SYSTEMROOT": os.environ["SYSTEMROOT"], "TEMP": home, "USERPROFILE": home} if os.name == "nt" else {}),
    }


def _alone(given: Beginning, python: Path | None) -> Running:
    """Our own interpreter begins; behind the walls it becomes the project's, if there is one."""
    words = [sys.executable, "-P", START, *([str(python)] if python else [])]
    process = subprocess.Popen(  # noqa: S603  our own interpreter, a fixed script
        command(given.cage, given.room, words, given.folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=given.folder,
        env=given.environment,
        start_new_session=True,
    )
    if not (process.stdin and process.stdout and process.stderr):
        raise RuntimeError("the child was started without its streams")
    return Running(process, process.stdin, process.stdout, process.stderr)


def _may_be_born(given: Beginning, python: Path | None) -> bool:
    """Whether it would be no other child than one that begins by itself."""
    deciding = any(name.upper().startswith(_DECIDING) for name in given.configured)
    return given.cage.name == "sandbox" and python is None and not deciding


def _born(given: Beginning) -> Running | None:
    """A child out of the nursery, in a sandbox that is made for it; None where that cannot be."""
    from mcp_migrate.migrations.cage.holding import hold  # there are no namespaces on other systems than Linux

    nursery = nurseries().of({**scrubbed(_NOWHERE), **given.variant})
    if nursery is None:
        return None
    held = hold(given.cage, given.room, given.folder)
    if held is None:
        return None
    environment = {name: value for name, value in given.environment.items() if name != CLOCK}  # its own is set already
    letter = json.dumps({"environment": environment, "folder": given.folder}).encode()
    streams = nursery.born(given.product, letter, held.namespaces)
    held.close_namespaces()
    if streams is None:
        held.end()
        return None
    return Running(held.process, *streams)
