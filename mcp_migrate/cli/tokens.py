"""Which launch tokens and grants hold, and how is one taken back?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, one_line, print_json, wire
from mcp_migrate.leave import revoking
from mcp_migrate.wiring import account

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_tokens(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the launch tokens and grants that hold now, by the names under which they are on the ledger."""
    found = list(revoking.holding(wire(config_file).ledger, now=datetime.now(UTC)))
    if as_json:
        print_json([{**asdict(proof), "what": proof.what} for proof in found])
        return
    for proof in found:
        whose, by = one_line(proof.principal), one_line(proof.by)
        print(f"{proof.name}  {proof.what} of {whose}  until {proof.until}  by {by}")
    if not found:
        print("None holds.")


@app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(metavar="NAME|PRINCIPAL", help="As `tokens list` shows it, or all of one.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever is refused and whoever reads this later.")],
    config_file: ConfigOption = None,
) -> None:
    """Take a launch token or a grant back, on every server that shares the ledger, from its next call on."""
    wiring, now = wire(config_file), datetime.now(UTC)
    for proof in revoking.revoke(which, reason, account(), wiring.ledger, now=now):
        print(f"The {proof.what} {proof.name} of {one_line(proof.principal)} counts no longer.")
