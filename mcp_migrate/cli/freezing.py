"""How is a target kept as it is, and let go on?"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, ask_once, safe, wire
from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.leave import freezing
from mcp_migrate.model import canonical
from mcp_migrate.wiring import account

TargetArgument = Annotated[str, typer.Argument(help="The target; all of them where none is named.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for whoever is refused and whoever reads this later.")
]


def freeze(
    reason: ReasonOption, target: TargetArgument = freezing.EVERYTHING, config_file: ConfigOption = None
) -> None:
    """Have nothing change TARGET, on every server that shares the ledger, from their next call on. Reading goes on."""
    wiring, now = wire(config_file), datetime.now(UTC)
    freezing.freeze(target, reason, account(), wiring.settings, wiring.ledger, now=now)
    print(safe(f"{_named(target)} is frozen. `mcp-migrate thaw` lets it go on."))


def thaw(
    reason: ReasonOption,
    target: TargetArgument = freezing.EVERYTHING,
    key: Annotated[Path | None, typer.Option("--key", help="An admin's key; needed where there are admins.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Lift the freeze of TARGET, with an admin's signature where the configuration names admins."""
    wiring, now = wire(config_file), datetime.now(UTC)
    found = freezing.standing(target, wiring.settings, wiring.ledger)
    if found is None:
        raise InvalidArgumentsError(
            f"No freeze of {_named(target)} stands.", hint="`mcp-migrate doctor` shows what is frozen."
        )
    entry = _signed(found, reason, key, now)
    freezing.thaw(entry, wiring.settings, wiring.ledger, now=now)
    print(safe(f"{_named(target)} goes on."))


def _signed(found: freezing.Frozen, reason: str, key: Path | None, now: datetime) -> dict[str, Any]:
    """What lifts this freeze, with a signature where there is a key."""
    nonce = secrets.token_hex(16)
    if key is None:
        said = freezing.statement(found, reason, by=account(), key=None, at=now, nonce=nonce)
        return {"statement": said, "signature": None}
    from mcp_migrate.signers.sign import public_key_of, sign

    passphrase = ask_once(key)
    public = public_key_of(key, passphrase=passphrase)
    said = freezing.statement(found, reason, by=account(), key=public.fingerprint, at=now, nonce=nonce)
    signature = sign(canonical(said), key, passphrase=passphrase, namespace=freezing.NAMESPACE)
    return {"statement": said, "signature": signature}


def _named(target: str) -> str:
    return "everything" if target == freezing.EVERYTHING else target
