"""Which requests may still be open, and which were denied, without reading the whole ledger for each call?

Nothing here decides. Whether a request is open or denied is found out from its own entries, each time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.ledger.walking import walk


@dataclass(frozen=True, slots=True)
class _Waiting:
    request_id: str
    workflow: str | None
    expires_at: datetime


@dataclass(slots=True)
class Known:
    """What one process has seen in one ledger so far. `heard` are the requests that somebody said something about."""

    denied: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    kinds = (
        Kind.APPROVAL_REQUESTED,  # the first: what ends a request comes after it
        Kind.APPROVAL_DECIDED,
        Kind.APPROVAL_BROKEN,
        Kind.APPROVAL_CONSUMED,
        Kind.APPROVAL_CANARY,
        Kind.APPROVAL_WITHDRAWN,
    )

    def begin(self, ledger: Ledger) -> None:
        for event in (each for kind in self.kinds for each in walk(ledger, kind=kind)):
            self.take(event)

    def take(self, event: Event) -> None:
        with self.lock:
            match event.kind:
                case Kind.APPROVAL_REQUESTED:
                    self._asked(event)
                case Kind.APPROVAL_DECIDED | Kind.APPROVAL_BROKEN:
                    self._heard(event)
                case _:
                    self._ended(event)

    def denied_on(self, target: str | None, ledger: Ledger) -> tuple[Event, ...]:
        """The requests on `target` that somebody said no to, each once, the last first; nothing is verified yet."""
        with self.lock:
            ids = tuple(reversed(self.denied))
        found = (_request(request_id, ledger) for request_id in ids)
        return tuple(request for request in found if request is not None and request.body["target"] == target)

    def maybe_open(self, workflow: str, *, now: datetime) -> tuple[str, ...]:
        """The changes that `workflow` asked for and that may not have ended, oldest first, by their ids."""
        with self.lock:
            mine = [each for each in self.waiting.values() if each.workflow == workflow]
            for each in mine:
                if each.expires_at <= now and each.request_id not in self.heard:
                    del self.waiting[each.request_id]
            return tuple(each.request_id for each in mine if each.request_id in self.waiting)

    def _asked(self, request: Event) -> None:
        if request.body.get("purpose", "change") == "change":
            expires_at = datetime.fromisoformat(request.body["expires_at"])
            self.waiting.setdefault(str(request.subject), _Waiting(str(request.subject), request.workflow, expires_at))

    def _heard(self, decision: Event) -> None:
        """What a person said, whatever it is worth."""
        said, request_id = decision.body.get("statement"), str(decision.subject)
        self.heard.add(request_id)
        if isinstance(said, dict) and said.get("decision") == "deny":
            self.denied.pop(request_id, None)
            self.denied[request_id] = None

    def _ended(self, event: Event) -> None:
        """It was used, made up or taken back; of the last, only its own workflow may say so."""
        waits = self.waiting.get(str(event.subject))
        if waits and (event.kind != Kind.APPROVAL_WITHDRAWN or waits.workflow == event.workflow):
            del self.waiting[waits.request_id]


def known(ledger: Ledger) -> Known:
    """What this process knows of `ledger` as it is now."""
    return ledger.current(Known)


def _request(request_id: str, ledger: Ledger) -> Event | None:
    return next(iter(ledger.find(Kind.APPROVAL_REQUESTED, request_id)), None)
