"""Do people still decide? A report on their decisions, and canaries that have to be denied."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from mcp_migrate.__main__ import choose_principal
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.model import Call, Caller


def report(
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 90,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report how often and how fast people approve, per rule and per reviewer."""
    from mcp_migrate.approvals import report as reporting

    wiring, now = wire(config_file), datetime.now(UTC)
    asked = reporting.questions(wiring.settings, wiring.ledger, since=now - timedelta(days=days), now=now)
    told = reporting.report(asked)
    if as_json:
        print_json(told)
        return
    for name, figures in (*told["rules"].items(), *told["reviewers"].items()):
        print(safe(f"{name:<20} " + "  ".join(f"{k.replace('_', ' ')} {_figure(v)}" for k, v in figures.items())))
    for note in told["notes"] or ["Nothing stands out."]:
        print(safe(note))


def canary(
    target: Annotated[str, typer.Option(help="The target it seems to be about.")],
    table: Annotated[str, typer.Option(help="The table it seems to drop, as schema.table.")],
    intent: Annotated[str, typer.Option(help="What the agent seems to say.")] = "Remove a table that is not used",
    ticket: Annotated[str | None, typer.Option(help="The ticket it seems to name.")] = None,
    principal: Annotated[str | None, typer.Option("--as", help="The agent that seems to ask.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a question to people that has to be denied. It can never run; approving it is recorded and told."""
    from mcp_migrate.tools.canary import Canary

    wiring = wire(config_file)
    asker = choose_principal(wiring.settings, principal)
    call_id, revision = f"call_{secrets.token_hex(10)}", secrets.token_hex(6)
    arguments = {"target": target, "table": table, "revision": revision}
    call = Call(call_id, "migration_apply", arguments, intent, Caller(asker), datetime.now(UTC), target, ticket=ticket)
    request_id = wiring.pipeline.ask_canary(call, Canary())
    if as_json:
        print_json({"request_id": request_id})
    else:
        print(f"{request_id} waits for people. Whoever approves it did not read it.")


def _figure(value: object) -> str:
    return "-" if value is None else str(value)
