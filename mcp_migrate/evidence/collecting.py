"""Which entries tell of one apply: what was asked, planned, decided and done, and who could decide then?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.errors import ApplyNotFoundError
from mcp_migrate.ledger import Event, Kind, Ledger

_OF_APPLY = (
    Kind.STEP_STARTED,
    Kind.STATEMENT_STARTED,
    Kind.STATEMENT_FINISHED,
    Kind.STEP_FINISHED,
    Kind.SCHEMA_SEEN,
)
_OF_REQUEST = (
    Kind.APPROVAL_REQUESTED,
    Kind.APPROVAL_OPENED,
    Kind.APPROVAL_DECIDED,
    Kind.APPROVAL_REFUSED,
    Kind.APPROVAL_BROKEN,
    Kind.APPROVAL_REOPENED,
    Kind.APPROVAL_WITHDRAWN,
    Kind.APPROVAL_CONSUMED,
)
_SIGNED = frozenset({Kind.APPROVAL_DECIDED, Kind.APPROVAL_REOPENED, Kind.APPROVAL_BROKEN})
_CONFIGURATIONS, _ROLLBACKS, _WINDOW = 10_000, 100, 500


def collect(ledger: Ledger, apply_id: str) -> tuple[Event, ...]:
    """The entries that tell of an apply, in their order.

    Raises:
        ApplyNotFoundError: the ledger knows no such apply.
    """
    [*found] = ledger.find(Kind.STEP_STARTED, apply_id)
    if not found:
        raise ApplyNotFoundError(
            f"The ledger knows no apply {apply_id}.", hint="`mcp-migrate ledger tail` shows them, as step.started."
        )
    started = found[0]
    mine = [*_about(ledger, _OF_APPLY, apply_id), *_call_of(ledger, started), *_planned(ledger, started)]
    for request_id in _requests(ledger, started):
        mine += _about(ledger, _OF_REQUEST, request_id)
    mine += _keys(ledger, mine)
    mine += _rollbacks(ledger, apply_id)
    return tuple({event.seq: event for event in sorted(mine, key=lambda each: each.seq)}.values())


def _about(ledger: Ledger, kinds: Iterable[Kind], subject: str) -> Iterator[Event]:
    for kind in kinds:
        yield from ledger.find(kind, subject)


def _call_of(ledger: Ledger, event: Event) -> Iterator[Event]:
    """The call that led to an entry: it was received shortly before, so it is looked for from there backwards."""
    until = event.seq
    while until > 0:
        since = max(0, until - _WINDOW)
        for each in reversed(ledger.read(since=since, kind=Kind.CALL_RECEIVED, limit=_WINDOW)):
            if each.call_id == event.call_id:
                yield each
                return
        until = since


def _planned(ledger: Ledger, started: Event) -> Iterator[Event]:
    plan_id = started.body["plan_id"]
    frozen = [each for each in ledger.find(Kind.PLAN_FROZEN, plan_id) if each.seq < started.seq] if plan_id else []
    for event in frozen[-1:]:
        yield event
        yield from _call_of(ledger, event)
    yield from [each for each in ledger.find(Kind.SEAL_PLACED, plan_id) if each.seq < started.seq] if plan_id else ()


def _requests(ledger: Ledger, started: Event) -> Iterator[str]:
    """The requests that allow it: its own, the one that covers a rollback, and the review of who acted alone."""
    body: Mapping[str, Any] = started.body
    of_origin = ledger.find(Kind.STEP_STARTED, body["automatic"]["apply_id"]) if body.get("automatic") else ()
    named = [body["request_id"], (body.get("covered_by") or {}).get("request_id")]
    yield from dict.fromkeys(each for each in (*named, *(origin.body["request_id"] for origin in of_origin)) if each)
    if body.get("broken_glass"):
        for review in ledger.read(since=started.seq, kind=Kind.APPROVAL_REQUESTED, limit=1):
            yield str(review.subject)


def _keys(ledger: Ledger, entries: Iterable[Event]) -> Iterator[Event]:
    """Who could sign then: the configuration that held at each request and decision, and how signers were let in."""
    loaded = ledger.read(kind=Kind.CONFIG_LOADED, limit=_CONFIGURATIONS)
    for event in entries:
        if event.kind in {*_SIGNED, Kind.APPROVAL_REQUESTED}:
            yield from [each for each in loaded if each.seq < event.seq][-1:]
        if event.kind in _SIGNED:
            reviewer = str(event.body["statement"]["reviewer"])
            let_in = ledger.find(Kind.REVIEWER_ENROLLED, reviewer)
            yield from (each for each in let_in if each.seq < event.seq)
            yield from ledger.find(Kind.APPROVAL_CONSUMED, str(event.body["statement"]["nonce"]))


def _rollbacks(ledger: Ledger, apply_id: str) -> Iterator[Event]:
    """What took it back, or tried to: asked for by its id, or done by the server itself."""
    asked = ledger.last(
        Kind.CALL_RECEIVED,
        where={("arguments", "apply_id"): apply_id, "tool": "migration_rollback"},
        limit=_ROLLBACKS,
    )
    began = [event for call in asked for event in ledger.find(Kind.STEP_STARTED, _apply_id(call))]
    began += ledger.last(Kind.STEP_STARTED, where={("automatic", "apply_id"): apply_id}, limit=_ROLLBACKS)
    for event in began:
        yield from _call_of(ledger, event)
        yield from _about(ledger, _OF_APPLY, str(event.subject))


def _apply_id(call: Event) -> str:
    return f"apply_{str(call.call_id).removeprefix('call_')}"
