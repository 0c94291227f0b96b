"""Are sessions gone that a server was asked to end? It is asked again until there are none, for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

_END_SECONDS, _POLL_SECONDS = 10.0, 0.02


def until_none(end: Callable[[], int]) -> int:
    """Call `end`, which asks sessions to end and says how many it found, until it finds none; how many are left."""
    last = time.monotonic() + _END_SECONDS
    while (sessions := end()) and time.monotonic() < last:
        time.sleep(_POLL_SECONDS)
    return sessions


def until_closed(close: Callable[[], bool], end: Callable[[], object]) -> bool:
    """Call `close`, which says whether it could; a session may hold it up, so `end` them and try again for a while."""
    last = time.monotonic() + _END_SECONDS
    while not (closed := close()) and time.monotonic() < last:
        end()
    return closed
