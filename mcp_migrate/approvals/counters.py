"""Has an authenticator signed more often than its last decision says? One that was copied falls behind the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.errors import ApprovalInvalidError, SelfApprovalError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.settings import Settings

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Decision

_LOOKED_AT = 50
"""Decisions by one key that are looked through for the last that holds: a forged one counts for nothing here."""


def refuse_copied(held: Decision, settings: Settings, ledger: Ledger) -> None:
    """Refuse a decision whose authenticator counts no further than before.

    Raises:
        ApprovalInvalidError: its counter is not above that of the last decision by this key, or of its enrolment.
    """
    if held.counter is None:
        return
    before = max(held.enrolled_counter, _last(held.key, settings, ledger))
    if (held.counter or before) and held.counter <= before:
        raise ApprovalInvalidError(
            f"The authenticator of {held.reviewer} counted {held.counter}, after {before}: there may be a copy of it.",
            hint="Do not use this key any more; take it out with `mcp-migrate reviewers remove`.",
        )


def _last(key: str, settings: Settings, ledger: Ledger) -> int:
    from mcp_migrate.signers.decisions import check

    roster = reviewers(settings, ledger)

    for event in ledger.last(Kind.APPROVAL_DECIDED, limit=_LOOKED_AT, where={("statement", "key"): key}):
        for request in ledger.find(Kind.APPROVAL_REQUESTED, str(event.subject))[:1]:
            try:
                return check(event.body, request.body, settings, roster).counter or 0
            except (ApprovalInvalidError, SelfApprovalError):
                continue
    return 0
