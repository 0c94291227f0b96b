"""Have people approved it?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mcp_migrate.approvals.reach import too_few
from mcp_migrate.approvals.standing import Weighed, standing
from mcp_migrate.approvals.waiting import hint_of
from mcp_migrate.errors import Action, RequestNotFoundError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.model import Granted, Prepared
from mcp_migrate.settings import Settings
from mcp_migrate.tools.interface import Workbench, answer

_POLL_SECONDS = 0.25


class ApprovalStatus:
    """Answers for requests of the caller's own workflow."""

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Look, and look again until something is decided, the wait is over, or nobody waits any more."""
        asked = granted.call.arguments
        request = _request(bench.ledger, asked["request_id"], granted.workflow)
        last_look = time.monotonic() + asked.get("wait_seconds", 0)
        status = request_status(request, bench.ledger, bench.settings, now=granted.call.at)
        while _may_change(status) and time.monotonic() < last_look and not bench.given_up():
            time.sleep(_POLL_SECONDS)
            status = request_status(request, bench.ledger, bench.settings, now=granted.call.at)
        return answer(granted, {**status, "review_url": bench.review_url(asked["request_id"])})


def request_status(request: Event, ledger: Ledger, settings: Settings, *, now: datetime) -> Mapping[str, Any]:
    """What was decided so far; decisions that do not hold are listed with the reason and count for nothing."""
    stands, late = standing(request, ledger, settings), ledger.no_earlier(now, since=request)
    status = stands.status(late)
    reopened = status == "denied" and not stands.binding
    against = {denial.reviewer for denial in stands.denials}
    few = too_few(request.body, settings, ledger, against=against) if status == "pending" else ()
    where = "reviewed" if request.body.get("purpose") == "review" else "reopened" if reopened else status
    return {
        "request_id": request.body["request_id"],
        "status": status,
        "reopened": reopened,
        "decisions": [_shown(weighed) for weighed in stands.decisions],
        "glass_broken_by": stands.glass.by if stands.glass else None,
        "still_needed": stands.still_needed(late),
        "expires_at": request.body["expires_at"],
        "review_url": None,
        **({"too_few": [each.told() for each in few]} if few else {}),
        "next": {"action": Action.ASK_ADMIN, "hint": hint_of(few)} if few else _next(where),
    }


def _may_change(status: Mapping[str, Any]) -> bool:
    """Whether it is worth waiting: not for what too few people could ever approve."""
    return status["status"] == "pending" and "too_few" not in status


def _shown(weighed: Weighed) -> Mapping[str, Any]:
    said, held = weighed.event.body.get("statement"), weighed.held
    known = said if isinstance(said, Mapping) else {}
    shown = {"reviewer": known.get("reviewer"), "decision": known.get("decision"), "at": weighed.event.at}
    if held is None:
        return {**shown, "valid": False, "why_not": weighed.why_not}
    times = {"not_before": held.begins.isoformat(), "until": held.ends.isoformat()}
    if held.rollback_until is not None:
        times["covers_rollback_until"] = held.rollback_until.isoformat()
    return {**shown, "valid": True, "assurance": held.assurance, "reason": held.reason, **times}


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
        "denied": ("narrow_plan", "Do not ask for the same change again, in this plan or another."),
        "reopened": ("replan", "It was denied, and a person reopened the question: make the same call to ask anew."),
        "withdrawn": ("replan", "It was withdrawn; make the same call again if it is needed after all."),
        "expired": ("replan", "Make the call that asked for approval again to ask anew."),
        "reviewed": ("none", "People look at what one of them did alone; there is nothing for you to do."),
        "used": ("none", "It was used; migration_status shows what came of it."),
    }
    action, hint = hints[status]
    return {"action": action, "hint": hint}
