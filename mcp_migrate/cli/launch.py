"""How does a server get to know that it may call itself a principal? An admin signs a token for some hours."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, ask_once, wire
from mcp_migrate.model import canonical


def launch_token(
    principal: Annotated[str, typer.Argument(help="The principal, as a workflow names it.")],
    key: Annotated[Path, typer.Option("--key", help="An admin's private SSH key, or the .pub of one in your agent.")],
    ttl: Annotated[str, typer.Option("--ttl", help="How long it holds: 30m, 8h; 24h at most.")] = "8h",
    config_file: ConfigOption = None,
) -> None:
    """Sign a token with which `serve --as PRINCIPAL --token-file FILE` proves its name. It is printed once."""
    from mcp_migrate.leave.launches import made
    from mcp_migrate.settings.values import seconds
    from mcp_migrate.signers import launch
    from mcp_migrate.signers.line import line
    from mcp_migrate.signers.sign import public_key_of, sign

    wiring, passphrase, now = wire(config_file), ask_once(key), datetime.now(UTC)
    wiring.settings.workflow_of(principal)
    try:
        lives = timedelta(seconds=seconds(ttl))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    public = public_key_of(key, passphrase=passphrase)
    said = launch.statement(principal, key=public, at=now, ttl=lives, nonce=secrets.token_hex(16))
    text = line(said, sign(canonical(said), key, passphrase=passphrase, namespace=launch.NAMESPACE))
    made(text, wiring.settings, wiring.ledger, now=now)
    print(text)
