"""What is kept so that applies can be rolled back, and until when?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, one_line, print_json, wire
from mcp_migrate.tools.undo import conflicts, kept_on

app = typer.Typer(no_args_is_help=True)
_TargetOption = Annotated[str | None, typer.Option("--target", help="Only this target.")]


@app.command("list")
def list_undo(target: _TargetOption = None, config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List undo data: of which apply, which table, how many rows, until when."""
    wiring = wire(config_file)
    names = [target] if target else sorted(wiring.settings.targets)
    found = [entry for name in names for entry in kept_on(wiring.open_database(name), wiring.ledger)]
    if as_json:
        print_json(found)
        return
    for entry in found:
        print(_line(entry))
    if not found:
        print("Nothing is kept.")


@app.command()
def show(
    apply_id: Annotated[str, typer.Argument(metavar="APPLY_ID", help="As `undo list` and `status` show it.")],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is kept of one apply, and what would keep a rollback from putting it back now."""
    from mcp_migrate.tools.applies import find_apply

    wiring = wire(config_file)
    apply = find_apply(wiring.ledger, apply_id)
    database = wiring.open_database(apply.plan.target)
    mine = [entry for entry in kept_on(database, wiring.ledger) if entry["apply_id"] == apply_id]
    found = conflicts(database, apply.plan.reverse.statements) if mine else []
    undo = apply.plan.undo
    if as_json:
        print_json({"kept": mine, "conflicts": found, "undo": undo.frozen() if undo else None})
        return
    for entry in mine:
        print(_line(entry))
    for why in found:
        print(f"CONFLICT  {one_line(why)}")
    for why in undo.why_not if undo else ():
        print(f"NOT KEPT  {one_line(why)}")
    if not mine:
        print("Nothing of it is kept: it lost nothing, was rolled back, or its time was over.")


@app.command()
def prune(target: _TargetOption = None, config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Remove undo data whose time is over; nothing else is ever removed."""
    wiring = wire(config_file)
    names = [target] if target else sorted(wiring.settings.targets)
    removed = {name: list(wiring.pipeline.prune(name)) for name in names}
    if as_json:
        print_json(removed)
        return
    for name, keys in removed.items():
        print(f"{name}: removed {', '.join(keys) or 'nothing'}")


def _line(entry: Mapping[str, Any]) -> str:
    size = "" if entry["size"] is None else f", {entry['size']:,} bytes"
    over = "  (its time is over)" if entry["over"] else ""
    parked = " (parked)" if entry["method"] == "parked" else ""
    what = f"{entry['table']} ({entry['columns']})"
    return (
        f"{one_line(entry['target'])}  {entry['apply_id'] or 'unknown apply'}  {one_line(what)}  "
        f"{entry['rows']:,} rows{parked}{size}  until {entry['until']}{over}"
    )
