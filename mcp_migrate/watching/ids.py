"""Which call is this thread at work on, and so which call is a log line about?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_IDS: ContextVar[dict[str, str] | None] = ContextVar("mcp_migrate_ids", default=None)


@contextmanager
def working_on(**ids: str | None) -> Iterator[None]:
    """Have all that is logged inside, in threads that are begun there too, carry these ids."""
    token = _IDS.set({name: each for name, each in ids.items() if each})
    try:
        yield
    finally:
        _IDS.reset(token)


def learned(**ids: str | None) -> None:
    """Add ids that came to be known since, for whoever works on the same call."""
    known = _IDS.get()
    if known is not None:
        known.update({name: each for name, each in ids.items() if each})


def current() -> Mapping[str, str]:
    """The ids of the call at hand; none outside of calls."""
    return dict(_IDS.get() or {})
