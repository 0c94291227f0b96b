"""How often did a workflow call, plan and apply lately, and does one of its principals keep trying what is refused?

Counted on the ledger, so that every server that shares it counts the same. What was read once is remembered.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from mcp_migrate.errors import LimitReachedError, PausedError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.ledger.times import first_since
from mcp_migrate.ledger.walking import walk
from mcp_migrate.settings import Workflow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_NOT_ITS_FAULT = frozenset({"paused", "limit_reached", "frozen", "locked", "lock_timeout", "cancelled", "not_sealed"})
_NOT_ITS_FAULT |= {"internal_error", "ledger_unavailable", "target_unreachable", "credential_failed"}
"""What is refused with these says nothing about what was tried."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How many calls in a minute, plans in an hour, applies in a day; and until when a principal is paused."""

    calls: int = 0
    plans: int = 0
    applies: int = 0
    paused_until: datetime | None = None


class _Seen(NamedTuple):
    """When an entry was made, by which call, and whom it is about."""

    at: datetime
    call_id: str | None
    workflow: str | None
    principal: str | None
    code: str | None


@dataclass(slots=True)
class _Counted:
    """What one process has seen on one ledger within the longest time that anything is counted over."""

    next: dict[Kind, int] = field(default_factory=dict)
    seen: dict[Kind, deque[_Seen]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of_workflow(
        self, kind: Kind, workflow: str, ledger: Ledger, *, now: datetime, window: timedelta, before: str | None = None
    ) -> int:
        """The entries of `kind` that are about a workflow; those before the first of a call, where it has one."""
        with self.lock:
            found = takewhile(lambda each: before is None or each.call_id != before, self._read(kind, ledger, now))
            return sum(each.at > now - window and each.workflow == workflow for each in found)

    def refusals(self, principal: str, ledger: Ledger, *, now: datetime, since: datetime) -> int:
        """What a principal tried in vain."""
        with self.lock:
            mine = (each for each in self._read(Kind.CALL_REFUSED, ledger, now) if each.principal == principal)
            return sum(each.at > since and each.code not in _NOT_ITS_FAULT for each in mine)

    def _read(self, kind: Kind, ledger: Ledger, now: datetime) -> deque[_Seen]:
        if kind not in self.next:
            self.next[kind] = first_since(now - DAY, ledger)
        seen = self.seen.setdefault(kind, deque())
        for event in walk(ledger, since=self.next[kind], kind=kind):
            seen.append(_seen(event))
            self.next[kind] = event.seq + 1
        while seen and seen[0].at <= now - DAY:
            seen.popleft()
        return seen


class Pauses:
    """Until when each principal is paused that ever was."""

    kinds = (Kind.PRINCIPAL_PAUSED,)

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def begin(self, ledger: Ledger) -> None:
        for event in walk(ledger, kind=Kind.PRINCIPAL_PAUSED):
            self.take(event)

    def take(self, event: Event) -> None:
        until, principal = datetime.fromisoformat(event.body["until"]), str(event.subject)
        self._until[principal] = max(until, self._until.get(principal, until))

    def until(self, principal: str) -> datetime | None:
        """The end of its last pause, which may be over."""
        return self._until.get(principal)


def tempo(
    principal: str, name: str, workflow: Workflow, ledger: Ledger, *, now: datetime, before: str | None = None
) -> Tempo:
    """How fast `workflow` goes; what it has no limit on is not counted.

    With `before`, the id of a call, only what was on the record before its first entry is counted: of several calls at
    once, on whichever servers, as many get through as there is room for.
    """
    counted, limits = ledger.remembered(_Counted), workflow.limits

    def count(limit: int | None, kind: Kind, window: timedelta) -> int:
        if limit is None:
            return 0
        return counted.of_workflow(kind, name, ledger, now=now, window=window, before=before)

    return Tempo(
        calls=count(limits.calls_per_minute, Kind.CALL_RECEIVED, MINUTE),
        plans=count(limits.plans_per_hour, Kind.PLAN_FROZEN, HOUR),
        applies=count(limits.applies_per_day, Kind.STEP_STARTED, DAY),
        paused_until=ledger.current(Pauses).until(principal),
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
    refuse_over(workflow, found, step=step)


def refuse_over(workflow: Workflow, found: Tempo, *, step: str | None) -> None:
    """Refuse a plan or an apply where the limit of them was reached before it. Raises: LimitReachedError."""
    if step == "plan":
        _within(workflow.limits.plans_per_hour, found.plans, "plans an hour")
    if step == "apply":
        _within(workflow.limits.applies_per_day, found.applies, "applies a day")


def refuse_beside(workflow: Workflow, running: int) -> None:
    """Refuse to make or run a plan beside those that `running` says run already. Raises: LimitReachedError."""
    _within(workflow.limits.plans_at_once, running, "plans at once")


def keeps_trying(principal: str, workflow: Workflow, ledger: Ledger, *, now: datetime) -> tuple[int, datetime] | None:
    """How often a principal was refused within the time that counts, and until when it is paused for it, if it is."""
    limit = workflow.limits.pause
    began = now - limit.within
    since = max(ledger.current(Pauses).until(principal) or began, began)
    found = ledger.remembered(_Counted).refusals(principal, ledger, now=now, since=since)
    return (found, now + limit.lasts) if found >= limit.after else None


def _within(most: int | None, found: int, what: str) -> None:
    if most is not None and found >= most:
        raise LimitReachedError(
            f"This workflow has had {found} {what}, and {most} are its limit.",
            hint="Nothing ran. Wait, or ask the workflow's owner for a higher limit.",
            limit={what.replace(" ", "_"): most, "found": found},
        )


def _seen(event: Event) -> _Seen:
    at, body = datetime.fromisoformat(event.at), event.body
    return _Seen(at, event.call_id, event.workflow, body.get("principal"), body.get("code"))
