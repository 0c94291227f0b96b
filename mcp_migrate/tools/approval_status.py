"""Have people approved it?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, RequestNotFoundError, SelfApprovalError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.settings import Settings
from mcp_migrate.tools.interface import Workbench, answer

_POLL_SECONDS = 0.25


class ApprovalStatus:
    """Answers for requests of the caller's own workflow."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Look, and look again until something is decided or the wait is over."""
        asked = granted.call.arguments
        request = _request(bench.ledger, asked["request_id"], granted.workflow)
        last_look = time.monotonic() + asked.get("wait_seconds", 0)
        status = request_status(request, bench.ledger, bench.settings, now=granted.call.at)
        while status["status"] == "pending" and time.monotonic() < last_look:
            time.sleep(_POLL_SECONDS)
            status = request_status(request, bench.ledger, bench.settings, now=granted.call.at)
        return answer(granted, status)


def request_status(request: Event, ledger: Ledger, settings: Settings, *, now: datetime) -> Mapping[str, Any]:
    """What was decided so far; decisions that do not hold are listed with the reason and count for nothing."""
    body = request.body
    decisions = [_held(e, body, settings) for e in ledger.find(Kind.APPROVAL_DECIDED, body["request_id"])]
    valid = [d for d in decisions if d["valid"]]
    approvals = {d["reviewer"] for d in valid if d["decision"] == "approve"}
    needed = max(0, body["quorum"]["count"] - len(approvals))
    expires_at = body["expires_at"]
    if ledger.find(Kind.APPROVAL_CONSUMED, body["request_id"]):
        status = "used"
    elif any(d["decision"] == "deny" for d in valid):
        status = "denied"
    elif datetime.fromisoformat(expires_at) <= now:
        status = "expired"
    else:
        status = "pending" if needed else "approved"
    return {
        "request_id": body["request_id"],
        "status": status,
        "decisions": decisions,
        "still_needed": needed,
        "expires_at": expires_at,
        "review_url": None,
        "next": _next(status),
    }


def _held(event: Event, request: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    from mcp_migrate.signers.decisions import check

    said = event.body.get("statement") or {}
    shown = {"reviewer": said.get("reviewer"), "decision": said.get("decision"), "at": event.at}
    try:
        held = check(event.body, request, settings)
    except (ApprovalInvalidError, SelfApprovalError) as error:
        return {**shown, "valid": False, "why_not": error.sentence}
    return {**shown, "valid": True, "assurance": held.assurance, "reason": held.reason}


def _request(ledger: Ledger, request_id: str, workflow: str) -> Event:
    events = ledger.find(Kind.APPROVAL_REQUESTED, request_id)
    if not events or events[0].workflow != workflow:
        raise RequestNotFoundError(
            f"Your workflow has no approval request {request_id[:80]!r}.",
            hint="Request ids come from an approval_required result.",
        )
    return events[0]


def _next(status: str) -> Mapping[str, str]:
    hints = {
        "pending": ("await_approval", "People have not decided yet; do something else and look again."),
        "approved": ("apply", "Make the call that asked for approval again; it runs now."),
        "denied": ("narrow_plan", "Do not ask for the same change again."),
        "expired": ("replan", "Make the call that asked for approval again to ask anew."),
        "used": ("none", "It was used; migration_status shows what came of it."),
    }
    action, hint = hints[status]
    return {"action": action, "hint": hint}
