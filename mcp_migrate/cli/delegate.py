"""How does a principal hand a part of its leave on to a worker, for a while?"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, duration, wire
from mcp_migrate.cli.signing import OwnKey
from mcp_migrate.model import Effect, Grant

_Names = list[str]


def delegate(
    worker: Annotated[str, typer.Argument(help="To whom: a worker of the same workflow.")],
    principal: Annotated[str, typer.Option("--as", help="Who hands it on.")],
    key: Annotated[Path, typer.Option("--key", help="The private SSH key of whoever hands it on.")],
    tools: Annotated[_Names, typer.Option("--tool", help="A glob on tools; may be repeated.")],
    targets: Annotated[_Names, typer.Option("--target", help="A glob on targets; may be repeated.")],
    effects: Annotated[list[Effect] | None, typer.Option("--effect", help="Beside `read`; may be repeated.")] = None,
    objects: Annotated[_Names | None, typer.Option("--object", help="A glob on schema.table.")] = None,
    ttl: Annotated[str, typer.Option("--ttl", help="How long: 30m, 8h.")] = "1h",
    uses: Annotated[int | None, typer.Option("--uses", min=1, help="How many changes may begin by it.")] = None,
    under: Annotated[list[Path] | None, typer.Option("--under", help="A grant that --as itself acts by.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Sign a grant, printed once: never more than --as has. The server of WORKER starts with --grant FILE."""
    from mcp_migrate.leave.delegation import chain_of, made
    from mcp_migrate.settings.private import read_private_line
    from mcp_migrate.signers.granting import NAMESPACE, statement

    wiring, own, now = wire(config_file), OwnKey(key), datetime.now(UTC)
    texts = [read_private_line(file, "grant") for file in under or ()]
    chain = chain_of(texts, principal, wiring.settings, wiring.ledger, now=now)
    ends = min([now + duration(ttl), *(grant.until for grant in chain)])  # with what it rests on at the latest
    handed = Grant("", principal, worker, tuple(tools), tuple(targets), ends, frozenset(effects or ()), uses=uses)
    said = {**handed.told(), "objects": objects or None}
    del said["grant_id"]
    text = own.line(statement(said, key=own.public, at=now, nonce=secrets.token_hex(16)), NAMESPACE)
    made(text, chain, wiring.settings, wiring.ledger, now=now)
    print(text)
