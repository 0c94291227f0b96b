"""How does a principal hand a part of its leave on to a worker, for a while?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, ask_once, wire
from mcp_migrate.model import Effect, Grant, canonical

Names = list[str]


def delegate(
    worker: Annotated[str, typer.Argument(help="To whom: a worker of the same workflow.")],
    principal: Annotated[str, typer.Option("--as", help="Who hands it on.")],
    key: Annotated[Path, typer.Option("--key", help="The private SSH key of whoever hands it on.")],
    tools: Annotated[Names, typer.Option("--tool", help="A glob on tools; may be repeated.")],
    targets: Annotated[Names, typer.Option("--target", help="A glob on targets; may be repeated.")],
    effects: Annotated[list[Effect] | None, typer.Option("--effect", help="Beside `read`; may be repeated.")] = None,
    objects: Annotated[Names | None, typer.Option("--object", help="A glob on schema.table.")] = None,
    ttl: Annotated[str, typer.Option("--ttl", help="How long: 30m, 8h.")] = "1h",
    uses: Annotated[int | None, typer.Option("--uses", min=1, help="How many changes may begin by it.")] = None,
    under: Annotated[list[Path] | None, typer.Option("--under", help="A grant that --as itself acts by.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Sign a grant, printed once: never more than --as has. The server of WORKER starts with --grant FILE."""
    from mcp_migrate.leave.delegation import chain_of, made
    from mcp_migrate.settings.private import read_private_line
    from mcp_migrate.signers.granting import NAMESPACE, statement
    from mcp_migrate.signers.line import line
    from mcp_migrate.signers.sign import public_key_of, sign

    wiring, passphrase, now = wire(config_file), ask_once(key), datetime.now(UTC)
    texts = [read_private_line(file, "grant") for file in under or ()]
    chain = chain_of(texts, principal, wiring.settings, wiring.ledger, now=now)
    public, ends = public_key_of(key, passphrase=passphrase), _ends(ttl, now, chain)
    handed = Grant("", principal, worker, tuple(tools), tuple(targets), ends, frozenset(effects or ()), uses=uses)
    said = {**handed.told(), "objects": objects or None}
    del said["grant_id"]
    signed = statement(said, key=public, at=now, nonce=secrets.token_hex(16))
    text = line(signed, sign(canonical(signed), key, passphrase=passphrase, namespace=NAMESPACE))
    made(text, chain, wiring.settings, wiring.ledger, now=now)
    print(text)


def _ends(ttl: str, now: datetime, chain: Sequence[Grant]) -> datetime:
    """With the grants that it rests on at the latest."""
    from mcp_migrate.settings.values import seconds

    try:
        ends = now + timedelta(seconds=seconds(ttl))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return min([ends, *(grant.until for grant in chain)])
