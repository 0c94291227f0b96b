"""What did each workflow do lately, and what of its leave did nobody use? For the people who answer for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.errors import ConfigInvalidError

_LINES = {
    "calls": "asked for",
    "refused": "refused",
    "requests": "put to people",
    "decided_by": "decided by",
    "applies": "applied",
    "rollbacks": "taken back",
    "unexplained_changes": "changed past us",
}


def report(
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 30,
    workflow: Annotated[str | None, typer.Option(help="One workflow.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what each workflow asked for and what came of it, who approved, and what of its leave nobody used."""
    from mcp_migrate.approvals.owning import owned

    wiring, now = wire(config_file), datetime.now(UTC)
    if workflow is not None and workflow not in wiring.settings.workflows:
        known = ", ".join(wiring.settings.workflows)
        raise ConfigInvalidError(f"There is no workflow {workflow!r}.", hint=f"There are {known}.")
    told = owned(wiring.settings, wiring.ledger, since=now - timedelta(days=days), now=now)
    told = {name: figures for name, figures in told.items() if workflow in (None, name)}
    if as_json:
        print_json(told)
        return
    for name, figures in told.items():
        print(safe("\n".join([f"{name}, {days} days, for {figures['owner']}", *_lines(figures), ""])))


def _lines(figures: Mapping[str, Any]) -> Iterator[str]:
    for key, word in _LINES.items():
        if figures[key]:
            yield f"  {word:<16} " + ", ".join(f"{count} {what}" for what, count in figures[key].items())
    if figures["median_seconds_to_decide"] is not None:
        yield f"  {'time to decide':<16} {timedelta(seconds=round(figures['median_seconds_to_decide']))} (median)"
    for scope in figures["unused_scopes"]:
        where = f"{', '.join(scope['tools'])} on {', '.join(scope['targets'])}"
        yield f"  {'never used':<16} scope {scope['scope']}: {where}"
    if figures["unused_principals"]:
        yield f"  {'never called':<16} {', '.join(figures['unused_principals'])}"
