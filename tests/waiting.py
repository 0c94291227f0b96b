"""Wait for what another process, a server or a thread does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


def until(look: Callable[[], _Seen | None], seconds: float = 60) -> _Seen:
    """What is seen once there is something to see; the test fails if there is nothing for so long."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.02)
    return seen
