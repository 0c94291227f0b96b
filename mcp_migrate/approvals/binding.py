"""What exactly is a request about, so that an approval of it is an approval of nothing else?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.errors import ApprovalInvalidError, SelfApprovalError
from mcp_migrate.leave.separation import people
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Call, Permitted, Plan, digest
from mcp_migrate.settings import Settings
from mcp_migrate.signers.statements import IRREVERSIBLE

if TYPE_CHECKING:
    from mcp_migrate.signers.roster import Roster

FORMAT = "mcp-migrate/request/2"
_NEW, _CONFIGURATIONS = timedelta(days=7), 10_000
"""How long a key is told of as new, and how many changes of the configuration are looked through."""

_ROOM = 10
"""A tenth: a table may have grown by so much since people saw its rows counted. One that was empty may not."""


def asked_about(permitted: Permitted, settings: Settings) -> dict[str, Any]:
    """The part of a request that says what would happen, to what, for whom and under which policy.

    A request that says anything else is about something else, whoever wrote it to the ledger and whatever its id.
    """
    classified = permitted.classified
    granted, plan = classified.prepared.granted, classified.prepared.plan
    return {
        "purpose": classified.prepared.purpose,
        "tool": granted.call.tool,
        "target": granted.call.target,
        "identity": dict(classified.prepared.identity) if classified.prepared.identity else None,
        "principal": granted.call.principal,
        "workflow": granted.workflow,
        "owner": granted.owner,
        "effects": sorted(classified.effects),
        "objects": list(classified.objects),
        "plan_digest": plan.digest if plan else None,
        "plan": plan.frozen() if plan else None,
        "fingerprint_before": plan.base_fingerprint if plan else classified.prepared.subject.get("fingerprint"),
        "rollback": _rollback(plan),
        "policy_digest": policy_digest(settings, granted.workflow, granted.call.target),
        "subject": dict(classified.prepared.subject),
        "judgements": [judgement.told() for judgement in classified.judgements],
    }


def known_when_asked(permitted: Permitted, settings: Settings, ledger: Ledger) -> dict[str, Any]:
    """What else is put under the signature: who planned it, and the keys that may decide."""
    plan, call = permitted.classified.prepared.plan, permitted.classified.prepared.granted.call
    frozen = [event.body for event in ledger.find(Kind.PLAN_FROZEN, plan.plan_id)] if plan else []
    made = [(str(body["principal"]), body.get("caller") or {}) for body in frozen if "principal" in body]
    callers, roster = [(call.principal, call.caller.told()), *made], reviewers(settings, ledger)
    return {
        "planners": sorted({principal for principal, _caller in callers}),
        "people": sorted({name for principal, caller in callers for name in people(principal, caller, settings)}),
        "keys": fingerprints(roster),
        "new_keys": _new(roster, ledger, at=call.at),
    }


def asked_now(request: Mapping[str, Any], call: Call, settings: Settings) -> dict[str, Any]:
    """A request as it is with whoever calls now: by another token, or by what another handed on, that may be others."""
    mine = people(call.principal, call.caller.told(), settings)
    return {**request, "principal": call.principal, "people": sorted({*request.get("people", ()), *mine})}


def counts(name: str, asked: Mapping[str, Any], settings: Settings, roster: Roster) -> bool:
    """Whether a reviewer's approval counts for this: it is not their own."""
    from mcp_migrate.signers.decisions import refuse_excluded

    try:
        refuse_excluded(name, asked, settings, roster)
    except (SelfApprovalError, ApprovalInvalidError):
        return False
    return True


def fingerprints(roster: Roster) -> dict[str, list[str]]:
    """Those of each reviewer's keys."""
    return {name: sorted(held.fingerprint for held in who.keys) for name, who in roster.people.items()}


def _new(roster: Roster, ledger: Ledger, *, at: datetime) -> list[dict[str, str]]:
    """The keys that the ledger has known for less than a week, and since when; those of the beginning are none."""
    loaded = ledger.read(kind=Kind.CONFIG_LOADED, limit=_CONFIGURATIONS)
    known = {key for event in loaded[:1] for mine in event.body.get("keys", {}).values() for key in mine}
    since = {
        key: event.at for event in reversed(loaded) for mine in event.body.get("keys", {}).values() for key in mine
    }
    held = [(name, each) for name, who in roster.people.items() for each in who.keys]
    told = [(name, each.fingerprint, each.since or since.get(each.fingerprint)) for name, each in held]
    return [
        {"reviewer": name, "key": key, "since": began}
        for name, key, began in told
        if began is not None and key not in known and at - datetime.fromisoformat(began) < _NEW
    ]


def still_fits(shown: Mapping[str, int], rows: Mapping[str, int]) -> bool:
    """Whether the rows concerned now are about as many as people were shown, or fewer."""
    return all(now <= shown.get(table, 0) + shown.get(table, 0) // _ROOM for table, now in rows.items())


def policy_digest(settings: Settings, workflow: str, target: str | None) -> str:
    """Over what decides whether this may happen: the rules, the workflow and the target. Keys are held one by one."""
    return digest(
        {
            "approvals": [rule.model_dump(mode="json") for rule in settings.approvals],
            "break_glass": settings.break_glass.model_dump(mode="json") if settings.break_glass else None,
            "separation": {tier: sorted(steps) for tier, steps in settings.separation.items()},
            "people": {person: sorted(names) for person, names in settings.people.items()},
            "rules": settings.rules.model_dump(mode="json"),
            "workflow": settings.workflows[workflow].model_dump(mode="json"),
            "target": settings.targets[target].model_dump(mode="json") if target in settings.targets else None,
        }
    )


def _rollback(plan: Plan | None) -> str:
    """The digest of the way back. To go it is another request, unless whoever approves the change covers it too."""
    if plan is None or not plan.reverse.available:
        return IRREVERSIBLE
    return way_back_digest(plan)


def way_back_digest(plan: Plan) -> str:
    """Over the statements of the way back and what is said of them."""
    return digest(plan.frozen()["reverse"])
