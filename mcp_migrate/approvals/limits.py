"""May this workflow put another question to people, or do enough wait already?"""

from __future__ import annotations

from datetime import datetime

from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import TooManyRequestsError
from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.settings import Settings


def refuse_too_many(workflow: str, settings: Settings, ledger: Ledger, *, now: datetime) -> None:
    """Refuse one more request of `workflow` where its limit is reached.

    Raises:
        TooManyRequestsError: it is; says which ones wait.
    """
    most = settings.workflows[workflow].limits.open_requests
    waiting = [event.body["request_id"] for event in open_requests(workflow, settings, ledger, now=now)]
    if len(waiting) >= most:
        raise TooManyRequestsError(
            f"{len(waiting)} requests of workflow {workflow} wait for people already, and {most} may at once.",
            hint="Wait for a decision, or have one that is not needed any more taken back with "
            "`mcp-migrate approvals withdraw`.",
            open_requests=waiting,
            limit=most,
        )


def open_requests(workflow: str, settings: Settings, ledger: Ledger, *, now: datetime) -> tuple[Event, ...]:
    """The requests of `workflow` that may still be used, oldest first."""
    found = ledger.unanswered(Kind.APPROVAL_REQUESTED, Kind.APPROVAL_CONSUMED, where={"workflow": workflow})
    asked = [
        event for event in found if event.body.get("purpose", "change") == "change" and not _is_canary(event, ledger)
    ]
    decided = [e for e in asked if _is_young(e, now) or ledger.find(Kind.APPROVAL_DECIDED, e.body["request_id"])]
    return tuple(e for e in decided if standing(e, ledger, settings).status(now) in {"pending", "approved"})


def _is_young(request: Event, now: datetime) -> bool:
    return now < datetime.fromisoformat(request.body["expires_at"])


def _is_canary(request: Event, ledger: Ledger) -> bool:
    return bool(ledger.find(Kind.APPROVAL_CANARY, request.body["request_id"]))
