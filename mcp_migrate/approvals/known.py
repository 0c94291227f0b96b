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
    """What one process has seen in one ledger so far."""

    next: dict[Kind, int] = field(default_factory=dict)
    denied: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def denied_on(self, target: str | None, ledger: Ledger) -> tuple[Event, ...]:
        """The requests on `target` that somebody said no to, each once, the last first; nothing is verified yet."""
        with self.lock:
            for decision in self._fresh(Kind.APPROVAL_DECIDED, ledger):
                said = decision.body.get("statement")
                if isinstance(said, dict) and said.get("decision") == "deny":
                    self.denied.pop(str(decision.subject), None)
                    self.denied[str(decision.subject)] = None
            ids = tuple(reversed(self.denied))
        found = (_request(request_id, ledger) for request_id in ids)
        return tuple(request for request in found if request is not None and request.body["target"] == target)

    def maybe_open(self, workflow: str, ledger: Ledger, *, now: datetime) -> tuple[Event, ...]:
        """The changes that `workflow` asked for and that may not have ended, oldest first."""
        with self.lock:
            for request in self._fresh(Kind.APPROVAL_REQUESTED, ledger):
                if request.body.get("purpose", "change") == "change":
                    expires_at = datetime.fromisoformat(request.body["expires_at"])
                    mine = _Waiting(str(request.subject), request.workflow, expires_at)
                    self.waiting.setdefault(mine.request_id, mine)
            mine_too = [each for each in self.waiting.values() if each.workflow == workflow]
            for over in [each for each in mine_too if _is_over(each, ledger, now)]:
                del self.waiting[over.request_id]
            ids = [each.request_id for each in mine_too if each.request_id in self.waiting]
        found = (_request(request_id, ledger) for request_id in ids)
        return tuple(request for request in found if request is not None)

    def _fresh(self, kind: Kind, ledger: Ledger) -> Iterator[Event]:
        """The entries of `kind` since the last look."""
        while page := ledger.read(since=self.next.get(kind, 0), kind=kind, limit=_PAGE):
            yield from page
            self.next[kind] = page[-1].seq + 1


def known(ledger: Ledger) -> Known:
    """What this process knows of `ledger`."""
    return ledger.remembered(Known)


def _is_over(request: _Waiting, ledger: Ledger, now: datetime) -> bool:
    """Whether nothing can ever bring it to life: used, taken back, made up, or expired without a word from anybody."""
    if any(ledger.find(kind, request.request_id) for kind in (Kind.APPROVAL_CONSUMED, Kind.APPROVAL_CANARY)):
        return True
    if any(event.workflow == request.workflow for event in ledger.find(Kind.APPROVAL_WITHDRAWN, request.request_id)):
        return True
    said = (Kind.APPROVAL_DECIDED, Kind.APPROVAL_BROKEN)
    return request.expires_at <= now and not any(ledger.find(kind, request.request_id) for kind in said)


def _request(request_id: str, ledger: Ledger) -> Event | None:
    return next(iter(ledger.find(Kind.APPROVAL_REQUESTED, request_id)), None)
