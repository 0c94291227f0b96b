"""How does a child shut itself in, before it reads a line of the project?"""

from __future__ import annotations

import os

from mcp_migrate.migrations.cage import landlock, limits, seccomp
from mcp_migrate.migrations.cage.room import VARIABLE, Room


def enter() -> None:
    """Put up the walls that the parent asked for; with none asked for there are only the limits.

    Raises:
        OSError: a wall could not be put up; the child must not go on.
    """
    limits.restrict()
    os.environ.pop("PWD", None)  # bubblewrap's own
    told = os.environ.pop(VARIABLE, None)
    if told is None:
        return
    room = Room.from_json(told)
    landlock.restrict(room)
    seccomp.restrict(tcp=room.port is not None)
