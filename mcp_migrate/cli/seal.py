"""How does a person place a plan in a target that runs only what people placed there?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.brokers.placing import open_sealer
from mcp_migrate.brokers.sealing import refuse_unsealable
from mcp_migrate.cli.common import ConfigOption, JsonOption, duration, one_line, print_json, safe, wire
from mcp_migrate.dialects import dialect_for
from mcp_migrate.errors import ConfigInvalidError, InvalidArgumentsError
from mcp_migrate.model import Plan
from mcp_migrate.settings import Target
from mcp_migrate.settings.private import read_private_line
from mcp_migrate.tools.sealable import Sealable, sealable
from mcp_migrate.wiring import account


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
    asked = sealable(name, wiring.settings, wiring.ledger, now=now, unapproved=unapproved or withdraw)
    url = _sealers_url(asked.plan, wiring.settings.target(asked.plan.target), url_file)
    if not as_json:
        print("\n".join(_lines(asked)))
    if not yes:
        typer.confirm("Withdraw it?" if withdraw else "Seal exactly this?", abort=True, err=True)
    with dialect_for(url).open_reader(url) as reader:
        asked.refuse_elsewhere(reader.identity())
    starts = begins or now
    ends = now if withdraw else starts + lasts
    with open_sealer(url) as sealer:
        if withdraw:
            sealer.withdraw(asked.plan)
        else:
            sealer.place(asked.plan, begins=starts, ends=ends, again=again)
    draft = asked.draft("withdrawn" if withdraw else "placed", begins=starts, ends=ends, by=account())
    wiring.ledger.append(draft, at=now)
    told = "is withdrawn." if withdraw else f"is placed. It may begin until {ends}."
    print_json(draft.body) if as_json else print(safe(f"The seal of {asked.plan.plan_id} {told}"))


def _sealers_url(plan: Plan, target: Target, file: Path) -> str:
    """Whoever seals has another key than the server.

    Raises:
        InvalidArgumentsError: the target runs plans without seals. NotSealableError: it could not run this one.
        ConfigInvalidError: the file cannot be read, is open to others, or holds the server's own url.
    """
    if target.credentials.broker != "postgres-sealed":
        raise InvalidArgumentsError(
            f"{plan.target} runs what is approved, without a seal.", hint="docs/credentials.md: postgres-sealed."
        )
    refuse_unsealable(plan, target)
    url = read_private_line(file, "sealer's url").strip()
    if url == target.resolved_url():
        raise ConfigInvalidError("That is the server's own url.", hint="Name the sealer's, which the server never has.")
    return url


def _lines(asked: Sealable) -> Iterator[str]:
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
