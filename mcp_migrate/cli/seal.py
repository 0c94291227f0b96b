"""Which plan may a target run that runs only what people placed in it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.approvals.standing import standing
from mcp_migrate.brokers.placing import open_sealer
from mcp_migrate.brokers.sealing import refuse_unsealable
from mcp_migrate.cli.common import ConfigOption, JsonOption, duration, one_line, print_json, safe, wire
from mcp_migrate.dialects import dialect_for
from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError, InvalidArgumentsError, RequestNotFoundError
from mcp_migrate.ledger import Draft, Event, Kind
from mcp_migrate.model import Plan
from mcp_migrate.settings.private import read_private_line
from mcp_migrate.tools.plans import find_plan
from mcp_migrate.wiring import Wiring, account


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be sealed: a plan, the request that approved it, and who signed."""

    plan: Plan
    request: Event | None
    signed: tuple[str, ...]

    def told(self) -> Mapping[str, Any]:
        return {
            "plan_id": self.plan.plan_id,
            "digest": self.plan.digest,
            "target": self.plan.target,
            "request_id": self.request.body["request_id"] if self.request else None,
            "approved_by": list(self.signed),
        }


def seal(
    name: Annotated[str, typer.Argument(metavar="ID", help="A request id, req_…, or a plan id, plan_….")],
    url_file: Annotated[
        Path, typer.Option("--url-file", help="A file of yours alone with the url of the target for the sealer.")
    ],
    begins: Annotated[
        datetime | None,
        typer.Option("--from", help="When it may run at the earliest.", formats=["%Y-%m-%dT%H:%M:%S%z"]),
    ] = None,
    lasts: Annotated[
        timedelta,
        typer.Option(
            "--for",
            help="How long it may begin, as 4h.",
            parser=duration,
            metavar="DURATION",
            show_default="24h",
        ),
    ] = "24h",  # type: ignore[assignment]  # parsed as what is written on the command line
    again: Annotated[bool, typer.Option("--again", help="Though it was sealed before.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back a seal that was not used.")] = False,
    unapproved: Annotated[
        bool, typer.Option("--unapproved", help="Though nobody was asked to approve this plan.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place a plan in its target, which then runs it once. For targets of `postgres-sealed`; never on the server."""
    wiring, now = wire(config_file), datetime.now(UTC)
    asked = _asked(name, wiring, now, unapproved=unapproved or withdraw)
    target = wiring.settings.target(asked.plan.target)
    if target.credentials.broker != "postgres-sealed":
        raise InvalidArgumentsError(
            f"{asked.plan.target} runs what is approved, without a seal.", hint="docs/credentials.md: postgres-sealed."
        )
    refuse_unsealable(asked.plan, target)
    if not as_json:
        print("\n".join(lines(asked)))
    if not yes:
        typer.confirm("Withdraw it?" if withdraw else "Seal exactly this?", abort=True, err=True)
    url = read_private_line(url_file, "sealer's url").strip()
    if url == target.resolved_url():
        raise ConfigInvalidError("That is the server's own url.", hint="Name the sealer's, which the server never has.")
    starts = begins or now
    _same_database(asked, url)
    with open_sealer(url) as sealer:
        if withdraw:
            if not sealer.withdraw(asked.plan):
                raise InvalidArgumentsError("No seal of this plan waits.", hint="It was used, or never placed.")
            ends = now
        else:
            ends = starts + lasts
            sealer.place(asked.plan, begins=starts, ends=ends, again=again)
    did = "withdrawn" if withdraw else "placed"
    body = {**asked.told(), "did": did, "begins": starts.isoformat(), "ends": ends.isoformat(), "by": account()}
    wiring.ledger.append(Draft(Kind.SEAL_PLACED, body, subject=asked.plan.plan_id), at=now)
    if as_json:
        print_json(body)
    else:
        print(
            safe(f"The seal of {asked.plan.plan_id} is {did}." + ("" if withdraw else f" It may begin until {ends}."))
        )


def lines(asked: _Asked) -> Iterator[str]:
    """What would be sealed, each statement whole: this is all that the target will run."""
    plan = asked.plan
    yield f"Plan      {plan.plan_id} ({plan.digest})"
    yield safe(f"Target    {plan.target}, from {plan.from_revision or 'base'} to {plan.to_revision or 'base'}")
    if asked.request is None:
        yield "Approved  BY NOBODY: no request about it is on the record"
    else:
        yield safe(f"Approved  {asked.request.body['request_id']}, signed by {', '.join(asked.signed)}")
        yield safe(f"Effects   {', '.join(asked.request.body['effects'])}")
        yield safe(f"For       {asked.request.body['principal']}: {one_line(str(asked.request.body['intent']))}")
    yield f"It runs these {len(plan.statements)} statements, once, in one transaction:"
    for statement in plan.statements:
        yield f"  {statement.n}. {safe(statement.sql)}"


def _asked(name: str, wiring: Wiring, now: datetime, *, unapproved: bool) -> _Asked:
    """Raises: RequestNotFoundError, PlanNotFoundError, PlanExpiredError, ApprovalInvalidError."""
    if not name.startswith("plan_"):
        found = wiring.ledger.find(Kind.APPROVAL_REQUESTED, name)
        if not found or not found[0].body.get("plan_digest"):
            raise RequestNotFoundError(
                f"There is no request {safe(name)!r} about a plan.", hint="`mcp-migrate approvals list` shows them."
            )
        return _approved(found[0], wiring, now)
    plan = _plan(name, wiring, now)
    about = [each for each in wiring.ledger.last(Kind.APPROVAL_REQUESTED, limit=1000) if _is_about(each, plan)]
    held = [each for each in about if _status(each, wiring, now) == "approved"]
    if held:
        return _approved(held[0], wiring, now)
    if about or not unapproved:
        raise ApprovalInvalidError(
            f"{plan.plan_id} is not approved." if about else f"Nobody was asked to approve {plan.plan_id}.",
            hint="`mcp-migrate approvals list` shows what waits. Where policy asks nobody, say `--unapproved`: then "
            "you alone answer for it.",
        )
    return _Asked(plan, None, ())


def _plan(name: str, wiring: Wiring, now: datetime) -> Plan:
    """As the server asked for its seal; or as it was planned, before that."""
    for event in wiring.ledger.find(Kind.SEAL_ASKED, name):
        if (plan := Plan.thaw(event.body["plan"])).plan_id == name:
            return plan
    return find_plan(wiring.ledger, name, now=now)


def _approved(request: Event, wiring: Wiring, now: datetime) -> _Asked:
    """Its signatures are verified anew, over exactly this plan."""
    plan = Plan.thaw(request.body["plan"])
    if plan.digest != request.body["plan_digest"]:
        raise ApprovalInvalidError("The request names another plan than it shows.", hint="Keep the ledger as evidence.")
    if (status := _status(request, wiring, now)) != "approved":
        raise ApprovalInvalidError(
            f"{request.body['request_id']} is {status}, not approved.", hint="`mcp-migrate approvals show` says why."
        )
    stands = standing(request, wiring.ledger, wiring.settings)
    signed = [each.reviewer for each in stands.approvals]
    signed += [each.reviewer for each in stands.glass.signatures[:1]] if stands.glass else []
    return _Asked(plan, request, tuple(dict.fromkeys(signed)))


def _status(request: Event, wiring: Wiring, now: datetime) -> str:
    if wiring.ledger.find(Kind.APPROVAL_CANARY, request.body["request_id"]):
        return "no request that runs"
    return standing(request, wiring.ledger, wiring.settings).status(wiring.ledger.no_earlier(now, since=request))


def _is_about(request: Event, plan: Plan) -> bool:
    return bool(request.body.get("plan_digest") == plan.digest)


def _same_database(asked: _Asked, url: str) -> None:
    """Raises: InvalidArgumentsError: the sealer's url opens another database than the one people approved it for."""
    wanted = (asked.request.body.get("identity") or {}) if asked.request else {}
    with dialect_for(url).open_reader(url) as reader:
        found = reader.identity()
    if any(wanted[part] != found.get(part) for part in wanted if "not readable" not in str(found.get(part))):
        raise InvalidArgumentsError(
            "The url opens another database than the one that this was approved for.", hint="Nothing was sealed."
        )
