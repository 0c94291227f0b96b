"""Who has to be told what, and were they? The ledger is the outbox: what it lacks is sent, so restarts lose nothing.

A notice that a channel does not take is tried again, later each time, and then given up; the request stands whatever
comes of it. Two servers may send one notice twice, under one id.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mcp_migrate.errors import LedgerUnavailableError, MigrateError
from mcp_migrate.leave.delegation import on_behalf
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import Effect, digest
from mcp_migrate.notifiers import Notice, notifier_for
from mcp_migrate.schema.text import clean, cut
from mcp_migrate.settings import Settings
from mcp_migrate.settings.channels import Channel
from mcp_migrate.tools.approval_status import request_status

_NEWEST = 500
"""Requests looked at: far more than are open at a time."""

_LATE = timedelta(days=1)
"""What ended longer ago is no news."""

_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
_REMIND = 0.75
"""The part of a request's time after which it is brought to mind again."""

ALARM = "alarm"
"""What every channel is told, whatever else it is told."""

_HOLDS, _NEWEST_HOLDS = (Kind.PRINCIPAL_PAUSED, Kind.TARGET_FROZEN, Kind.TOOL_CHANGED), 50
"""What stops somebody from working is told to everybody, with no request to it."""

_NAMES, _INTENT = 5, 200
_LOOK_SECONDS, _LEAST_OFTEN = 2.0, 15
"""How often the ledger is looked at, and after how many looks without anything new it is read all the same."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """One notice that a channel has not taken yet."""

    notice: Notice
    channel: Channel
    attempt: int
    workflow: str | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """Sends what is due and records what came of it."""

    settings: Settings
    ledger: Ledger
    clock: Callable[[], datetime]

    def send(self) -> tuple[str | None, ...]:
        """One attempt at each notice that is due: None where it was taken, else why it was not.

        Raises:
            LedgerUnavailableError: what came of it cannot be recorded.
        """
        return tuple(self._send(due) for due in tuple(self.due()))

    def due(self) -> Iterator[Due]:
        """The notices whose time has come, the newest request first."""
        now = self.clock()
        for request in self.ledger.last(Kind.APPROVAL_REQUESTED, limit=_NEWEST) if self.settings.notify else ():
            if now - datetime.fromisoformat(request.body["expires_at"]) < _LATE:
                yield from self._due(request, now)

        for held in (e for kind in _HOLDS for e in self._last(kind)):
            if now - datetime.fromisoformat(held.at) < _LATE and held.body.get("withheld", True):
                yield from self._alarms(held, now)

    def _last(self, kind: Kind) -> tuple[Event, ...]:
        return self.ledger.last(kind, limit=_NEWEST_HOLDS) if self.settings.notify else ()

    def _alarms(self, held: Event, now: datetime) -> Iterator[Due]:
        """What everybody is told of a principal that waits, a target that is frozen, or a tool that is withheld."""
        for channel in self.settings.notify:
            notice_id = "notice_" + digest([held.seq, held.at, channel.name]).removeprefix("sha256:")[:20]
            if attempt := self._attempt(notice_id, now):
                yield Due(_alarm(notice_id, held, now), channel, attempt, held.workflow)

    def _due(self, request: Event, now: datetime) -> Iterator[Due]:
        status = request_status(request, self.ledger, self.settings, now=now)
        news = dict(self._news(request, status, now))
        for channel in self.settings.notify:
            for occasion in (*channel.on, ALARM):
                notice_id = _id(request, occasion, channel)
                if occasion in news and (attempt := self._attempt(notice_id, now)):
                    address = self.settings.review.address
                    notice = _notice(notice_id, occasion, request, news[occasion], address=address, now=now)
                    yield Due(notice, channel, attempt, request.workflow)

    def _news(self, request: Event, status: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
        """What there is to tell of a request now, each with its headline."""
        said = request.body
        what = f"{said['tool']} on {said['target'] or 'no target'} ({_effects(said)})"
        if status["glass_broken_by"]:
            yield ALARM, f"GLASS BROKEN by {status['glass_broken_by']}, alone: {what}"
        if new := said.get("new_keys"):
            names = ", ".join(f"{each['reviewer']} ({each['key']})" for each in new)
            yield ALARM, f"A NEW KEY may decide, of {names}: {what}"
        for approved in self.ledger.find(Kind.APPROVAL_CANARY_APPROVED, said["request_id"]):
            yield ALARM, f"A CANARY WAS APPROVED by {approved.body['reviewer']}: {what}"
        if status["status"] == "pending":
            asked = "Review asked of what one person did alone" if said.get("purpose") == "review" else "Approval asked"
            yield "requested", f"{asked}: {what}"
            start, end = datetime.fromisoformat(request.at), datetime.fromisoformat(said["expires_at"])
            if now >= start + (end - start) * _REMIND:
                yield "reminder", f"Approval still asked, until {said['expires_at']}: {what}"
        elif status["status"] in {"approved", "denied"}:
            names = ", ".join(d["reviewer"] for d in status["decisions"] if d["valid"])
            yield "decided", f"{status['status'].capitalize()} by {names}: {what}"
        elif status["status"] == "expired":
            yield "expired", f"Nobody decided in time: {what}"
        for outcome in self._outcomes(said["request_id"]):
            yield "finished", f"{outcome.capitalize().replace('_', ' ')}: {what}"

    def _outcomes(self, request_id: str) -> Iterator[str]:
        for used in self.ledger.find(Kind.APPROVAL_CONSUMED, request_id):
            for finished in self.ledger.find(Kind.STEP_FINISHED, used.body["apply_id"]):
                yield str(finished.body["status"])

    def _attempt(self, notice_id: str, now: datetime) -> int | None:
        """Which attempt is due, counted from 1; None when it was taken, given up, or is too early."""
        if self.ledger.find(Kind.NOTICE_SENT, notice_id):
            return None
        failed = self.ledger.find(Kind.NOTICE_FAILED, notice_id)
        if not failed:
            return 1
        pause = min(_FIRST_PAUSE * 2 ** (len(failed) - 1), _LONGEST_PAUSE)
        early = now < datetime.fromisoformat(failed[-1].at) + pause
        return None if early or len(failed) >= _ATTEMPTS else len(failed) + 1

    def _send(self, due: Due) -> str | None:
        try:
            notifier_for(due.channel).send(due.notice)
        except MigrateError as error:
            self._record(Kind.NOTICE_FAILED, due, why=error.sentence)
            return error.sentence
        self._record(Kind.NOTICE_SENT, due)
        return None

    def _record(self, kind: Kind, due: Due, **more: str) -> None:
        body = {
            "request_id": due.notice.request_id,
            "occasion": due.notice.occasion,
            "channel": due.channel.name,
            "attempt": due.attempt,
            "given_up": kind == Kind.NOTICE_FAILED and due.attempt == _ATTEMPTS,
            **more,
        }
        self.ledger.append(Draft(kind, body, workflow=due.workflow, subject=due.notice.notice_id), at=self.clock())


def keep_sending(outbox: Outbox, stop: threading.Event) -> None:
    """Send what is due until `stop` is set; for a thread of its own, since a channel may take its time."""
    size, idle = -1, 0
    while not stop.wait(_LOOK_SECONDS):
        try:
            now = outbox.ledger.head().size
            idle = idle + 1 if now == size else 0
            if idle % _LEAST_OFTEN == 0:
                for why in filter(None, outbox.send()):
                    logger.warning("a notice was not taken: %s", why)
                now = outbox.ledger.head().size
            size = now
        except LedgerUnavailableError as error:
            logger.warning("notices wait: %s", error.sentence)


def told(request: Event, settings: Settings, ledger: Ledger) -> Iterator[tuple[str, str, str]]:
    """Channel, occasion and what came of it, of each notice about a request."""
    for channel in settings.notify:
        for occasion in (*channel.on, ALARM):
            notice_id = _id(request, occasion, channel)
            failed = ledger.find(Kind.NOTICE_FAILED, notice_id)
            if sent := ledger.find(Kind.NOTICE_SENT, notice_id):
                yield channel.name, occasion, f"at {sent[0].at}"
            elif failed:
                ends = "given up after" if failed[-1].body["given_up"] else "tried again after"
                yield channel.name, occasion, f"NOT TOLD, {ends} {len(failed)}: {failed[-1].body['why']}"


def sample(channel: Channel, at: datetime) -> Notice:
    """A notice that says it is only a test."""
    return Notice(
        notice_id=f"notice_test_{int(at.timestamp())}",
        occasion="test",
        request_id="req_test",
        at=int(at.timestamp()),
        headline=f"mcp-migrate: this is a test of the channel {channel.name}",
        facts=(("Nothing is asked", "this notice only shows that notices arrive"),),
        how="There is nothing to do.",
    )


def _id(request: Event, occasion: str, channel: Channel) -> str:
    return "notice_" + digest([request.body["request_id"], occasion, channel.name]).removeprefix("sha256:")[:20]


def _notice(
    notice_id: str, occasion: str, request: Event, headline: str, *, address: str | None, now: datetime
) -> Notice:
    said = request.body
    url = f"{address}/requests/{said['request_id']}" if address else None
    show = " or ".join(filter(None, (url, f"mcp-migrate approvals show {said['request_id']}")))
    return Notice(
        notice_id=notice_id,
        occasion=occasion,
        request_id=said["request_id"],
        at=int(now.timestamp()),
        headline=clean(headline),
        facts=tuple((name, clean(text)) for name, text in _facts(said)),
        how=f"Look at it and decide: {show}" if occasion in {"requested", "reminder"} else f"Look at it: {show}",
        url=url,
    )


def _alarm(notice_id: str, held: Event, now: datetime) -> Notice:
    """The entry in words; who is told looks at the ledger, since there is no request."""
    said, how = held.body, "Look at it: mcp-migrate ledger tail"
    if held.kind == Kind.TOOL_CHANGED:
        what = "is new" if said.get("new") else "changed"
        head = f"WITHHELD: what agents read of the tool {said['tool']} {what}"
        facts = [("It says now", said["words"]["description"])]
        how = f"See and accept: mcp-migrate tools accept {said['tool']}"
    elif held.kind == Kind.PRINCIPAL_PAUSED:
        often = f"{said['refusals']} times; it waits until {said['until']}"
        head = f"PAUSED: {said['principal']} kept trying what is refused, {often}"
        facts = [("Workflow", str(held.workflow)), ("Owner", str(said["owner"]))]
    else:
        what = "everything" if said["target"] == "*" else said["target"]
        head, facts = f"FROZEN: {what}, by {said['by']}", [("Reason", str(said["reason"]))]
    return Notice(
        notice_id=notice_id,
        occasion=ALARM,
        request_id=f"entry {held.seq}",
        at=int(now.timestamp()),
        headline=clean(head),
        facts=tuple((name, cut(clean(text), _INTENT)) for name, text in facts),
        how=how,
    )


def _facts(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a person weighs first; the agent's own words last, and marked as such."""
    plan, quorum = said["plan"], said["quorum"]
    lost = sorted({name for j in said["judgements"] if Effect.DESTRUCTIVE in j["effects"] for name in j["objects"]})
    if lost:
        yield "Destroys", ", ".join(lost[:_NAMES]) + (f" and {len(lost) - _NAMES} more" if len(lost) > _NAMES else "")
    yield "Effects", _effects(said)
    yield "Rows concerned", f"{sum(said['rows'].values()):,}"
    if plan:
        yield "Way back", "there is one" if plan["reverse"]["available"] else "NONE"
        yield "Revisions", f"{plan['from_revision'] or 'base'} to {plan['to_revision'] or 'base'}"
    yield "Needs", f"{quorum['count']} of {' and '.join(quorum['groups']) or 'the enrolled reviewers'}"
    yield "Expires", said["expires_at"]
    yield "Asked by", f"{said['principal']}{on_behalf(said)} for workflow {said['workflow']}, owned by {said['owner']}"
    yield "The agent says", cut(said["intent"], _INTENT)


def _effects(said: Mapping[str, Any]) -> str:
    return ", ".join(effect for effect in said["effects"] if effect != "read") or "none"
