"""What waits for people, the most urgent first? Kept up with the ledger by reading only what is new in it."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mcp_migrate.approvals.standing import standing
from mcp_migrate.approvals.summary import worst_first
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.settings import Settings
from mcp_migrate.web.weighing import destroying_objects

FORMATS = ("mcp-migrate/request/1", "mcp-migrate/request/2")
_ANSWERS = (Kind.APPROVAL_BROKEN, Kind.APPROVAL_DECIDED, Kind.APPROVAL_WITHDRAWN, Kind.APPROVAL_CONSUMED)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One request as the inbox lists it. `ended` is what became of it, whatever the time; None while it may be used."""

    request_id: str
    target: str
    tier: str
    tool: str
    effects: tuple[str, ...]
    objects: tuple[str, ...]
    principal: str
    owner: str
    asked_at: datetime
    expires_at: datetime
    still_needed: int
    ended: str | None = None

    def status(self, now: datetime) -> str:
        if self.ended:
            return self.ended
        if self.expires_at <= now:
            return "expired"
        return "pending" if self.still_needed else "approved"

    def holds(self, word: str, now: datetime) -> bool:
        """Whether `word` stands in what the list says of it."""
        said = (self.request_id, self.target, self.tool, self.principal, self.owner, *self.effects, *self.objects)
        return not word or any(word.casefold() in text.casefold() for text in (*said, self.status(now)))


class Inbox:
    """The requests of a ledger, for all threads of a process."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._read = 0
        self._open: list[Row] = []
        self._deadlines: list[datetime] = []

    def waiting(self, now: datetime) -> Sequence[Row]:
        """What may still be decided or used, the first to expire first."""
        with self._lock:
            self._catch_up()
            return self._open[bisect_right(self._deadlines, now) :]

    def all(self) -> Sequence[Row]:
        """Every request there was, the newest first."""
        with self._lock:
            self._catch_up()
            return list(reversed(self._rows.values()))

    def _catch_up(self) -> None:
        size = self._ledger.head().size
        if size == self._read:
            return
        for event in self._new(Kind.APPROVAL_REQUESTED, size):
            if event.body.get("format") in FORMATS:
                self._rows.setdefault(event.body["request_id"], self._row(event))
        answered = {self._request_of(event) for kind in _ANSWERS for event in self._new(kind, size)}
        for request_id in answered & self._rows.keys():
            self._rows[request_id] = self._judged(self._rows[request_id])
        self._read = size
        self._open = sorted((row for row in self._rows.values() if not row.ended), key=lambda row: row.expires_at)
        self._deadlines = [row.expires_at for row in self._open]

    def _new(self, kind: str, size: int) -> Iterator[Event]:
        since = self._read
        while batch := self._ledger.read(kind=kind, since=since, limit=_BATCH):
            yield from (event for event in batch if event.seq < size)
            since = batch[-1].seq + 1

    def _request_of(self, event: Event) -> str:
        return str(event.body.get("request_id") or event.subject)

    def _row(self, event: Event) -> Row:
        body = event.body
        return Row(
            body["request_id"],
            body["target"] or "no target",
            self._tier(body["target"]),
            body["tool"],
            tuple(worst_first(body["effects"])),
            tuple(destroying_objects(body)),
            body["principal"],
            body["owner"],
            datetime.fromisoformat(event.at),
            datetime.fromisoformat(body["expires_at"]),
            int(body["quorum"]["count"]),
        )

    def _tier(self, target: str | None) -> str:
        known = self._settings.targets.get(target or "")
        return str(known.tier) if known else ""

    def _judged(self, row: Row) -> Row:
        [request, *_] = self._ledger.find(Kind.APPROVAL_REQUESTED, row.request_id)
        stands = standing(request, self._ledger, self._settings)
        status = stands.status(row.asked_at)
        missing = 0 if status == "approved" else stands.still_needed(row.asked_at)
        return replace(row, still_needed=missing, ended=status if stands.ended else None)
