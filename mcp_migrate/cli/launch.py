"""How does a server get to know that it may call itself a principal? An admin signs a token for some hours."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, duration, wire
from mcp_migrate.cli.signing import OwnKey


def launch_token(
    principal: Annotated[str, typer.Argument(help="The principal, as a workflow names it.")],
    key: Annotated[Path, typer.Option("--key", help="An admin's private SSH key, or the .pub of one in your agent.")],
    ttl: Annotated[str, typer.Option("--ttl", help="How long it holds: 30m, 8h; 24h at most.")] = "8h",
    config_file: ConfigOption = None,
) -> None:
    """Sign a token with which `serve --as PRINCIPAL --token-file FILE` proves its name. It is printed once."""
    from mcp_migrate.leave.launches import made
    from mcp_migrate.signers import launch

    wiring, own, now = wire(config_file), OwnKey(key), datetime.now(UTC)
    wiring.settings.workflow_of(principal)
    said = launch.statement(principal, key=own.public, at=now, ttl=duration(ttl), nonce=secrets.token_hex(16))
    text = own.line(said, launch.NAMESPACE)
    made(text, wiring.settings, wiring.ledger, now=now)
    print(text)
