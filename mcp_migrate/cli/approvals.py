"""What waits for people, what exactly are they asked, and how do they answer?"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcp_migrate.__main__ import choose_principal
from mcp_migrate.approvals import deciding
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.approvals.standing import standing
from mcp_migrate.cli import fatigue
from mcp_migrate.cli.common import ConfigOption, JsonOption, duration, print_json, safe, wire
from mcp_migrate.cli.request_text import render
from mcp_migrate.cli.signing import OwnKey
from mcp_migrate.errors import ApprovalInvalidError, RequestNotFoundError
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.notices import told
from mcp_migrate.tools.approval_status import request_status
from mcp_migrate.web.weighing import RUNS, questions, refuse_unweighed
from mcp_migrate.wiring import Wiring

if TYPE_CHECKING:
    from mcp_migrate.signers.decisions import Verdict

app = typer.Typer(no_args_is_help=True)
app.command()(fatigue.report)
app.command()(fatigue.canary)
_KeyOption = Annotated[Path, typer.Option("--key", help="Your private SSH key, or the .pub of a key in your agent.")]
_RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="A request id, req_…")]


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
def show(request_id: _RequestArgument, config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
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
    request_id: _RequestArgument,
    key: _KeyOption,
    reviewer: Annotated[str | None, typer.Option("--as", help="Which reviewer you are.")] = None,
    not_before: Annotated[
        datetime | None,
        typer.Option(
            help="When it may run at the earliest, as 2026-11-24T22:00:00+01:00.", formats=["%Y-%m-%dT%H:%M:%S%z"]
        ),
    ] = None,
    covers_rollback: Annotated[
        timedelta | None,
        typer.Option(
            help="Approve its rollback as well, once, for so long from when it may run, as 4h.",
            parser=duration,
            metavar="DURATION",
        ),
    ] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve exactly this request with your signature."""
    times = {"not_before": not_before, "rollback_for": covers_rollback}
    _decide(request_id, "approve", key, wire(config_file), reviewer=reviewer, as_json=as_json, **times)


@app.command()
def deny(
    request_id: _RequestArgument,
    key: _KeyOption,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the agent and for the record.")],
    reviewer: Annotated[str | None, typer.Option("--as", help="Which reviewer you are.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deny this request with your signature; one denial ends it."""
    _decide(request_id, "deny", key, wire(config_file), reviewer=reviewer, as_json=as_json, reason=reason)


@app.command()
def reopen(
    request_id: _RequestArgument,
    key: _KeyOption,
    reason: Annotated[str, typer.Option("--reason", help="Why it may be asked again, for the record.")],
    reviewer: Annotated[str | None, typer.Option("--as", help="Which reviewer you are.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a denied change be asked again, with your signature. It approves nothing."""
    _decide(request_id, "reopen", key, wire(config_file), reviewer=reviewer, as_json=as_json, reason=reason)


@app.command("break-glass")
def break_glass(
    request_id: _RequestArgument,
    key: Annotated[list[Path], typer.Option("--key", help="Your two keys, one after the other.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it cannot wait for others; they will read it.")],
    reviewer: Annotated[str | None, typer.Option("--as", help="Which reviewer you are.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Act alone, where the configuration names you: everyone is told, and others review it afterwards."""
    wiring = wire(config_file)
    for each in key:
        _decide(request_id, "break-glass", each, wiring, reviewer=reviewer, as_json=as_json, reason=reason)


@app.command()
def withdraw(
    request_id: _RequestArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why it is not needed any more.")],
    principal: Annotated[str | None, typer.Option("--as", help="The principal that asked.")] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back a request of your own that nobody needs any more."""
    wiring, now = wire(config_file), datetime.now(UTC)
    request, asker = _find(wiring, request_id), choose_principal(wiring.settings, principal)
    deciding.withdraw(request, asker, reason, wiring.settings, wiring.ledger, now=now)
    _tell(request, wiring, f"{asker} has withdrawn {request_id}.", now, as_json=as_json)


@app.command()
def serve(
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Instead of the configuration's; 0 takes a free one.")
    ] = None,
    config_file: ConfigOption = None,
) -> None:
    """Serve the review pages to this machine's browsers until it is interrupted."""
    from mcp_migrate.web.serving import open_pages

    wiring = wire(config_file)
    pages = open_pages(wiring.settings, wiring.ledger, port=port)
    print(f"The review pages are at {pages.origin}", flush=True)
    pages.serve()


def _decide(
    request_id: str, verdict: Verdict, key: Path, wiring: Wiring, *, reviewer: str | None, as_json: bool, **said: Any
) -> None:
    """Sign and record; what is `said` beside, a reason or times, is as `deciding.draft` takes it."""
    from mcp_migrate.signers.interface import NAMESPACE

    request, now = _find(wiring, request_id), datetime.now(UTC)
    stands = standing(request, wiring.ledger, wiring.settings)
    own = OwnKey(key)
    attempt = {"decision": verdict, "reviewer": reviewer, "key": own.public.fingerprint}
    if verdict in RUNS and sys.stdin.isatty():
        weigh(request, partial(typer.prompt, prompt_suffix=" "))
    with deciding.refusals_recorded(request, wiring.ledger, now, attempt):
        if verdict != "reopen":
            deciding.refuse_ended(stands.status(wiring.ledger.no_earlier(now, since=request)))
        name = reviewer or _whose(own.public.fingerprint, wiring)
    statement = deciding.draft(
        request,
        verdict,
        reviewer=name,
        key=own.public,
        lifts=[denial.nonce for denial in stands.binding],
        ledger=wiring.ledger,
        now=now,
        nonce=secrets.token_hex(16),
        **said,
    )
    record = {"reopen": deciding.reopen, "break-glass": deciding.break_glass}.get(verdict, deciding.decide)
    held = record(own.signed(statement, NAMESPACE), request, wiring.settings, wiring.ledger, now=now)
    said_so = f"{name} has signed: {verdict} {request_id} ({held.assurance})."
    if deciding.is_canary(request, wiring.ledger):
        said_so += " It was a canary: made up, and it had to be denied."
    _tell(request, wiring, said_so, now, as_json=as_json)


def weigh(request: Event, ask: Callable[[str], str]) -> None:
    """Ask a person at a terminal what the page asks before a yes. Raises: InvalidArgumentsError."""
    said = {
        each.field: ask(safe(each.asks if each.numeric else f"{each.asks} {each.answer}"))
        for each in questions(request.body)
    }
    refuse_unweighed(request.body, said)


def _tell(request: Event, wiring: Wiring, sentence: str, now: datetime, *, as_json: bool) -> None:
    """What was done, and how the request stands now."""
    status = request_status(request, wiring.ledger, wiring.settings, now=now)
    if as_json:
        print_json(status)
    elif status["reopened"]:
        print(f"{sentence} The change may be asked again.")
    else:
        print(f"{sentence} It is now {status['status']}.")


def _row(wiring: Wiring, request: Event) -> dict[str, Any]:
    status = request_status(request, wiring.ledger, wiring.settings, now=datetime.now(UTC))
    body = request.body
    return {
        "request_id": body["request_id"],
        "status": status["status"],
        "purpose": body.get("purpose", "change"),
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


def _whose(fingerprint: str, wiring: Wiring) -> str:
    found = reviewers(wiring.settings, wiring.ledger).holder(fingerprint)
    if found is None:
        raise ApprovalInvalidError(
            f"The key {fingerprint} belongs to no enrolled reviewer.",
            hint="An admin has to let it in with `mcp-migrate reviewers enroll`, or name it in the configuration.",
        )
    return found[0].name
