"""What could whoever holds a session do on its server, whatever it is used for?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Powers:
    """The role that a session acts as. `rules`: it may do anything to the server.

    `changes` are some of the things of others that it may change or make, in words; none where it can only read.
    `foreign` are some of the things there that it could not alter, `unread` some tables that it could not read.
    `at` is the server's clock, None where there is no server.
    """

    role: str
    rules: bool = False
    changes: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    at: datetime | None = None
