"""Did enough people sign exactly this?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.binding import FORMAT, asked_about, asked_now, counts, known_when_asked, still_fits
from mcp_migrate.approvals.breaking import Broken, review
from mcp_migrate.approvals.covering import beyond_made, covered_until, covering, is_way_back
from mcp_migrate.approvals.demands import as_strict, narrower, quorum, told
from mcp_migrate.approvals.denials import refuse_denied
from mcp_migrate.approvals.limits import refuse_too_many
from mcp_migrate.approvals.reach import too_few
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.approvals.standing import short_of, standing, status_of
from mcp_migrate.errors import InvalidArgumentsError, LockedError, NotPermittedError, PlanStaleError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import (
    Approved,
    Automatic,
    Call,
    Classified,
    Effect,
    Pending,
    Permitted,
    Quorum,
    TooFew,
    canonical,
    digest,
)
from mcp_migrate.schema.dependents import dependents
from mcp_migrate.schema.neighbourhood import neighbourhood
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision

_STAYS = frozenset({Effect.READ, Effect.ADDITIVE, Effect.DATA})
_DEPENDENTS = 100
"""Told in one request; a table that more rely on is known to be one."""


def approve(permitted: Permitted, settings: Settings, ledger: Ledger, *, now: datetime) -> Approved | Pending:
    """Look for enough valid decisions over exactly this request.

    Raises:
        ApprovalDeniedError: a reviewer said no to this change, in this plan or another.
        TooManyRequestsError: enough questions of this workflow wait already.
    """
    about = asked_about(permitted, settings)
    refuse_denied(about, settings, ledger)
    asked = quorum(permitted.classified, settings)
    if asked is None:
        return Approved(permitted, None, (), ())
    if (held := covering(permitted, asked, settings, ledger, now=now)) is not None:
        return Approved(permitted, None, held.reviewers, (held.name,), covered=held.covered)
    request_id, request, outgrown = _request(permitted, about, asked, settings, ledger, now=now)
    if request is None:
        workflow = permitted.classified.prepared.granted.workflow
        refuse_too_many(workflow, settings, ledger, now=now, replaced=outgrown)
        expires = now + timedelta(seconds=asked.expires_seconds)
        about |= known_when_asked(permitted, settings, ledger)
        few = too_few({**about, "quorum": asked.told()}, settings, ledger)
        return Pending(
            permitted, request_id, expires, asked, asked.count, fresh=True, about=about, too_few=few, replaces=outgrown
        )
    asks = asked_now(request.body, permitted.classified.prepared.granted.call, settings)
    if (glass := _broken(request, asks, asked, settings, ledger, now=now)) is not None:
        question = review(request, glass, known_when_asked(permitted, settings, ledger), now=now)
        return Approved(permitted, request_id, (glass.by,), tuple(e.nonce for e in glass.signatures), question)
    approvals = tuple(_approvals(request, asks, asked, settings, ledger, now=now))
    usable = tuple(each for each in approvals if each.begins <= now)
    if short_of(asked.by_group, usable):
        expires, missing = datetime.fromisoformat(request.body["expires_at"]), short_of(asked.by_group, approvals)
        not_before = None if missing else _enough_from(approvals, asked)
        few = _too_few(request, asks, settings, ledger) if missing else ()
        still = Pending(permitted, request_id, expires, asked, missing, fresh=False, not_before=not_before)
        return replace(still, too_few=few)
    names, nonces = tuple(e.reviewer for e in usable), tuple(e.nonce for e in usable)
    return Approved(permitted, request_id, names, nonces, covers_until=covered_until(usable))


def _too_few(request: Event, asks: Mapping[str, Any], settings: Settings, ledger: Ledger) -> tuple[TooFew, ...]:
    """Whether more people are asked than could approve `asks`, of those who have not said no to the request."""
    against = {denial.reviewer for denial in standing(request, ledger, settings).denials}
    return too_few(asks, settings, ledger, against=against)


def _outgrown(request: Event, permitted: Permitted, asked: Quorum, settings: Settings, ledger: Ledger) -> bool:
    """Whether too few can ever approve it, and enough could a new one, for which keys count that were let in since.

    Who said no is in neither: to ask anew gets nobody past them.
    """
    if not _too_few(request, request.body, settings, ledger):
        return False
    anew = {**asked_about(permitted, settings), **known_when_asked(permitted, settings, ledger)}
    return not _too_few(request, {**anew, "quorum": asked.told()}, settings, ledger)


def keep_room(pending: Pending, settings: Settings, ledger: Ledger) -> None:
    """Hold a question that is on the record against those that came before it, from whichever server.

    Raises:
        TooManyRequestsError: there is no room for it.
    """
    granted = pending.permitted.classified.prepared.granted
    refuse_too_many(granted.workflow, settings, ledger, now=granted.call.at, mine=pending.request_id)


def take_back(approved: Approved, permitted: Permitted, automatic: Automatic) -> Approved:
    """The way back of what was approved, as far as it is the one that was frozen, shown and signed with it.

    Raises:
        PlanStaleError: it is another one.
        NotPermittedError: nobody signed, and it does more than take away what the apply made.
    """
    plan, applied = permitted.classified.prepared.plan, approved.prepared.plan
    if plan is None or applied is None or not is_way_back(plan, applied):
        raise PlanStaleError(
            "The way back would not be the one that was approved with the apply.",
            hint="Call migration_rollback, which asks people.",
        )
    if not approved.reviewers:
        _refuse_unsigned(beyond_made(permitted.classified, approved.prepared.schema))
    return Approved(permitted, None, approved.reviewers, (), automatic=automatic)


def _refuse_unsigned(objects: Sequence[str]) -> None:
    if objects:
        raise NotPermittedError(
            f"Nobody signed for the apply, and its way back changes what was there before: {', '.join(objects[:5])}.",
            hint="Call migration_rollback, which asks people.",
            objects=list(objects),
        )


def _broken(
    request: Event, asks: Mapping[str, Any], asked: Quorum, settings: Settings, ledger: Ledger, *, now: datetime
) -> Broken | None:
    """Whether a named person acts alone, now and as strongly as policy asks of anybody."""
    glass = standing(request, ledger, settings).glass
    if glass is None or not glass.satisfies(asked):
        return None
    if not all(counts(each.reviewer, asks, settings, reviewers(settings, ledger)) for each in glass.signatures):
        return None
    begins, late = max(each.begins for each in glass.signatures), ledger.no_earlier(now, since=request)
    return glass if begins <= now and late <= glass.ends else None


def _enough_from(approvals: Sequence[Decision], asked: Quorum) -> datetime:
    """When the last of the signatures that are needed begins."""
    begins = sorted(each.begins for each in approvals)
    return next(at for at in begins if not short_of(asked.by_group, [e for e in approvals if e.begins <= at]))


def canary(permitted: Permitted, settings: Settings, ledger: Ledger, *, now: datetime) -> Pending:
    """A question like any other, under an id that no call ever looks for."""
    asked = quorum(permitted.classified, settings)
    if asked is None:
        raise InvalidArgumentsError("Nobody would be asked this.", hint="Name a table that policy protects.")
    about = asked_about(permitted, settings) | known_when_asked(permitted, settings, ledger)
    call_id = permitted.classified.prepared.granted.call.call_id
    request_id = "req_" + digest(["canary", about, call_id]).removeprefix("sha256:")[:20]
    expires = now + timedelta(seconds=asked.expires_seconds)
    few = too_few({**about, "quorum": asked.told()}, settings, ledger)
    return Pending(permitted, request_id, expires, asked, asked.count, fresh=True, about=about, too_few=few)


def request_body(pending: Pending) -> Mapping[str, Any]:
    """The question put to people: every part of it is under their signature."""
    asked, plan = pending.quorum, pending.permitted.classified.prepared.plan
    return {
        "format": FORMAT,
        "request_id": pending.request_id,
        "intent": pending.permitted.classified.prepared.granted.call.intent,
        "ticket": pending.permitted.classified.prepared.granted.call.ticket,
        **_handed_on(pending.permitted.classified.prepared.granted.call),
        "rows": dict(pending.permitted.classified.rows),
        "rehearsal": plan.rehearsal.told() if plan and plan.rehearsal else None,
        **({"untried": plan.untried} if plan and plan.untried else {}),
        "quorum": asked.told(),
        **({"too_few": [each.told() for each in pending.too_few]} if pending.too_few else {}),
        "demands": told(asked),
        "narrower": narrower(asked.demands, pending.permitted.classified),
        **_around(pending.permitted.classified),
        "expires_at": pending.expires_at.isoformat(),
        "execute_seconds": asked.execute_seconds,
        **pending.about,
    }


def _handed_on(call: Call) -> Mapping[str, Any]:
    """By which grants the call is made, where it is."""
    return {"grants": [grant.told() for grant in call.caller.grants]} if call.caller.grants else {}


def _around(classified: Classified) -> Mapping[str, list[Any]]:
    """What else uses the objects that do not stay as they are, and the tables around all that is concerned."""
    schema = classified.prepared.schema
    if schema is None:
        return {"dependents": [], "neighbourhood": []}
    changed = (judged for judged in classified.judgements if judged.effects - _STAYS)
    objects = (name for judged in changed for name in judged.objects)
    return {
        "dependents": [each.told() for each in islice(dependents(schema, objects), _DEPENDENTS)],
        "neighbourhood": neighbourhood(schema, classified.objects),
    }


def _request(
    permitted: Permitted,
    about: Mapping[str, Any],
    asked: Quorum,
    settings: Settings,
    ledger: Ledger,
    *,
    now: datetime,
) -> tuple[str, Event | None, tuple[str, ...]]:
    """The request about exactly this that has neither expired nor ended, or the id a new one gets and what it replaces.

    Ids are counted up from the digest of what is asked, so two servers that ask at once ask the same question.
    """
    outgrown: list[str] = []
    latest, as_stored = now + timedelta(seconds=asked.expires_seconds), json.loads(canonical(about))
    for attempt in count():
        request_id = "req_" + digest([about, attempt]).removeprefix("sha256:")[:20]
        events = ledger.find(Kind.APPROVAL_REQUESTED, request_id)
        if not events:
            return request_id, None, tuple(outgrown)
        request = events[0]
        same = {key: request.body.get(key) for key in about} == as_stored
        fits = same and still_fits(request.body["rows"], permitted.classified.rows)
        if not fits or not as_strict(request.body["quorum"], asked):
            continue
        if ledger.find(Kind.APPROVAL_CANARY, request_id):
            continue
        _not_running(request_id, ledger)
        status = status_of(request, ledger, settings, now=now)
        if status == "pending" and _outgrown(request, permitted, asked, settings, ledger):
            outgrown.append(request_id)
            continue
        if status in {"pending", "approved"} and datetime.fromisoformat(request.body["expires_at"]) <= latest:
            return request_id, request, ()
    raise AssertionError("count() ended")


def _not_running(request_id: str, ledger: Ledger) -> None:
    """What was approved may be running for another call right now: nobody is asked anew before it ended."""
    for used in ledger.find(Kind.APPROVAL_CONSUMED, request_id):
        apply_id = str(used.body["apply_id"])
        if not ledger.find(Kind.STEP_FINISHED, apply_id):
            raise LockedError(
                f"What {request_id} approved is running now, as {apply_id}.",
                hint="Nothing ran for this call. Make the same call again in a moment.",
                apply_id=apply_id,
            )


def _approvals(
    request: Event, asks: Mapping[str, Any], asked: Quorum, settings: Settings, ledger: Ledger, *, now: datetime
) -> Iterator[Decision]:
    """The valid approvals that count towards `asked`, each of another person and another key, none of who `asks`."""
    approvals = standing(request, ledger, settings).approvals
    if not approvals:
        return
    from mcp_migrate.signers.decisions import lacking  # cryptography loads when there is a decision to check

    seen, roster = set[str](), reviewers(settings, ledger)
    longest, late = timedelta(seconds=asked.execute_seconds), ledger.no_earlier(now, since=request)
    for decision in approvals:
        # Held against the policy of now as well: it may have become stricter since the request was made.
        short = lacking(decision, asked.groups, asked.assurance)
        over = late > min(decision.ends, decision.begins + longest)
        used = ledger.find(Kind.APPROVAL_CONSUMED, decision.nonce)
        mine = {decision.reviewer, decision.key} & seen or not counts(decision.reviewer, asks, settings, roster)
        if short is None and not over and not used and not mine:
            seen |= {decision.reviewer, decision.key}
            yield decision
