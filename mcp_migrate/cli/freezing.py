"""How is a target kept as it is, and let go on?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, safe, wire
from mcp_migrate.cli.signing import signed_by_admin
from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.leave import freezing
from mcp_migrate.wiring import account

TargetArgument = Annotated[str, typer.Argument(help="The target; all of them where none is named.")]
_ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for whoever is refused and whoever reads this later.")
]


def freeze(
    reason: _ReasonOption, target: TargetArgument = freezing.EVERYTHING, config_file: ConfigOption = None
) -> None:
    """Have nothing change TARGET, on every server that shares the ledger, from their next call on. Reading goes on."""
    wiring, now = wire(config_file), datetime.now(UTC)
    entry = freezing.freeze(target, reason, account(), wiring.settings, wiring.ledger, now=now)
    print(safe(f"{_named(target)} is frozen, by entry {entry}. `mcp-migrate thaw` lets it go on."))


def thaw(
    reason: _ReasonOption,
    target: TargetArgument = freezing.EVERYTHING,
    entry: Annotated[int | None, typer.Option("--entry", help="The freeze to lift, by its entry.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Lift all freezes of TARGET that stand.")] = False,
    key: Annotated[Path | None, typer.Option("--key", help="An admin's key; needed where there are admins.")] = None,
    config_file: ConfigOption = None,
) -> None:
    """Lift a freeze of TARGET, with an admin's signature where the configuration names admins.

    Where several stand, say which: each is somebody's own.
    """
    wiring, now = wire(config_file), datetime.now(UTC)
    stand = freezing.standing(target, wiring.settings, wiring.ledger)
    found = _chosen(stand, target, entry, every=every)
    said = freezing.statement(found, reason, by=account(), at=now, nonce=secrets.token_hex(16))
    freezing.thaw(signed_by_admin(said, key, freezing.NAMESPACE), wiring.settings, wiring.ledger, now=now)
    left = len(stand) - len(found)
    print(safe(f"{_named(target)} stays frozen: {left} more stand." if left else f"{_named(target)} goes on."))


def _chosen(
    stand: Sequence[freezing.Frozen], target: str, entry: int | None, *, every: bool
) -> Sequence[freezing.Frozen]:
    found = [each for each in stand if entry in {None, each.seq}]
    if not found:
        raise InvalidArgumentsError(
            f"No such freeze of {_named(target)} stands.", hint="`mcp-migrate doctor` shows what is frozen."
        )
    if len(found) > 1 and not every:
        listed = "; ".join(f"{each.seq} by {each.by}, since {each.since}: {each.reason}" for each in found)
        raise InvalidArgumentsError(
            f"{len(found)} freezes of {_named(target)} stand: {listed}.", hint="Name one with --entry, or say --all."
        )
    return found


def _named(target: str) -> str:
    return "everything" if target == freezing.EVERYTHING else target
