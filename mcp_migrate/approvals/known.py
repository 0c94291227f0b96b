"""Which requests may still be open, and which were denied, without reading the whole ledger for each call?

The ledger only grows: what was read once is remembered with it, and the next look begins where the last one ended.
Nothing here decides. Whether a request is open or denied is found out from its own entries, each time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from mcp_migrate.ledger import Event, Kind, Ledger

_PAGE = 200


@dataclass(frozen=True, slots=True)
class _Waiting:
    request_id: str
    workflow: str | None
    expires_at: datetime


@dataclass(slots=True)
class Known:
    """What one process has seen in one ledger so far. `heard` are the requests that somebody said something about."""

    next: dict[Kind, int] = field(default_factory=dict)
    denied: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def denied_on(self, target: str | None, ledger: Ledger) -> tuple[Event, ...]:
        """The requests on `target` that somebody said no to, each once, the last first; nothing is verified yet."""
        with self.lock:
            self._hear(ledger)
            ids = tuple(reversed(self.denied))
        found = (_request(request_id, ledger) for request_id in ids)
        return tuple(request for request in found if request is not None and request.body["target"] == target)

    def maybe_open(self, workflow: str, ledger: Ledger, *, now: datetime) -> tuple[str, ...]:
        """The changes that `workflow` asked for and that may not have ended, oldest first, by their ids."""
        with self.lock:
            self._hear(ledger)
            ended = tuple(self._ended(ledger))  # before the requests: what ends a request comes after it
            for request in self._fresh(Kind.APPROVAL_REQUESTED, ledger):
                if request.body.get("purpose", "change") == "change":
                    expires_at = datetime.fromisoformat(request.body["expires_at"])
                    mine = _Waiting(str(request.subject), request.workflow, expires_at)
                    self.waiting.setdefault(mine.request_id, mine)
            for request_id, by in ended:
                if request_id in self.waiting and by in {None, self.waiting[request_id].workflow}:
                    del self.waiting[request_id]
            mine_too = [each for each in self.waiting.values() if each.workflow == workflow]
            over = [each for each in mine_too if each.expires_at <= now and each.request_id not in self.heard]
            for each in over:
                del self.waiting[each.request_id]
            return tuple(each.request_id for each in mine_too if each.request_id in self.waiting)

    def _hear(self, ledger: Ledger) -> None:
        """What people said since the last look, whatever it is worth."""
        self.heard.update(str(event.subject) for event in self._fresh(Kind.APPROVAL_BROKEN, ledger))
        for decision in self._fresh(Kind.APPROVAL_DECIDED, ledger):
            said, request_id = decision.body.get("statement"), str(decision.subject)
            self.heard.add(request_id)
            if isinstance(said, dict) and said.get("decision") == "deny":
                self.denied.pop(request_id, None)
                self.denied[request_id] = None

    def _ended(self, ledger: Ledger) -> Iterator[tuple[str, str | None]]:
        """What was used, made up or taken back since the last look; of the last, only its own workflow may say so."""
        for kind in (Kind.APPROVAL_CONSUMED, Kind.APPROVAL_CANARY):
            yield from ((str(event.subject), None) for event in self._fresh(kind, ledger))
        yield from ((str(e.subject), str(e.workflow)) for e in self._fresh(Kind.APPROVAL_WITHDRAWN, ledger))

    def _fresh(self, kind: Kind, ledger: Ledger) -> Iterator[Event]:
        """The entries of `kind` since the last look."""
        while page := ledger.read(since=self.next.get(kind, 0), kind=kind, limit=_PAGE):
            yield from page
            self.next[kind] = page[-1].seq + 1


def known(ledger: Ledger) -> Known:
    """What this process knows of `ledger`."""
    return ledger.remembered(Known)


def _request(request_id: str, ledger: Ledger) -> Event | None:
    return next(iter(ledger.find(Kind.APPROVAL_REQUESTED, request_id)), None)
