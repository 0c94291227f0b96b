"""Does the record explain what a target is? A person asks, and reviewers sign for what it does not explain."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mcp_migrate import __version__
from mcp_migrate.__main__ import choose_principal
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.cli.diff import TargetArgument
from mcp_migrate.model import Call, Caller


def reconcile(
    target: TargetArgument,
    principal: Annotated[str | None, typer.Option("--as", help="The principal that asks; its scopes hold.")] = None,
    intent: Annotated[str, typer.Option("--intent", help="Why, for the record.")] = "holding a target to the record",
    as_base: Annotated[
        bool, typer.Option("--accept-as-base", help="Nothing of it is on the record yet: take it as it is.")
    ] = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what changed TARGET without being on the record, and have a reviewer sign for it.

    Exits with 1 while something waits for a signature. Run it again once it was signed: then what was signed for is
    the base that later changes are held to.
    """
    from mcp_migrate.tools.ledger_reconcile import Reconcile

    wiring = wire(config_file)
    call = Call(
        call_id=f"call_{secrets.token_hex(10)}",
        tool="ledger_reconcile",
        arguments={"target": target, **({"accept_as_base": True} if as_base else {})},
        intent=intent,
        caller=Caller(choose_principal(wiring.settings, principal)),
        at=datetime.now(UTC),
        client=f"mcp-migrate ledger reconcile {__version__}",
    )
    done = wiring.pipeline.run(call, Reconcile())
    print_json(done) if as_json else print(safe("\n".join(_words(target, done))))
    if done["status"] == "approval_required":
        raise typer.Exit(1)


def _words(target: str, done: Mapping[str, Any]) -> Iterator[str]:
    match done["status"]:
        case "explained":
            yield f"{target} is what {done['by']} left it as."
        case "nothing_recorded":
            yield str(done["next"]["hint"])
        case "accepted":
            yield f"What {target} is now is on the record as the base: {done['fingerprint']}"
        case _:
            needs = done["needs"]
            yield f"{target} was changed by something that is not on the record."
            yield f"  {done['request_id']} waits for {needs['approvals']} signature(s) of {needs['from']}."
            if needs.get("too_few"):
                yield f"  {done['next']['hint']}"
            yield f"  What was found: {done['review_command']}"
            yield "  Once it is signed, run this again."
