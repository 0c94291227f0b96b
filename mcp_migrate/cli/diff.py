"""How does the schema of a target differ from what it should be? For people, and for gates in CI."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, one_line, print_json, safe, wire
from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.tools.comparing import Comparison, Others, compare, counts
from mcp_migrate.tools.plans import find_plan

_SHOWN = 200
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="A target of the configuration.")]
DiagramOption = Annotated[bool, typer.Option("--diagram", help="Add Mermaid diagrams, before and after.")]


def diff(
    target: TargetArgument,
    against: Annotated[
        str, typer.Option("--against", help="models, head, revision:ID, target:NAME or plan:PLAN_ID.")
    ] = "head",
    tables: Annotated[list[str] | None, typer.Option("--tables", help="Globs on schema.table.")] = None,
    diagram: DiagramOption = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what would have to change in TARGET. Exits with 1 when it is not in sync, so that CI can gate on it."""
    wiring = wire(config_file)
    others = Others(wiring.open_database, lambda plan_id: find_plan(wiring.ledger, plan_id, now=None))
    try:
        found = compare(wiring.open_database(target), against, others)
    except InvalidArgumentsError as error:
        raise typer.BadParameter(safe(f"{error.sentence} {error.hint}"), param_hint="--against") from error
    pictures = _pictured(found) if diagram else {}
    if as_json:
        print_json({**told(found, tables or ()), **pictures})
    else:
        _print_changes(found, tables or ())
        print_pictures(pictures)
    raise typer.Exit(0 if found.in_sync else 1)


def told(found: Comparison, tables: Any) -> dict[str, Any]:
    """The whole comparison for machines: no page, no cursor."""
    changes = found.about(tables)
    return {
        "in_sync": found.in_sync,
        "target": found.target,
        "against": found.against,
        "summary": found.summary,
        "changes": [change.shown() for change in changes],
        "changes_total": len(found.changes),
        "counts": counts(changes),
    }


def _print_changes(found: Comparison, tables: Any) -> None:
    """One line a change, with what was and what would be below it."""
    print(safe(found.summary))
    changes = found.about(tables)
    for change in changes[:_SHOWN]:
        print(line(change))
    if len(changes) > _SHOWN:
        print(f"… and {len(changes) - _SHOWN} more: narrow with --tables, or take --json.")


def line(change: Any) -> str:
    """A change for a terminal; nothing from the database can begin a line of its own at the margin."""
    sure = f" (confidence {change.confidence:.2f})" if change.confidence < 1 else ""
    on = f" on {one_line(change.table)}" if "table" in change.shown() else ""
    lines = [f"  {change.kind} {one_line(change.object)}{on}{sure} [{', '.join(sorted(change.effects))}]"]
    if change.detail:
        lines += [f"      {one_line(part)}" for part in change.detail.split("\n")]
    else:
        lines += [f"      - {one_line(change.before)}"] if change.before is not None else []
        lines += [f"      + {one_line(change.after)}"] if change.after is not None else []
    lines += [f"      otherwise: {one_line(change.otherwise)}"] if change.otherwise else []
    return "\n".join(lines)


def _pictured(found: Comparison) -> dict[str, str]:
    """The neighbourhood of the changes, before and after."""
    from mcp_migrate.schema.diagram import before_and_after

    before, after = before_and_after(found.before, found.after, found.changes)
    return {"diagram_before": before, "diagram_after": after}


def print_pictures(pictures: dict[str, str]) -> None:
    """As blocks that Markdown viewers draw."""
    for name, text in pictures.items():
        print(f"\n{name.partition('_')[2]}:\n```mermaid\n{text}```")
