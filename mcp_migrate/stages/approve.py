"""Did enough people sign exactly this?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from mcp_migrate.errors import ApprovalDeniedError, ApprovalInvalidError, SelfApprovalError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import (
    ALWAYS_APPROVED,
    Approved,
    Assurance,
    Classified,
    Pending,
    Permitted,
    Quorum,
    canonical,
    digest,
)
from mcp_migrate.settings import ApprovalRule, Settings, matches

_STRENGTH = (Assurance.SOFTWARE, Assurance.PRESENCE, Assurance.VERIFIED)
_FLOOR = Quorum(1, frozenset(), 4 * 3600.0, Assurance.SOFTWARE, frozenset({"requester"}), ("built-in",))


def quorum(classified: Classified, settings: Settings) -> Quorum | None:
    """What policy asks for: the strictest part of each rule that matches, never less than the built-in floor."""
    plan = classified.prepared.plan
    demands = [
        _demand(index, rule) for index, rule in enumerate(settings.approvals) if _applies(rule, classified, settings)
    ]
    no_way_back = plan is not None and plan.statements and not plan.reverse.available
    if not demands and (classified.effects & ALWAYS_APPROVED or no_way_back):
        return _FLOOR
    return _strictest(demands) if demands else None


def approve(permitted: Permitted, settings: Settings, ledger: Ledger, *, now: datetime) -> Approved | Pending:
    """Look for enough valid decisions over exactly this request.

    Raises:
        ApprovalDeniedError: a reviewer said no to exactly this.
    """
    asked = quorum(permitted.classified, settings)
    if asked is None:
        return Approved(permitted, None, (), ())
    request_id, request = _request(permitted, asked, ledger, now=now)
    if request is None:
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


def _request(permitted: Permitted, asked: Quorum, ledger: Ledger, *, now: datetime) -> tuple[str, Event | None]:
    """The request about exactly this that is neither expired nor consumed, or the id a new one gets.

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
        if not same or ledger.find(Kind.APPROVAL_CONSUMED, request_id):
            continue
        if now < datetime.fromisoformat(request.body["expires_at"]) <= latest:
            return request_id, request
    raise AssertionError("count() ended")


def _approvals(request: Event, asked: Quorum, settings: Settings, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """(reviewer, nonce) of each distinct person and key whose valid approval counts towards `asked`."""
    from mcp_migrate.signers.decisions import check, lacking  # cryptography loads when there is a decision to check

    seen: set[str] = set()
    for event in ledger.find(Kind.APPROVAL_DECIDED, request.body["request_id"]):
        try:
            decision = check(event.body, request.body, settings)
        except (ApprovalInvalidError, SelfApprovalError):
            continue  # a decision that does not hold decides nothing; `approvals show` says why
        if decision.verdict == "deny":
            raise ApprovalDeniedError(
                f"{decision.reviewer} denied this request: {decision.reason or 'no reason given'}.",
                hint="Do not ask again for the same change; plan one that avoids what was refused.",
                request_id=request.body["request_id"],
                reviewer=decision.reviewer,
            )
        # Held against the policy of now as well: it may have become stricter since the request was made.
        short = lacking(decision, settings, asked.groups, asked.assurance)
        used = ledger.find(Kind.APPROVAL_CONSUMED, decision.nonce)
        if short is None and not used and not {decision.reviewer, decision.key} & seen:
            seen |= {decision.reviewer, decision.key}
            yield decision.reviewer, decision.nonce


def _applies(rule: ApprovalRule, classified: Classified, settings: Settings) -> bool:
    call, when = classified.prepared.granted.call, rule.when
    tier = settings.target(call.target).tier if call.target else None
    return (
        (when.effects is None or bool(classified.effects & set(when.effects)))
        and (when.tools is None or matches(call.tool, when.tools))
        and (when.tier is None or when.tier == tier)
        and (when.targets is None or (call.target is not None and matches(call.target, when.targets)))
    )


def _demand(index: int, rule: ApprovalRule) -> Quorum:
    asked = rule.require
    return Quorum(
        count=asked.count,
        groups=frozenset() if asked.from_ == "*" else frozenset({asked.from_}),
        expires_seconds=asked.expires.total_seconds(),
        assurance=Assurance.PRESENCE if asked.assurance == "hardware" else Assurance(asked.assurance),
        never=frozenset(asked.never) | {"requester"},
        rules=(f"approvals[{index}]",),
    )


def _strictest(demands: list[Quorum]) -> Quorum:
    return Quorum(
        count=max(d.count for d in demands),
        groups=frozenset().union(*(d.groups for d in demands)),
        expires_seconds=min(d.expires_seconds for d in demands),
        assurance=max((d.assurance for d in demands), key=_STRENGTH.index),
        never=frozenset().union(*(d.never for d in demands)),
        rules=tuple(rule for d in demands for rule in d.rules),
    )


def needed(pending: Pending) -> Mapping[str, Any]:
    """The result of a call that waits for people: what they are asked, until when, and what to do meanwhile."""
    classified, asked = pending.permitted.classified, pending.quorum
    missing = asked.count - pending.approvals
    who = " and ".join(sorted(asked.groups)) or "the enrolled reviewers"
    return {
        "status": "approval_required",
        "request_id": pending.request_id,
        "review_url": None,
        "review_command": f"mcp-migrate approvals show {pending.request_id}",
        "expires_at": pending.expires_at.isoformat(),
        "needs": {
            "approvals": missing,
            "from": who,
            "assurance": asked.assurance,
            "rules": list(asked.rules),
        },
        "effects": sorted(classified.effects),
        "rows": dict(classified.rows),
        "next": {
            "action": "await_approval",
            "hint": f"Tell the person you work for that {who} must run `mcp-migrate approvals show "
            f"{pending.request_id}` and decide; you cannot. Then make this same call again.",
        },
    }
