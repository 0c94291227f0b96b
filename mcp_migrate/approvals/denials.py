"""Was this change denied before, and has nobody reopened it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_migrate.approvals.changes import Change, changes_of
from mcp_migrate.approvals.known import known
from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import ApprovalDeniedError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.settings import Settings


def refuse_denied(asked: Mapping[str, Any], settings: Settings, ledger: Ledger) -> None:
    """Refuse what holds a change that a person denied on this target, as part of whatever plan and for whomever.

    Raises:
        ApprovalDeniedError: it does, and nobody has reopened it.
    """
    on_target = known(ledger).denied_on(asked["target"], ledger)
    denied = [each for each in on_target if not ledger.find(Kind.APPROVAL_CANARY, each.body["request_id"])]
    if not denied:
        return
    wanted = changes_of(asked)
    for request in denied:
        again = sorted({change.n for change in wanted for old in denied_changes(request.body) if change.repeats(old)})
        binding = standing(request, ledger, settings).binding if again else ()
        if binding:
            raise _refused(request, again, binding[0].reviewer, binding[0].reason)


def denied_changes(request: Mapping[str, Any]) -> tuple[Change, ...]:
    """What a denial of this request is about: the statements that made people decide, or all where it is the whole."""
    demands = request.get("demands") or ()
    whole = not demands or any(not demand["statements"] for demand in demands)
    return changes_of(request, among=() if whole else {n for demand in demands for n in demand["statements"]})


def _refused(request: Event, again: list[int], reviewer: str, reason: str | None) -> ApprovalDeniedError:
    request_id = request.body["request_id"]
    numbers = [n for n in again if n]
    which = f"statement {', '.join(map(str, numbers))} is" if numbers else "this is"
    return ApprovalDeniedError(
        f"{reviewer} denied {request_id} ({reason or 'no reason given'}), and {which} the same change.",
        hint="Plan a change without it. A person can reopen the question with "
        f"`mcp-migrate approvals reopen {request_id}`; you cannot.",
        request_id=request_id,
        reviewer=reviewer,
        statements=numbers,
    )
