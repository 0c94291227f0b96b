"""How does a person's decision get on the record? The one way for the command line and the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.standing import Status, standing
from mcp_migrate.errors import ApprovalDeniedError, ApprovalExpiredError, ApprovalInvalidError, SelfApprovalError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision, Verdict


def refuse_ended(status: Status) -> None:
    """Refuse to decide where nothing is left to decide. Raises: ApprovalExpired-, -Denied-, -InvalidError."""
    if status == "expired":
        raise ApprovalExpiredError("This request has expired.", hint="The agent has to ask again.")
    if status == "denied":
        raise ApprovalDeniedError("This request was denied; that stands.", hint="`approvals reopen` lifts a denial.")
    if status in {"used", "withdrawn"}:
        how = "approved and used" if status == "used" else "withdrawn by the one who asked"
        raise ApprovalInvalidError(f"This request was {how}.", hint="Nothing is left to decide.")


def draft(
    request: Event,
    verdict: Verdict,
    *,
    reviewer: str,
    key: str,
    ledger: Ledger,
    now: datetime,
    nonce: str,
    reason: str | None = None,
    lifts: Iterable[str] = (),
) -> dict[str, Any]:
    """The statement that `reviewer` is asked to sign with the key of this fingerprint, at the ledger's head of now."""
    from mcp_migrate.signers.decisions import statement

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

    refuse_ended(standing(request, ledger, settings).status(now))
    held = check(decision, request.body, settings)
    _append(Kind.APPROVAL_DECIDED, decision, request, ledger, now)
    return held


def reopen(
    decision: Mapping[str, Any], request: Event, settings: Settings, ledger: Ledger, *, now: datetime
) -> Decision:
    """Lift the denials of a request with a signed decision: what it asked for may be asked again, as a new request.

    Raises:
        ApprovalInvalidError, SelfApprovalError: it does not hold, or lifts nothing.
    """
    from mcp_migrate.signers.decisions import check_reopening

    held = check_reopening(decision, request.body, settings)
    if not {denial.nonce for denial in standing(request, ledger, settings).binding} & set(held.lifts):
        raise ApprovalInvalidError("It lifts no denial that holds.", hint="`approvals show` lists the decisions.")
    _append(Kind.APPROVAL_REOPENED, decision, request, ledger, now)
    return held


def withdraw(request: Event, principal: str, reason: str, settings: Settings, ledger: Ledger, *, now: datetime) -> None:
    """Take back a question that nobody has answered to the end.

    Raises:
        SelfApprovalError: somebody else asked it.
        ApprovalExpiredError, ApprovalDeniedError, ApprovalInvalidError: it has ended already.
    """
    if principal != request.body["principal"]:
        raise SelfApprovalError(
            f"{principal} did not ask this; {request.body['principal']} did.",
            hint="Reviewers deny, they do not withdraw.",
        )
    refuse_ended(standing(request, ledger, settings).status(now))
    body = {"request_id": request.body["request_id"], "principal": principal, "reason": reason}
    _append(Kind.APPROVAL_WITHDRAWN, body, request, ledger, now)


def _append(kind: Kind, body: Mapping[str, Any], request: Event, ledger: Ledger, now: datetime) -> None:
    ledger.append(Draft(kind, body, workflow=request.workflow, subject=request.body["request_id"]), at=now)
