"""What do the entries of one apply say, in the order in which a person asks?

It is told from the entries and from nothing else, so whoever checks a file tells it again and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcp_migrate.ledger import Event, Kind

_DECIDED = {Kind.APPROVAL_DECIDED, Kind.APPROVAL_REOPENED, Kind.APPROVAL_BROKEN}
_BIG = frozenset({"after", "statements"})
_CALL = ("tool", "target", "principal", "caller", "owner", "intent", "ticket", "client", "protocol")
_PLAN = ("dialect", "from_revision", "to_revision", "base_fingerprint", "expected_fingerprint", "doubts", "cage")
_REQUEST = ("request_id", "tool", "principal", "owner", "planners", "demands", "quorum", "rows", "keys", "expires_at")
_STATE = ("revision", "fingerprint", "read_by")
_OUTCOME = ("status", "revision", "fingerprint", "code", "sentence", "checks_failed", "recovered")


def tell(entries: Sequence[Event], apply_id: str) -> dict[str, Any]:
    """Who wanted what and why, who agreed, what ran and what came of it."""
    started = _one(entries, Kind.STEP_STARTED, apply_id)
    call = next(each for each in entries if each.kind == Kind.CALL_RECEIVED and each.call_id == started.call_id)
    body = started.body
    return {
        "apply_id": apply_id,
        "workflow": started.workflow,
        **_picked(call.body, _CALL),
        "asked_at": call.at,
        "started_at": started.at,
        "allowed_by": {name: body.get(name) for name in ("scope", "rule", "covered_by", "automatic", "broken_glass")},
        "planned": next(_planned(entries, body["plan_id"]), None),
        "plan": _plan(body["plan"]),
        "requests": [_request(each) for each in entries if each.kind == Kind.APPROVAL_REQUESTED],
        "decisions": [_decision(each) for each in entries if each.kind in _DECIDED],
        "statements": list(_statements(entries, started)),
        "outcome": _outcome(entries, apply_id),
        **_left(entries, apply_id),
        "rollbacks": list(_rollbacks(entries, apply_id)),
    }


def _one(entries: Sequence[Event], kind: Kind, subject: str) -> Event:
    [event] = [each for each in entries if each.kind == kind and each.subject == subject]
    return event


def _picked(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """All of these, so that whoever shows them finds each; older entries lack some."""
    return {name: body.get(name) for name in names}


def _planned(entries: Sequence[Event], plan_id: str | None) -> Iterator[dict[str, Any]]:
    for frozen in entries:
        if frozen.kind == Kind.PLAN_FROZEN and frozen.subject == plan_id:
            calls = [each for each in entries if each.kind == Kind.CALL_RECEIVED and each.call_id == frozen.call_id]
            rehearsal = frozen.body.get("rehearsal")
            yield {
                "at": frozen.at,
                "plan_id": plan_id,
                "digest": frozen.body["digest"],
                "principal": frozen.body["principal"],
                "intent": calls[0].body["intent"] if calls else None,
                "rehearsal": {k: v for k, v in rehearsal.items() if k not in _BIG} if rehearsal else None,
            }


def _plan(plan: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    reverse = plan["reverse"]
    back = {"available": reverse["available"], "why_not": reverse["why_not"], "statements": len(reverse["statements"])}
    return {**_picked(plan, _PLAN), "way_back": back}


def _request(event: Event) -> dict[str, Any]:
    return {"seq": event.seq, "at": event.at, **_picked(event.body, _REQUEST)}


def _decision(event: Event) -> dict[str, Any]:
    said = event.body["statement"]
    return {
        "seq": event.seq,
        "at": event.at,
        "request_id": event.subject,
        **_picked(said, ("reviewer", "decision", "key", "reason", "decided_at", "ledger")),
    }


def _statements(entries: Sequence[Event], started: Event) -> Iterator[dict[str, Any]]:
    """Each statement of the plan; those outside of transactions have times of their own."""
    mine = [each for each in entries if each.subject == started.subject]
    began = {each.body["n"]: each.at for each in mine if each.kind == Kind.STATEMENT_STARTED}
    ended = {each.body["n"]: each for each in mine if each.kind == Kind.STATEMENT_FINISHED}
    for statement in (started.body["plan"] or {"statements": ()})["statements"]:
        answer = ended.get(statement["n"])
        yield {
            **_picked(statement, ("n", "revision", "kind", "sql", "parameters", "transactional")),
            "started_at": began.get(statement["n"]),
            "finished_at": answer.at if answer else None,
            "status": answer.body["status"] if answer else None,
        }


def _outcome(entries: Sequence[Event], apply_id: str) -> dict[str, Any] | None:
    """The first that was recorded; None where nobody knows yet."""
    ended = [each for each in entries if each.kind == Kind.STEP_FINISHED and each.subject == apply_id]
    return {"at": ended[0].at, **_picked(ended[0].body, _OUTCOME)} if ended else None


def _left(entries: Sequence[Event], apply_id: str) -> dict[str, Any]:
    """What the target was seen to be when it committed; files from before states were recorded tell nothing of it."""
    seen = [each for each in entries if each.kind == Kind.SCHEMA_SEEN and each.subject == apply_id]
    if not seen:
        return {}
    return {"left": {"seq": seen[0].seq, "objects": len(seen[0].body["objects"]), **_picked(seen[0].body, _STATE)}}


def _rollbacks(entries: Sequence[Event], apply_id: str) -> Iterator[dict[str, Any]]:
    for each in entries:
        if each.kind == Kind.STEP_STARTED and each.subject != apply_id:
            yield {
                "apply_id": each.subject,
                "at": each.at,
                **_picked(each.body, ("principal", "intent", "reviewers", "automatic")),
                "outcome": _outcome(entries, str(each.subject)),
                **_left(entries, str(each.subject)),
            }
