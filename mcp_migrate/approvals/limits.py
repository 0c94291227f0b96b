"""May this workflow put another question to people, or do enough wait already?"""

from __future__ import annotations

from datetime import datetime

from mcp_migrate.approvals.known import known
from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import TooManyRequestsError
from mcp_migrate.ledger import Event, Ledger
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
    asked = known(ledger).maybe_open(workflow, ledger, now=now)
    return tuple(e for e in asked if standing(e, ledger, settings).status(now) in {"pending", "approved"})
