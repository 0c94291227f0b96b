"""Which plan may a person seal: was it approved, by whom, and for which database?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mcp_migrate.approvals.standing import standing, status_of
from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError, RequestNotFoundError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import Plan
from mcp_migrate.settings import Settings
from mcp_migrate.tools.plans import find_plan


@dataclass(frozen=True, slots=True)
class Sealable:
    """A plan with the request that approved it and who signed that; neither where policy asks nobody."""

    plan: Plan
    request: Event | None = None
    signed: tuple[str, ...] = ()

    def refuse_elsewhere(self, found: Mapping[str, object]) -> None:
        """Raises: InvalidArgumentsError: `found` is the identity of another database than people approved it for."""
        wanted = (self.request.body.get("identity") or {}) if self.request else {}
        if any(wanted[part] != found.get(part) for part in wanted if "not readable" not in str(found.get(part))):
            raise InvalidArgumentsError(
                "The url opens another database than the one that this was approved for.", hint="Nothing was sealed."
            )

    def draft(self, did: Literal["placed", "withdrawn"], *, begins: datetime, ends: datetime, by: str) -> Draft:
        """The entry that says what became of its seal."""
        body = {
            "plan_id": self.plan.plan_id,
            "digest": self.plan.digest,
            "target": self.plan.target,
            "request_id": self.request.body["request_id"] if self.request else None,
            "approved_by": list(self.signed),
            "did": did,
            "begins": begins.isoformat(),
            "ends": ends.isoformat(),
            "by": by,
        }
        return Draft(Kind.SEAL_PLACED, body, subject=self.plan.plan_id)


def sealable(name: str, settings: Settings, ledger: Ledger, *, now: datetime, unapproved: bool) -> Sealable:
    """The plan of a request, or of a plan's id; one that nobody was asked to approve only where `unapproved`.

    Raises:
        RequestNotFoundError, PlanNotFoundError, PlanExpiredError: there is none.
        ApprovalInvalidError: it is not approved now.
    """
    if not name.startswith("plan_"):
        found = ledger.find(Kind.APPROVAL_REQUESTED, name)
        if not found or not found[0].body.get("plan_digest"):
            raise RequestNotFoundError(
                f"There is no request {name[:80]!r} about a plan.", hint="`mcp-migrate approvals list` shows them."
            )
        return _approved(found[0], settings, ledger, now)
    plan = _plan(name, ledger, now)
    asked = ledger.last(Kind.APPROVAL_REQUESTED, limit=1000)
    about = [each for each in asked if each.body.get("plan_digest") == plan.digest]
    held = [each for each in about if _status(each, settings, ledger, now) == "approved"]
    if held:
        return _approved(held[0], settings, ledger, now)
    if about or not unapproved:
        raise ApprovalInvalidError(
            f"{plan.plan_id} is not approved." if about else f"Nobody was asked to approve {plan.plan_id}.",
            hint="`mcp-migrate approvals list` shows what waits. Where policy asks nobody, say `--unapproved`: then "
            "you alone answer for it.",
        )
    return Sealable(plan)


def _plan(name: str, ledger: Ledger, now: datetime) -> Plan:
    """As the server asked for its seal; or as it was planned, before that."""
    for event in ledger.find(Kind.SEAL_ASKED, name):
        if (plan := Plan.thaw(event.body["plan"])).plan_id == name:
            return plan
    return find_plan(ledger, name, now=now)


def _approved(request: Event, settings: Settings, ledger: Ledger, now: datetime) -> Sealable:
    """Its signatures are verified anew, over exactly this plan."""
    plan = Plan.thaw(request.body["plan"])
    if plan.digest != request.body["plan_digest"]:
        raise ApprovalInvalidError("The request names another plan than it shows.", hint="Keep the ledger as evidence.")
    if (status := _status(request, settings, ledger, now)) != "approved":
        raise ApprovalInvalidError(
            f"{request.body['request_id']} is {status}, not approved.", hint="`mcp-migrate approvals show` says why."
        )
    stands = standing(request, ledger, settings)
    signed = [each.reviewer for each in stands.approvals]
    signed += [each.reviewer for each in stands.glass.signatures[:1]] if stands.glass else []
    return Sealable(plan, request, tuple(dict.fromkeys(signed)))


def _status(request: Event, settings: Settings, ledger: Ledger, now: datetime) -> str:
    if ledger.find(Kind.APPROVAL_CANARY, request.body["request_id"]):
        return "no request that runs"
    return status_of(request, ledger, settings, now=now)
