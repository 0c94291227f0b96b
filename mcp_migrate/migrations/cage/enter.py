"""How does a child shut itself in, before it reads a line of the project?"""

from __future__ import annotations

import os
import sys

from mcp_migrate.migrations.cage import landlock, limits, seccomp
from mcp_migrate.migrations.cage.room import VARIABLE, Room


def enter() -> None:
    """Put up the walls that the parent asked for; with none asked for there are only the limits.

    Raises:
        OSError: a wall could not be put up; the child must not go on.
    """
    told = os.environ.pop(VARIABLE, None)
    os.environ.pop("PWD", None)  # bubblewrap's own
    _restrict(told)


def become(python: str, script: str) -> None:
    """Put up the same walls, and go on as another interpreter behind them, which puts them up once more.

    Raises:
        OSError: a wall could not be put up, or there is no such interpreter.
    """
    _restrict(os.environ.get(VARIABLE))
    sys.stdout.flush()
    os.execv(python, [python, script])  # noqa: S606  what the configuration names, behind the walls


def _restrict(told: str | None) -> None:
    limits.restrict()
    if told is None:
        return
    room = Room.from_json(told)
    landlock.restrict(room)
    seccomp.restrict(tcp=room.port is not None)
