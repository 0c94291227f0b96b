"""What would a migration do? A person asks as a principal, through the same door as an agent."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate import __version__
from mcp_migrate.__main__ import choose_principal, identified
from mcp_migrate.approvals.summary import OURS, worst_first
from mcp_migrate.cli.common import ConfigOption, JsonOption, one_line, print_json, safe, wire
from mcp_migrate.cli.diff import TargetArgument
from mcp_migrate.cli.request_text import safer_lines, wrapped
from mcp_migrate.model import Call
from mcp_migrate.pipeline import UNWATCHED


def plan(
    target: TargetArgument,
    to: Annotated[str, typer.Option("--to", help="head, +1 or a revision.")] = "head",
    principal: Annotated[str | None, typer.Option("--as", help="The principal that plans; its scopes hold.")] = None,
    intent: Annotated[str, typer.Option("--intent", help="Why, for the record.")] = "looking at what would run",
    token_file: Annotated[Path | None, typer.Option("--token-file", help="A launch token that proves --as.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze the way of TARGET to a revision into SQL and say what it does. Nothing is changed."""
    wiring = wire(config_file)
    tool = wiring.registry["migration_plan"]
    arguments = {"target": target, "to": to, "intent": intent}
    tool.check_arguments(arguments)
    call = Call(
        call_id=f"call_{secrets.token_hex(10)}",
        tool="migration_plan",
        arguments=arguments,
        intent=intent,
        caller=identified(wiring, choose_principal(wiring.settings, principal), token_file),
        at=datetime.now(UTC),
        client=f"mcp-migrate plan {__version__}",
    )
    made = wiring.run(call, tool, watch=UNWATCHED)
    if as_json:
        print_json(made)
    else:
        print("\n".join(lines(made)))


def lines(made: Mapping[str, Any]) -> Iterable[str]:
    """The plan as text: its summary, what it needs, and each statement with what it does."""
    back, asks = made["rollback"], made["approval"]
    effects = ", ".join(worst_first(effect for effect in made["effects"] if effect != "read"))
    yield from wrapped("", safe(made["summary"]), indent=0)
    if found := made.get("unexplained"):
        waits = "; nothing is applied until somebody signs for it" if found["blocks"] else ""
        yield from wrapped("", safe(f"CHANGED WITHOUT A RECORD: {found['summary']}{waits}"), indent=0)
    yield f"Plan      {made['plan_id']}, until {made['expires_at']}"
    yield f"Effects   {effects or 'none'}"
    yield from wrapped("Way back  ", one_line(back["why_not"]) if not back["available"] else _restores(back))
    yield from (line for doubt in made["doubts"] for line in wrapped("Doubt     ", one_line(doubt)))
    for condition in made["preconditions"]:
        failing = condition["rows_in_the_way"]
        yield from wrapped("Asks      ", one_line(f"{condition['why']}: {failing or 'no'} rows in the way"))
    yield f"Approval  {_asked(asks) if asks['required'] else 'none is needed'}"
    told: set[str] = set()
    for statement in made["statements"]:
        yield from _statement(statement, told)
    yield from wrapped("Next      ", one_line(made["next"]["hint"]))


def _restores(back: Mapping[str, Any]) -> str:
    derived = "; derived by us where the downgrade does not say it" if back.get("derived") else ""
    return _brings_back(back) + derived


def _brings_back(back: Mapping[str, Any]) -> str:
    if not back["restores_schema"]:
        return "does NOT restore the schema"
    if not back["restores_data"]:
        return f"restores the schema, NOT THE DATA: {one_line('; '.join(back.get('data_why_not', ())))}".rstrip(": ")
    return f"restores schema and data, for {back['kept_for']}" if back.get("keeps") else "restores the schema"


def _asked(asks: Mapping[str, Any]) -> str:
    who = asks["reviewers"] if isinstance(asks["reviewers"], str) else " and ".join(asks["reviewers"])
    return f"{asks['quorum']} signature(s) of {one_line(who)} ({', '.join(asks['rule'])})"


def _statement(statement: Mapping[str, Any], told: set[str]) -> Iterable[str]:
    if "sql" not in statement:
        yield f"      {statement['note']}"
        return
    mark = ", ".join(worst_first(statement.get("effects", ()))) or OURS[statement["kind"]]
    yield from wrapped(f"{statement['n']:>4}  ", f"[{mark}] {one_line(statement.get('why', ''))}".strip(), indent=6)
    yield from (f"      {safe(line)}" for line in statement["sql"].strip().splitlines())
    yield from safer_lines(statement.get("safer"), told)
