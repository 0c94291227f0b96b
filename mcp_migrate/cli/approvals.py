"""What waits for people, what exactly are they asked, and how do they answer?"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mcp_migrate.__main__ import Wiring
from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.cli.request_text import render
from mcp_migrate.errors import (
    ApprovalDeniedError,
    ApprovalExpiredError,
    ApprovalInvalidError,
    RequestNotFoundError,
)
from mcp_migrate.ledger import Draft, Event, Kind
from mcp_migrate.model import canonical
from mcp_migrate.notices import told
from mcp_migrate.tools.approval_status import request_status

app = typer.Typer(no_args_is_help=True)
KeyOption = Annotated[Path, typer.Option("--key", help="Your private SSH key, or the .pub of a key in your agent.")]
RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="A request id, req_…")]


@app.command("list")
def list_requests(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the requests, newest first."""
    wiring = wire(config_file)
    requests = wiring.ledger.last(Kind.APPROVAL_REQUESTED, limit=100)
    rows = [_row(wiring, request) for request in requests]
    if as_json:
        print_json(rows)
        return
    for row in rows or [{}]:
        print("  ".join(safe(value) for value in row.values()) if row else "Nothing waits for approval.")


@app.command()
def show(request_id: RequestArgument, config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one request: who asks what of which target, what would be lost, and each statement."""
    wiring = wire(config_file)
    request = _find(wiring, request_id)
    status = request_status(request, wiring.ledger, wiring.settings, now=datetime.now(UTC))
    words = ("channel", "occasion", "outcome")
    told_people = [dict(zip(words, each, strict=True)) for each in told(request, wiring.settings, wiring.ledger)]
    if as_json:
        print_json({"request": request.body, "status": status, "told": told_people})
        return
    print(render(request.body, status))
    for notice in told_people:
        print(safe("Told      {channel}, {occasion}: {outcome}".format(**notice)))


@app.command()
def approve(
    request_id: RequestArgument,
    key: KeyOption,
    reviewer: Annotated[str | None, typer.Option("--as", help="Which reviewer you are.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve exactly this request with your signature."""
    _decide(request_id, "approve", key, reviewer, None, wire(config_file), as_json=as_json)


@app.command()
def deny(
    request_id: RequestArgument,
    key: KeyOption,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the agent and for the record.")],
    reviewer: Annotated[str | None, typer.Option("--as", help="Which reviewer you are.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deny this request with your signature; one denial ends it."""
    _decide(request_id, "deny", key, reviewer, reason, wire(config_file), as_json=as_json)


def _decide(
    request_id: str,
    verdict: Any,
    key_file: Path,
    reviewer: str | None,
    reason: str | None,
    wiring: Wiring,
    *,
    as_json: bool,
) -> None:
    from mcp_migrate.signers.decisions import check, statement
    from mcp_migrate.signers.sign import public_key_of, sign

    request, now = _find(wiring, request_id), datetime.now(UTC)
    _refuse_ended(request_status(request, wiring.ledger, wiring.settings, now=now))
    passphrase = _ask_once(key_file)
    public = public_key_of(key_file, passphrase=passphrase)
    head = wiring.ledger.head()
    said = statement(
        request.body,
        verdict,
        reviewer=reviewer or _whose(public.fingerprint, wiring),
        key=public,
        at=now,
        nonce=secrets.token_hex(16),
        head={"size": head.size, "root": head.root},
        reason=reason,
    )
    decision = {"statement": said, "signature": sign(canonical(said), key_file, passphrase=passphrase)}
    held = check(decision, request.body, wiring.settings)
    wiring.ledger.append(Draft(Kind.APPROVAL_DECIDED, decision, workflow=request.workflow, subject=request_id), at=now)
    status = request_status(request, wiring.ledger, wiring.settings, now=now)
    if as_json:
        print_json(status)
        return
    print(f"{held.reviewer} has signed: {verdict} {request_id} ({held.assurance}). It is now {status['status']}.")


def _row(wiring: Wiring, request: Event) -> dict[str, Any]:
    status = request_status(request, wiring.ledger, wiring.settings, now=datetime.now(UTC))
    body = request.body
    return {
        "request_id": body["request_id"],
        "status": status["status"],
        "target": body["target"],
        "tool": body["tool"],
        "effects": ",".join(body["effects"]),
        "principal": body["principal"],
        "expires_at": body["expires_at"],
    }


def _find(wiring: Wiring, request_id: str) -> Event:
    events = wiring.ledger.find(Kind.APPROVAL_REQUESTED, request_id)
    if not events:
        raise RequestNotFoundError(
            f"There is no request {safe(request_id)!r}.", hint="`mcp-migrate approvals list` shows them."
        )
    return events[0]


def _refuse_ended(status: Mapping[str, Any]) -> None:
    if status["status"] == "expired":
        raise ApprovalExpiredError("This request has expired.", hint="The agent has to ask again.")
    if status["status"] == "denied":
        raise ApprovalDeniedError("This request was denied; that stands.", hint="Nothing is left to decide.")
    if status["status"] == "used":
        raise ApprovalInvalidError("This request was approved and used.", hint="Nothing is left to decide.")


def _whose(fingerprint: str, wiring: Wiring) -> str:
    from mcp_migrate.signers.keys import parse_public_key

    for name, reviewer in wiring.settings.reviewers.items():
        if any(parse_public_key(line).fingerprint == fingerprint for line in reviewer.ssh_keys):
            return name
    raise ApprovalInvalidError(
        f"The key {fingerprint} belongs to no enrolled reviewer.",
        hint="An admin has to add its public key under `reviewers` in the configuration.",
    )


def _ask_once(key_file: Path) -> Any:
    """Ask for the passphrase when it is first needed, and remember it for this command."""
    known: list[str] = []

    def passphrase() -> str:
        if not known:
            known.append(getpass.getpass(f"Passphrase for {key_file}: "))
        return known[0]

    return passphrase
