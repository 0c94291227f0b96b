"""Do notices arrive, and is there anything to send?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.errors import MigrateError
from mcp_migrate.notices import sample
from mcp_migrate.notifiers import notifier_for

app = typer.Typer(no_args_is_help=True)


@app.command("test")
def try_channels(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CHANNEL]…", help="Channels; all without one.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a notice that says it is a test. Exits with 1 when a channel does not take it."""
    settings = wire(config_file).settings
    known = {channel.name: channel for channel in settings.notify}
    if unknown := set(names or known) - set(known):
        raise typer.BadParameter(f"no channel is called {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    outcomes: dict[str, str | None] = {}
    for name in names or known:
        try:
            notifier_for(known[name]).send(sample(known[name], datetime.now(UTC)))
            outcomes[name] = None
        except MigrateError as error:
            outcomes[name] = str(error)
    if as_json:
        print_json([{"channel": name, "ok": why is None, "why_not": why} for name, why in outcomes.items()])
    else:
        for name, why in outcomes.items():
            print(safe(f"{name}: {why or 'taken'}"))
        print("No channel is configured: `notify` in the configuration names them." if not known else "", end="")
    raise typer.Exit(1 if any(outcomes.values()) else 0)


@app.command()
def send(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Send once what is due. A running server does so by itself. Exits with 1 when a channel takes something not."""
    outcomes = wire(config_file).outbox.send()
    failed = [why for why in outcomes if why is not None]
    if as_json:
        print_json({"sent": len(outcomes) - len(failed), "failed": failed})
    else:
        print(safe("\n".join([f"{len(outcomes) - len(failed)} notices were taken.", *failed])))
    raise typer.Exit(1 if failed else 0)
