"""Which questions of a workflow are open: may it put another one, and is one approved that opens a scope?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import takewhile

from mcp_migrate.approvals.known import known
from mcp_migrate.approvals.standing import standing, status_of
from mcp_migrate.errors import TooManyRequestsError
from mcp_migrate.leave.signals import opened
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Call
from mcp_migrate.settings import Settings

_NAMED = 20
"""Requests that a refusal names; an answer has to stay short."""


def refuse_too_many(
    workflow: str, settings: Settings, ledger: Ledger, *, now: datetime, mine: str = "", replaced: Collection[str] = ()
) -> None:
    """Refuse one more request of `workflow` where its limit is reached.

    `mine` is on the record already: then those count that came before it, so that of several servers which ask at once
    as many get through as there is room for. Those that it `replaced` do not count.

    Raises:
        TooManyRequestsError: it is; says which ones wait.
    """
    most = settings.workflows[workflow].limits.open_requests
    before = takewhile(lambda name: name != mine, open_requests(workflow, settings, ledger, now=now))
    waiting = [name for name in before if name not in replaced]
    if len(waiting) >= most:
        raise TooManyRequestsError(
            f"{len(waiting)} requests of workflow {workflow} wait for people already, and {most} may at once.",
            hint="Wait for a decision, or have one that is not needed any more taken back with "
            "`mcp-migrate approvals withdraw`.",
            open_requests=waiting[:_NAMED],
            limit=most,
        )


def open_requests(workflow: str, settings: Settings, ledger: Ledger, *, now: datetime) -> tuple[str, ...]:
    """The requests of `workflow` that may still be used, oldest first, by their ids.

    One that nobody said anything about waits until its time is over: only what somebody said has to be weighed.
    """
    memory = known(ledger)
    asked = memory.maybe_open(workflow, now=now)
    return tuple(name for name in asked if name not in memory.heard or _stands(name, settings, ledger, now))


def approved_with(call: Call, settings: Settings, ledger: Ledger, *, now: datetime) -> bool:
    """Whether a change of the call's target with its ticket is approved for its workflow, and neither used nor over."""
    if call.ticket is None:
        return False
    name, _workflow = settings.workflow_of(call.principal)
    said = known(ledger).heard
    names = (each for each in open_requests(name, settings, ledger, now=now) if each in said)
    asked = (request for each in names for request in ledger.find(Kind.APPROVAL_REQUESTED, each)[:1])
    mine = (each for each in asked if (each.body["ticket"], each.body["target"]) == (call.ticket, call.target))
    stands = (standing(each, ledger, settings) for each in mine)
    return any(s.status(now) == "approved" and all(held.begins <= now for held in s.approvals) for s in stands)


def open_scopes(call: Call, settings: Settings, ledger: Ledger, *, scope_name: str, now: datetime) -> frozenset[int]:
    """The scopes of the call's workflow, by index, whose `while` holds now."""

    def approved() -> bool:
        return approved_with(call, settings, ledger, now=now)

    return opened(call, settings, scope_name=scope_name, approved=approved)


def waiting(settings: Settings, ledger: Ledger, *, now: datetime) -> Mapping[str, int]:
    """How many requests wait for people, by target."""
    names = (each for name in settings.workflows for each in open_requests(name, settings, ledger, now=now))
    asked = (request for name in names for request in ledger.find(Kind.APPROVAL_REQUESTED, name)[:1])
    pending = (each for each in asked if status_of(each, ledger, settings, now=now) == "pending")
    return Counter(str(each.body["target"]) for each in pending)


def _stands(request_id: str, settings: Settings, ledger: Ledger, now: datetime) -> bool:
    requests = ledger.find(Kind.APPROVAL_REQUESTED, request_id)[:1]
    return any(standing(each, ledger, settings).status(now) in {"pending", "approved"} for each in requests)
