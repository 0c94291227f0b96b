"""How often did a workflow call, plan and apply lately, and does one of its principals keep trying what is refused?

Counted on the ledger, so that every server that shares it counts the same. What was read once is remembered.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mcp_migrate.errors import LimitReachedError, PausedError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.settings import Workflow
from mcp_migrate.settings.workflow import MOST_COUNTED

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_PAGE = 200
_NOT_ITS_FAULT = frozenset({"paused", "limit_reached", "frozen", "locked", "lock_timeout", "cancelled"})
_NOT_ITS_FAULT |= {"internal_error", "ledger_unavailable", "target_unreachable", "credential_failed"}
"""What is refused with these says nothing about what was tried."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How many calls in a minute, plans in an hour, applies in a day; and until when a principal is paused."""

    calls: int = 0
    plans: int = 0
    applies: int = 0
    paused_until: datetime | None = None


@dataclass(slots=True)
class _Recent:
    """When whom an entry of one kind is about, the newest last, as far back as anything is counted."""

    next: int | None = None
    seen: deque[tuple[datetime, str | None, str | None, str | None]] = field(
        default_factory=lambda: deque(maxlen=MOST_COUNTED)
    )


@dataclass(slots=True)
class Counted:
    """What one process has counted on one ledger so far."""

    kinds: dict[Kind, _Recent] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of_workflow(self, kind: Kind, workflow: str, ledger: Ledger, *, since: datetime) -> int:
        """The entries of `kind` that are about a workflow."""
        with self.lock:
            seen = self._read(kind, ledger).seen
            return sum(at > since and whose == workflow for at, whose, _principal, _code in seen)

    def refusals(self, principal: str, ledger: Ledger, *, since: datetime) -> int:
        """What a principal tried in vain."""
        with self.lock:
            seen = self._read(Kind.CALL_REFUSED, ledger).seen
            return sum(at > since and who == principal and code not in _NOT_ITS_FAULT for at, _w, who, code in seen)

    def _read(self, kind: Kind, ledger: Ledger) -> _Recent:
        recent = self.kinds.setdefault(kind, _Recent())
        if recent.next is None:
            recent.next = ledger.head().size
            for event in reversed(ledger.last(kind, limit=MOST_COUNTED)):
                recent.seen.append(_seen(event))
                recent.next = max(recent.next, event.seq + 1)
        while page := ledger.read(since=recent.next, kind=kind, limit=_PAGE):
            recent.seen.extend(map(_seen, page))
            recent.next = page[-1].seq + 1
        return recent


def tempo(principal: str, name: str, workflow: Workflow, ledger: Ledger, *, now: datetime) -> Tempo:
    """How fast `workflow` goes; what it has no limit on is not counted."""
    counted, limits = ledger.remembered(Counted), workflow.limits

    def count(limit: int | None, kind: Kind, window: timedelta) -> int:
        return counted.of_workflow(kind, name, ledger, since=now - window) if limit is not None else 0

    return Tempo(
        calls=count(limits.calls_per_minute, Kind.CALL_RECEIVED, MINUTE),
        plans=count(limits.plans_per_hour, Kind.PLAN_FROZEN, HOUR),
        applies=count(limits.applies_per_day, Kind.STEP_STARTED, DAY),
        paused_until=max(_pauses(principal, ledger), default=None),
    )


def refuse_fast(principal: str, workflow: Workflow, now: datetime, found: Tempo) -> None:
    """Refuse a call of whoever is paused or calls too often. Raises: PausedError, LimitReachedError."""
    if found.paused_until is not None and now < found.paused_until:
        raise PausedError(
            f"{principal} is paused until {found.paused_until.isoformat()}: it kept trying what was refused.",
            hint=f"Stop, and tell {workflow.owner.name} <{workflow.owner.email}>, who owns it, what you need.",
            paused_until=found.paused_until.isoformat(),
        )
    _within(workflow.limits.calls_per_minute, found.calls, "calls a minute")


def refuse_more(workflow: Workflow, found: Tempo, *, step: str | None, statements: int) -> None:
    """Refuse another plan or apply where a limit is reached, or a plan that is too long. Raises: LimitReachedError."""
    most = workflow.limits.plan_statements
    if step in {"plan", "apply"} and most is not None and statements > most:
        raise LimitReachedError(
            f"The plan has {statements} statements, and plans of this workflow have {most} at most.",
            hint='Plan fewer revisions at a time: to: "+1".',
            limit={"plan_statements": most, "found": statements},
        )
    if step == "plan":
        _within(workflow.limits.plans_per_hour, found.plans, "plans an hour")
    if step == "apply":
        _within(workflow.limits.applies_per_day, found.applies, "applies a day")


def keeps_trying(principal: str, workflow: Workflow, ledger: Ledger, *, now: datetime) -> tuple[int, datetime] | None:
    """How often a principal was refused within the time that counts, and until when it is paused for it, if it is."""
    limit = workflow.limits.pause
    last = max(_pauses(principal, ledger), default=now - limit.within)
    found = ledger.remembered(Counted).refusals(principal, ledger, since=max(last, now - limit.within))
    return (found, now + limit.lasts) if found >= limit.after else None


def _within(most: int | None, found: int, what: str) -> None:
    if most is not None and found >= most:
        raise LimitReachedError(
            f"This workflow has had {found} {what}, and {most} are its limit.",
            hint="Nothing ran. Wait, or ask the workflow's owner for a higher limit.",
            limit={what.replace(" ", "_"): most, "found": found},
        )


def _pauses(principal: str, ledger: Ledger) -> list[datetime]:
    events = ledger.find(Kind.PRINCIPAL_PAUSED, principal)
    return [datetime.fromisoformat(event.body["until"]) for event in events]


def _seen(event: Event) -> tuple[datetime, str | None, str | None, str | None]:
    return datetime.fromisoformat(event.at), event.workflow, event.body.get("principal"), event.body.get("code")
