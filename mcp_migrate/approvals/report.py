"""Do people still decide, or do they only click? Per rule and per reviewer, from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from mcp_migrate.approvals.standing import Standing, standing
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.ledger.times import made_since
from mcp_migrate.settings import Settings

HASTY = 10.0
"""Seconds in which nobody reads a request."""
_ENOUGH = 10
"""Requests of a rule before it is worth saying that nobody ever denies one."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One decision that holds. `seconds` since the question was put, `looked` since the reviewer opened its page."""

    reviewer: str
    verdict: str
    seconds: float
    looked: float | None
    canary: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, and what people said."""

    rules: tuple[str, ...]
    status: str
    voices: tuple[Voice, ...]
    canary: bool


def questions(settings: Settings, ledger: Ledger, *, since: datetime, now: datetime) -> Iterator[Asked]:
    """Each question since then."""
    for request in made_since(since, Kind.APPROVAL_REQUESTED, ledger):
        stands = standing(request, ledger, settings)
        canary = bool(ledger.find(Kind.APPROVAL_CANARY, request.body["request_id"]))
        rules = tuple(request.body["quorum"]["rules"])
        yield Asked(rules, stands.status(now), tuple(_voices(request, stands, ledger, canary=canary)), canary)


def _voices(request: Event, stands: Standing, ledger: Ledger, *, canary: bool) -> Iterator[Voice]:
    opened = ledger.find(Kind.APPROVAL_OPENED, request.body["request_id"])
    asked = datetime.fromisoformat(request.at)
    for weighed in stands.decisions:
        if weighed.held is not None:
            at = datetime.fromisoformat(weighed.event.at)
            mine = [
                datetime.fromisoformat(e.body["shown_at"])
                for e in opened
                if e.body["reviewer"] == weighed.held.reviewer
            ]
            looked = min(((at - first).total_seconds() for first in mine if first <= at), default=None)
            seconds = (at - asked).total_seconds()
            yield Voice(weighed.held.reviewer, weighed.held.verdict, seconds, looked, canary)


def report(asked: Iterable[Asked]) -> Mapping[str, Any]:
    """The figures, and the sentences that they give rise to."""
    known = tuple(asked)
    real = tuple(each for each in known if not each.canary)
    rules = {name: _rule([e for e in real if name in e.rules]) for name in sorted({n for e in real for n in e.rules})}
    voices = [voice for each in known for voice in each.voices]
    people = {who: _person([v for v in voices if v.reviewer == who]) for who in sorted({v.reviewer for v in voices})}
    return {"rules": rules, "reviewers": people, "notes": [*_of_rules(rules), *_of_people(people)]}


def _rule(asked: list[Asked]) -> dict[str, Any]:
    told = [voice for each in asked for voice in each.voices]
    ends = {"approved": ("approved", "used"), "denied": ("denied",), "expired": ("expired",)}
    counts = {name: sum(each.status in status for each in asked) for name, status in ends.items()}
    return {"requests": len(asked), **counts, "approve_rate": _rate(told), "median_seconds": _median(told)}


def _person(voices: list[Voice]) -> dict[str, Any]:
    real = [voice for voice in voices if not voice.canary]
    return {
        "decisions": len(real),
        "approve_rate": _rate(real),
        "median_seconds": _median(real),
        "hasty": sum((v.seconds if v.looked is None else v.looked) < HASTY for v in real),
        "opened_known": sum(v.looked is not None for v in real),
        "canaries_denied": sum(v.canary and v.verdict == "deny" for v in voices),
        "canaries_approved": sum(v.canary and v.verdict == "approve" for v in voices),
    }


def _of_rules(rules: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, told in rules.items():
        if told["approve_rate"] == 1 and told["requests"] >= _ENOUGH:
            yield f"{name}: nobody ever denied one of {told['requests']} requests. Does it have to ask?"
        if told["expired"] * 2 > told["requests"]:
            yield f"{name}: more than half of its requests expire. Are there enough reviewers?"


def _of_people(people: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, told in people.items():
        if told["hasty"]:
            yield f"{name}: {told['hasty']} of {told['decisions']} decisions within {HASTY:g} seconds."
        if told["canaries_approved"]:
            yield f"{name}: APPROVED {told['canaries_approved']} canaries."


def _rate(voices: Iterable[Voice]) -> float | None:
    verdicts = [voice.verdict == "approve" for voice in voices]
    return round(sum(verdicts) / len(verdicts), 2) if verdicts else None


def _median(voices: Iterable[Voice]) -> float | None:
    seconds = [voice.seconds for voice in voices]
    return round(median(seconds), 1) if seconds else None
