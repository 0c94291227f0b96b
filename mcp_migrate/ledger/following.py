"""What does this process know by heart of the ledger as it is now? Each entry is looked at once, whoever appended it.

Entries are committed in the order of their numbers, so that what is newer than the last one seen is all that is new.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from mcp_migrate.ledger.events import Event
    from mcp_migrate.ledger.store import Ledger

_AT_ONCE = 1_000


class Follower(Protocol):
    """What is made of the entries of some kinds. Others read it while it learns: it replaces what it holds."""

    @property
    def kinds(self) -> Collection[str]: ...

    def begin(self, ledger: Ledger) -> None:
        """Learn what is there, in whatever way is quickest."""
        ...

    def take(self, event: Event) -> None:
        """Learn of an entry, be it a second time."""
        ...


_Made = TypeVar("_Made", bound=Follower)


class Following:
    """All that is known of one ledger. One look serves everybody who asked before it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._looked = -1
        self._next = 0
        self._known: dict[Any, Follower] = {}

    def current(self, kind: Callable[[], _Made], ledger: Ledger) -> _Made:
        """What is known of all entries that are there now."""
        asked = next(self._order)
        with self._lock:
            known: Any = self._known.get(kind)
            if known is None:
                known = self._begin(kind, ledger)
            if self._looked < asked:
                looks = next(self._order)
                self._catch_up(ledger)
                self._looked = looks
            return known  # type: ignore[no-any-return]  # what `kind` made

    def _begin(self, kind: Callable[[], _Made], ledger: Ledger) -> _Made:
        """What it learns now may be newer than what the others have seen: it meets that again."""
        if not self._known:
            self._next = ledger.size()
        known = kind()
        known.begin(ledger)
        self._known[kind] = known
        return known

    def _catch_up(self, ledger: Ledger) -> None:
        while rows := ledger.kinds(self._next, _AT_ONCE):
            new = Counter(kind for _seq, kind in rows)
            wanted = new.keys() & {kind for known in self._known.values() for kind in known.kinds}
            found = [event for kind in wanted for event in ledger.read(since=self._next, kind=kind, limit=new[kind])]
            for event in sorted(found, key=lambda event: event.seq):
                for known in self._known.values():
                    if event.kind in known.kinds:
                        known.take(event)
            self._next = rows[-1][0] + 1
