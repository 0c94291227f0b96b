"""Did enough people sign exactly this?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from mcp_migrate.approvals.demands import narrower, quorum, told
from mcp_migrate.approvals.denials import refuse_denied
from mcp_migrate.approvals.limits import refuse_too_many
from mcp_migrate.approvals.standing import standing
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import Approved, Pending, Permitted, Quorum, canonical, digest
from mcp_migrate.settings import Settings


def approve(permitted: Permitted, settings: Settings, ledger: Ledger, *, now: datetime) -> Approved | Pending:
    """Look for enough valid decisions over exactly this request.

    Raises:
        ApprovalDeniedError: a reviewer said no to this change, in this plan or another.
        TooManyRequestsError: enough questions of this workflow wait already.
    """
    refuse_denied(_asked_about(permitted), settings, ledger)
    asked = quorum(permitted.classified, settings)
    if asked is None:
        return Approved(permitted, None, (), ())
    request_id, request = _request(permitted, asked, settings, ledger, now=now)
    if request is None:
        refuse_too_many(permitted.classified.prepared.granted.workflow, settings, ledger, now=now)
        expires = now + timedelta(seconds=asked.expires_seconds)
        return Pending(permitted, request_id, expires, asked, approvals=0, fresh=True)
    approvals = tuple(_approvals(request, asked, settings, ledger))
    if len(approvals) < asked.count:
        expires = datetime.fromisoformat(request.body["expires_at"])
        return Pending(permitted, request_id, expires, asked, approvals=len(approvals), fresh=False)
    names, nonces = zip(*approvals, strict=True)
    return Approved(permitted, request_id, names, nonces)


def request_body(pending: Pending) -> Mapping[str, Any]:
    """The question put to people: every part of it is under their signature."""
    asked, plan = pending.quorum, pending.permitted.classified.prepared.plan
    return {
        "format": "mcp-migrate/request/1",
        "request_id": pending.request_id,
        "intent": pending.permitted.classified.prepared.granted.call.intent,
        "ticket": pending.permitted.classified.prepared.granted.call.ticket,
        "rows": dict(pending.permitted.classified.rows),
        "rehearsal": plan.rehearsal.told() if plan and plan.rehearsal else None,
        "quorum": {
            "count": asked.count,
            "groups": sorted(asked.groups),
            "assurance": asked.assurance,
            "never": sorted(asked.never),
            "rules": list(asked.rules),
        },
        "demands": told(asked),
        "narrower": narrower(asked.demands, pending.permitted.classified),
        "expires_at": pending.expires_at.isoformat(),
        **_asked_about(pending.permitted),
    }


def _asked_about(permitted: Permitted) -> dict[str, Any]:
    """The part of a request that says what would happen.

    A request that says anything else is about something else, whoever wrote it to the ledger and whatever its id.
    """
    classified = permitted.classified
    granted, plan = classified.prepared.granted, classified.prepared.plan
    return {
        "tool": granted.call.tool,
        "target": granted.call.target,
        "principal": granted.call.principal,
        "workflow": granted.workflow,
        "owner": granted.owner,
        "effects": sorted(classified.effects),
        "objects": list(classified.objects),
        "plan_digest": plan.digest if plan else None,
        "plan": plan.frozen() if plan else None,
        "subject": dict(classified.prepared.subject),
        "judgements": [judgement.told() for judgement in classified.judgements],
    }


def _request(
    permitted: Permitted, asked: Quorum, settings: Settings, ledger: Ledger, *, now: datetime
) -> tuple[str, Event | None]:
    """The request about exactly this that has neither expired nor ended, or the id a new one gets.

    Ids are counted up from the digest of what is asked, so two servers that ask at once ask the same question.
    """
    about = _asked_about(permitted)
    latest = now + timedelta(seconds=asked.expires_seconds)
    for attempt in count():
        request_id = "req_" + digest([about, attempt]).removeprefix("sha256:")[:20]
        events = ledger.find(Kind.APPROVAL_REQUESTED, request_id)
        if not events:
            return request_id, None
        request = events[0]
        same = {key: request.body.get(key) for key in about} == json.loads(canonical(about))
        if not same or standing(request, ledger, settings).ended:
            continue
        if now < datetime.fromisoformat(request.body["expires_at"]) <= latest:
            return request_id, request
    raise AssertionError("count() ended")


def _approvals(request: Event, asked: Quorum, settings: Settings, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """(reviewer, nonce) of each distinct person and key whose valid approval counts towards `asked`."""
    approvals = standing(request, ledger, settings).approvals
    if not approvals:
        return
    from mcp_migrate.signers.decisions import lacking  # cryptography loads when there is a decision to check

    seen: set[str] = set()
    for decision in approvals:
        # Held against the policy of now as well: it may have become stricter since the request was made.
        short = lacking(decision, settings, asked.groups, asked.assurance)
        used = ledger.find(Kind.APPROVAL_CONSUMED, decision.nonce)
        if short is None and not used and not {decision.reviewer, decision.key} & seen:
            seen |= {decision.reviewer, decision.key}
            yield decision.reviewer, decision.nonce


def needed(pending: Pending, review_url: str | None = None) -> Mapping[str, Any]:
    """The result of a call that waits for people: what they are asked, until when, and what to do meanwhile."""
    classified, asked = pending.permitted.classified, pending.quorum
    missing = asked.count - pending.approvals
    who = " and ".join(sorted(asked.groups)) or "the enrolled reviewers"
    return {
        "status": "approval_required",
        "request_id": pending.request_id,
        "review_url": review_url,
        "review_command": f"mcp-migrate approvals show {pending.request_id}",
        "expires_at": pending.expires_at.isoformat(),
        "needs": {
            "approvals": missing,
            "from": who,
            "assurance": asked.assurance,
            "rules": list(asked.rules),
            "because": told(asked),
            "narrower": narrower(asked.demands, classified),
        },
        "effects": sorted(classified.effects),
        "rows": dict(classified.rows),
        "next": {
            "action": "await_approval",
            "hint": f"Tell the person you work for that {who} must {_look(pending, review_url)} and decide; you "
            "cannot. Then make this same call again.",
        },
    }


def _look(pending: Pending, review_url: str | None) -> str:
    return f"open {review_url}" if review_url else f"run `mcp-migrate approvals show {pending.request_id}`"
