"""What did each workflow do lately, for the person who answers for it? Counted on the ledger alone.

And what of its leave did nobody use: a scope that is not needed is one that can be taken away.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from mcp_migrate.approvals.standing import standing
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.ledger.times import made_since
from mcp_migrate.settings import Settings, Workflow


@dataclass(slots=True)
class _Figures:
    """Of one workflow. `seconds` are how long people took to decide."""

    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    decided_by: Counter[str] = field(default_factory=Counter)
    applies: Counter[str] = field(default_factory=Counter)
    rollbacks: Counter[str] = field(default_factory=Counter)
    unexplained: Counter[str] = field(default_factory=Counter)
    scopes: set[int] = field(default_factory=set)
    principals: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)


def owned(settings: Settings, ledger: Ledger, *, since: datetime, now: datetime) -> Mapping[str, Any]:
    """Each workflow of the configuration: owner, what it asked for, what came of it, and what it never used."""
    found: defaultdict[str, _Figures] = defaultdict(_Figures)
    for event in made_since(since, Kind.CALL_RECEIVED, ledger):
        found[event.workflow or ""].calls[event.body["tool"]] += 1
        found[event.workflow or ""].principals.add(event.body["principal"])
    for event in made_since(since, Kind.CALL_FINISHED, ledger):
        found[event.workflow or ""].scopes.add(event.body["scope"])
    for event in made_since(since, Kind.CALL_REFUSED, ledger):
        found[event.workflow or ""].refused[event.body["code"]] += 1
    for event in made_since(since, Kind.RECONCILE_FOUND, ledger):
        found[event.workflow or ""].unexplained[event.body["target"]] += 1
    _ask(found, settings, ledger, since, now)
    _apply(found, ledger, since)
    return {name: _told(workflow, found[name]) for name, workflow in settings.workflows.items()}


def _ask(found: Mapping[str, _Figures], settings: Settings, ledger: Ledger, since: datetime, now: datetime) -> None:
    for request in made_since(since, Kind.APPROVAL_REQUESTED, ledger):
        if ledger.find(Kind.APPROVAL_CANARY, request.body["request_id"]):
            continue
        mine, stands = found[request.workflow or ""], standing(request, ledger, settings)
        mine.requests[stands.status(now)] += 1
        asked = datetime.fromisoformat(request.at)
        for weighed in stands.decisions:
            if weighed.held is not None:
                mine.decided_by[f"{weighed.held.reviewer} ({weighed.held.verdict})"] += 1
                mine.seconds.append((datetime.fromisoformat(weighed.event.at) - asked).total_seconds())


def _apply(found: Mapping[str, _Figures], ledger: Ledger, since: datetime) -> None:
    for started in made_since(since, Kind.STEP_STARTED, ledger):
        mine, ended = found[started.workflow or ""], ledger.find(Kind.STEP_FINISHED, str(started.subject))
        back = started.body["tool"] == "migration_rollback" or started.body.get("automatic")
        status = str(ended[-1].body["status"]) if ended else "in_flight"
        (mine.rollbacks if back else mine.applies)[status] += 1


def _told(workflow: Workflow, figures: _Figures) -> dict[str, Any]:
    unused = [
        {"scope": index, "tools": list(scope.tools), "targets": list(scope.targets)}
        for index, scope in enumerate(workflow.scopes)
        if index not in figures.scopes
    ]
    return {
        "owner": f"{workflow.owner.name} <{workflow.owner.email}>",
        "calls": dict(figures.calls.most_common()),
        "refused": dict(figures.refused.most_common()),
        "requests": dict(figures.requests.most_common()),
        "decided_by": dict(figures.decided_by.most_common()),
        "median_seconds_to_decide": round(median(figures.seconds), 1) if figures.seconds else None,
        "applies": dict(figures.applies.most_common()),
        "rollbacks": dict(figures.rollbacks.most_common()),
        "unexplained_changes": dict(figures.unexplained.most_common()),
        "unused_scopes": unused,
        "unused_principals": sorted(set(workflow.principals) - figures.principals),
    }
