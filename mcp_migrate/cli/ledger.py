"""Is the record whole, and what does it say?"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.ledger import Event, Finding, Head

app = typer.Typer(no_args_is_help=True)
_FOLLOW_SECONDS = 0.5


@app.command()
def verify(
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
    trusted: Annotated[
        list[str] | None, typer.Option("--root", metavar="SIZE:HASH", help="A head you noted earlier.")
    ] = None,
) -> None:
    """Recompute every hash; fails on an edited, missing, inserted or reordered entry and on a cut tail."""
    from mcp_migrate.ledger import verify as verify_ledger

    found = verify_ledger(wire(config_file).settings.ledger, trusted=[_head(text) for text in trusted or ()])
    if as_json:
        findings = [{"seq": finding.seq, "why": finding.why} for finding in found.findings]
        print_json({"ok": found.ok, "size": found.head.size, "root": found.head.root, "findings": findings})
    elif found.ok:
        print(f"The ledger is whole: {found.head.size} entries, root {found.head.root}")
    else:
        print("THE LEDGER HAS BEEN TAMPERED WITH:\n" + "\n".join(_finding(finding) for finding in found.findings))
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def tail(
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as entries come.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="How many to begin with.")] = 20,
) -> None:
    """Show the newest entries."""
    ledger = wire(config_file).ledger
    at = max(0, ledger.head().size - lines)
    while True:
        for event in ledger.read(since=at, limit=1000):
            at = event.seq + 1
            print_json(_entry(event)) if as_json else print(_line(event))
        if not follow:
            return
        time.sleep(_FOLLOW_SECONDS)


def _finding(finding: Finding) -> str:
    where = "" if finding.seq is None else f"entry {finding.seq}: "
    return f"  {where}{safe(finding.why)}"


def _head(text: str) -> Head:
    size, _, root = text.partition(":")
    if not size.isdecimal() or len(root) != 64:  # noqa: PLR2004  a SHA-256 in hexadecimal
        raise typer.BadParameter(f"{text!r} is not SIZE:HASH", param_hint="--root")
    return Head(int(size), root)


def _entry(event: Event) -> dict[str, object]:
    return {
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "workflow": event.workflow,
        "call_id": event.call_id,
        "subject": event.subject,
        "body": event.body,
        "root": event.root.hex(),
    }


def _line(event: Event) -> str:
    body = event.body
    told = [body.get(key) for key in ("tool", "target", "status", "code", "principal", "intent")]
    words = "  ".join(safe(value) for value in told if value)
    return f"{event.seq:>6}  {event.at[:19]}  {event.kind:<20}  {event.subject or '':<28}  {words}"
