"""Does one scope cover a call, by what is asked and by what would really happen? Each condition only narrows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_migrate.model import Call, Classified, Effect, Tier
from mcp_migrate.settings import Scope, Settings, matches
from mcp_migrate.settings.networks import Around, within


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a call before anything is read. `client` is the program as it names itself.

    `address` is where it comes from, None where that is nowhere, as on standard input.
    """

    tool: str
    at: datetime
    target: str | None = None
    tier: Tier | None = None
    ticket: str | None = None
    client: str | None = None
    address: str | None = None


def asked(call: Call, settings: Settings, *, scope_name: str) -> Asked:
    """What this call asks for."""
    tier = settings.targets[call.target].tier if call.target in settings.targets else None
    return Asked(scope_name, call.at, call.target, tier, call.ticket, call.client, call.caller.address)


WITHOUT_TICKET = "requires a ticket"


def names(scope: Scope, asked: Asked) -> bool:
    """Whether this scope is about the tool and the target, though it may be closed to the call."""
    return matches(asked.tool, scope.tools) and (asked.target is None or matches(asked.target, scope.targets))


def outside(scope: Scope, asked: Asked, *, opened: bool) -> str | None:
    """Why this scope does not fit the call, or None. `opened` is what its `while` says now."""
    if not matches(asked.tool, scope.tools):
        return f"names {', '.join(scope.tools)}, not {asked.tool}"
    if asked.target is not None and not matches(asked.target, scope.targets):
        return f"covers {', '.join(scope.targets)}, not {asked.target}"
    return _closed(scope, asked, opened=opened)


def _closed(scope: Scope, asked: Asked, *, opened: bool) -> str | None:
    """Why a scope that names the tool and the target is closed to this call, or None."""
    if scope.tiers is not None and asked.tier not in scope.tiers:
        return f"covers {', '.join(scope.tiers)} targets"
    if scope.when is not None and (refusal := _elsewhere(scope.when, asked)) is not None:
        return refusal
    if scope.ticket == "required" and not asked.ticket:
        return WITHOUT_TICKET
    if scope.clients is not None and not (asked.client and matches(asked.client, scope.clients)):
        return f"is for the clients {', '.join(scope.clients)}"
    if scope.while_ is not None and not opened:
        return f"holds while {scope.while_.condition}, and that is not so"
    return None


def _elsewhere(around: Around, asked: Asked) -> str | None:
    """Why a scope is closed at this time, or to calls from there, or None."""
    if not around.open_at(asked.at):
        return "is closed at this time"
    if around.network is not None and not within(asked.address, around.network):
        where = f"not from {asked.address}" if asked.address else "and nothing says where this one comes from"
        return f"is for calls from {', '.join(around.network)}, {where}"
    return None


def beyond(scope: Scope, classified: Classified, *, planned_at: datetime | None) -> str | None:
    """Why these effects are more than this scope allows, or None. `planned_at` is None where it was planned now."""
    allowed = {Effect.READ, *(scope.effects or ())}
    if excess := classified.asked - allowed:
        return f"its real effects include {', '.join(sorted(excess))}, which the scope does not allow"
    if classified.prepared.work is None:
        return None
    if scope.objects is not None:
        strange = [name for name in classified.objects if not matches(name, scope.objects)]
        if strange:
            return f"it touches {', '.join(strange[:5])}, outside {', '.join(scope.objects)}"
    if scope.max_rows is not None and classified.total_rows > scope.max_rows:
        return f"it concerns {classified.total_rows} rows, more than {scope.max_rows}"
    at = classified.prepared.granted.call.at
    if scope.plan_age is not None and planned_at is not None and at - planned_at > scope.plan_age:
        return f"its plan was made at {planned_at.isoformat()}, longer ago than {scope.plan_age}"
    return None


def leave(scope: Scope) -> dict[str, Any]:
    """What a scope allows, as people and agents are told."""
    more = {
        "tiers": list(scope.tiers) if scope.tiers else None,
        "clients": list(scope.clients) if scope.clients else None,
        "network": list(scope.when.network) if scope.when and scope.when.network else None,
        "plan_age": str(scope.plan_age) if scope.plan_age else None,
        "while": scope.while_.condition if scope.while_ else None,
    }
    return {
        "tools": list(scope.tools),
        "targets": list(scope.targets),
        "effects": sorted(scope.effects or (Effect.READ,)),
        "objects": list(scope.objects) if scope.objects is not None else None,
        "max_rows": scope.max_rows,
        "ticket": scope.ticket,
        **{key: value for key, value in more.items() if value is not None},
    }
