"""How does a person's decision get on the record? The one way for the command line and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.counters import refuse_copied
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.approvals.standing import Status, refuse_other_ledger, standing, status_of
from mcp_migrate.errors import (
    ApprovalDeniedError,
    ApprovalExpiredError,
    ApprovalInvalidError,
    MigrateError,
    SelfApprovalError,
)
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision, Verdict
    from mcp_migrate.signers.interface import Key

_TOLD = ("decision", "reviewer", "key", "principal", "nonce")
_LONGEST = 200
"""What is recorded of an attempt, and how much of each: it may be anything."""


def refuse_ended(status: Status) -> None:
    """Refuse to decide where nothing is left to decide. Raises: ApprovalExpired-, -Denied-, -InvalidError."""
    if status == "expired":
        raise ApprovalExpiredError("This request has expired.", hint="The agent has to ask again.")
    if status == "denied":
        raise ApprovalDeniedError("This request was denied; that stands.", hint="`approvals reopen` lifts a denial.")
    if status in {"used", "withdrawn"}:
        how = "approved and used" if status == "used" else "withdrawn"
        raise ApprovalInvalidError(f"This request was {how}.", hint="Nothing is left to decide.")


def draft(
    request: Event,
    verdict: Verdict,
    *,
    reviewer: str,
    key: Key,
    ledger: Ledger,
    now: datetime,
    nonce: str,
    reason: str | None = None,
    lifts: Iterable[str] = (),
    not_before: datetime | None = None,
    rollback_for: timedelta | None = None,
) -> dict[str, Any]:
    """The statement that `reviewer` is asked to sign with this key, at the ledger's head of now.

    Raises:
        ApprovalInvalidError: it is to cover a rollback that cannot be approved beforehand, or for too long.
    """
    from mcp_migrate.signers.statements import statement

    if rollback_for is not None:
        _refuse_to_cover(request, rollback_for)
    head = ledger.head()
    return statement(
        request.body,
        verdict,
        reviewer=reviewer,
        key=key,
        at=now,
        nonce=nonce,
        head={"size": head.size, "root": head.root},
        reason=reason,
        lifts=lifts,
        not_before=not_before,
        rollback_for=rollback_for,
    )


def _refuse_to_cover(request: Event, rollback_for: timedelta) -> None:
    """Say so before somebody signs what would not count."""
    from mcp_migrate.signers.statements import LONGEST_COVER, uncoverable

    why_not = uncoverable(request.body)
    if why_not is None and rollback_for > LONGEST_COVER:
        why_not = f"{LONGEST_COVER.days} days are the longest"
    if why_not is not None:
        raise ApprovalInvalidError(
            f"The rollback cannot be approved with this: {why_not}.", hint="Approve the change alone."
        )


def decide(
    decision: Mapping[str, Any], request: Event, settings: Settings, ledger: Ledger, *, now: datetime
) -> Decision:
    """Hold a signed decision against its request and record it.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold.
        ApprovalExpiredError, ApprovalDeniedError: nothing is left to decide.
    """
    from mcp_migrate.signers.decisions import check

    with refusals_recorded(request, ledger, now, decision.get("statement")):
        refuse_ended(status_of(request, ledger, settings, now=now))
        refuse_other_ledger(decision, request, ledger)
        held = check(decision, request.body, settings, reviewers(settings, ledger))
        _refuse_replay(held.nonce, request, ledger)
        refuse_copied(held, settings, ledger)
    drafts = [_draft(Kind.APPROVAL_DECIDED, decision, request)]
    if is_canary(request, ledger) and held.verdict == "approve":
        body = {"request_id": request.body["request_id"], "reviewer": held.reviewer}
        drafts.append(_draft(Kind.APPROVAL_CANARY_APPROVED, body, request))
    ledger.append(*drafts, at=now)
    return held


def is_canary(request: Event, ledger: Ledger) -> bool:
    """Whether this question was made up to be denied. Told only to who has answered it."""
    return bool(ledger.find(Kind.APPROVAL_CANARY, request.body["request_id"]))


def opened(request: Event, reviewer: str, ledger: Ledger, *, shown_at: datetime, now: datetime) -> None:
    """Record that a reviewer is about to decide, and since when the request was before them, as their page says."""
    since = min(max(shown_at, datetime.fromisoformat(request.at)), now)
    body = {"request_id": request.body["request_id"], "reviewer": reviewer, "shown_at": since.isoformat()}
    _append(Kind.APPROVAL_OPENED, body, request, ledger, now)


def reopen(
    decision: Mapping[str, Any], request: Event, settings: Settings, ledger: Ledger, *, now: datetime
) -> Decision:
    """Lift the denials of a request with a signed decision: what it asked for may be asked again, as a new request.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold, or lifts nothing.
    """
    from mcp_migrate.signers.decisions import check_reopening

    with refusals_recorded(request, ledger, now, decision.get("statement")):
        refuse_other_ledger(decision, request, ledger)
        held = check_reopening(decision, request.body, settings, reviewers(settings, ledger))
        if not {denial.nonce for denial in standing(request, ledger, settings).binding} & set(held.lifts):
            raise ApprovalInvalidError("It lifts no denial that holds.", hint="`approvals show` lists the decisions.")
    _append(Kind.APPROVAL_REOPENED, decision, request, ledger, now)
    return held


def break_glass(
    decision: Mapping[str, Any], request: Event, settings: Settings, ledger: Ledger, *, now: datetime
) -> Decision:
    """Record one of the two signatures with which a named person acts alone.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold.
        ApprovalExpiredError, ApprovalDeniedError: nothing is left to decide.
    """
    from mcp_migrate.signers.decisions import check_breaking

    with refusals_recorded(request, ledger, now, decision.get("statement")):
        refuse_ended(status_of(request, ledger, settings, now=now))
        refuse_other_ledger(decision, request, ledger)
        held = check_breaking(decision, request.body, settings, reviewers(settings, ledger))
    _append(Kind.APPROVAL_BROKEN, decision, request, ledger, now)
    return held


def withdraw(request: Event, principal: str, reason: str, settings: Settings, ledger: Ledger, *, now: datetime) -> None:
    """Take back a question that nobody has answered to the end.

    Raises:
        SelfApprovalError: somebody else asked it.
        ApprovalExpiredError, ApprovalDeniedError, ApprovalInvalidError: it has ended already.
    """
    with refusals_recorded(request, ledger, now, {"decision": "withdraw", "principal": principal}):
        if principal != request.body["principal"]:
            raise SelfApprovalError(
                f"{principal} did not ask this; {request.body['principal']} did.",
                hint="Reviewers deny, they do not withdraw.",
            )
        refuse_ended(status_of(request, ledger, settings, now=now))
    body = {"request_id": request.body["request_id"], "principal": principal, "reason": reason}
    _append(Kind.APPROVAL_WITHDRAWN, body, request, ledger, now)


@contextmanager
def refusals_recorded(request: Event, ledger: Ledger, now: datetime, attempt: object) -> Iterator[None]:
    """Put on the record what somebody tried to decide, and why it did not count."""
    try:
        yield
    except MigrateError as error:
        said = {**attempt} if isinstance(attempt, Mapping) else {}
        tried = {name: str(said[name])[:_LONGEST] for name in _TOLD if said.get(name) is not None}
        body = {"request_id": request.body["request_id"], **tried, "code": error.code, "sentence": error.sentence}
        _append(Kind.APPROVAL_REFUSED, body, request, ledger, now)
        raise


def _refuse_replay(nonce: str, request: Event, ledger: Ledger) -> None:
    """One statement is one decision: its nonce stands on the record once."""
    known = ledger.find(Kind.APPROVAL_DECIDED, request.body["request_id"])
    if any((event.body.get("statement") or {}).get("nonce") == nonce for event in known):
        raise ApprovalInvalidError("This very decision is on the record already.", hint="Nothing is left to do.")


def _append(kind: Kind, body: Mapping[str, Any], request: Event, ledger: Ledger, now: datetime) -> None:
    ledger.append(_draft(kind, body, request), at=now)


def _draft(kind: Kind, body: Mapping[str, Any], request: Event) -> Draft:
    return Draft(kind, body, workflow=request.workflow, subject=request.body["request_id"])
