"""What does the record say, who can prove it, and who else is to know its head?"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.cli.ledger_drill import drill
from mcp_migrate.cli.ledger_evidence import evidence
from mcp_migrate.cli.ledger_places import move, sql
from mcp_migrate.cli.ledger_reconcile import reconcile
from mcp_migrate.cli.ledger_retention import purge, seal
from mcp_migrate.cli.ledger_verify import check_proof, verify
from mcp_migrate.errors import InvalidArgumentsError, LedgerCorruptError
from mcp_migrate.ledger import Event
from mcp_migrate.ledger.export import FORMATS, csv_header, jsonl
from mcp_migrate.ledger.proof_file import write
from mcp_migrate.ledger.proofs import verify_inclusion
from mcp_migrate.ledger.walking import walk

app = typer.Typer(no_args_is_help=True)
_FOLLOW_SECONDS = 0.5


app.command()(verify)
app.command()(evidence)
app.command()(drill)
app.command()(reconcile)
app.command()(move)
app.command("sql")(sql)
app.command()(seal)
app.command()(purge)


@app.command()
def checkpoint(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Sign the head, hand it to every witness now, and print it. Exits with 1 when a witness does not take it."""
    keeper = wire(config_file).keeper
    signed = keeper.sign()
    outcomes = keeper.push(at_once=True)
    key = str(keeper.keys()[0])
    if as_json:
        size, root = signed.head.size, signed.head.root
        print_json({"checkpoint": str(signed.note), "size": size, "root": root, "key": key, "witnesses": outcomes})
    else:
        print(str(signed.note), end="")
        print(f"key {key}", file=sys.stderr)
        for name, why in outcomes.items():
            print(safe(f"{name}: {why or 'taken'}"), file=sys.stderr)
    raise typer.Exit(1 if any(outcomes.values()) else 0)


@app.command()
def prove(
    seq: Annotated[int, typer.Argument(min=0, help="The entry, as `ledger tail` numbers it.")],
    config_file: ConfigOption = None,
) -> None:
    """Print a proof that this entry is in the ledger, with a checkpoint: it verifies on a machine without either."""
    wiring = wire(config_file)
    newest = wiring.keeper.newest()
    if newest is None or newest.head.size <= seq:
        newest = wiring.keeper.sign()
    hashes = wiring.ledger.prove_inclusion(seq, newest.head.size)
    (event,) = wiring.ledger.read(since=seq, limit=1) or (None,)
    if event is None or event.seq != seq:
        raise InvalidArgumentsError(
            f"What entry {seq} said was purged.", hint="Look in the segment that `ledger verify` names."
        )
    if not verify_inclusion(event.leaf, seq, newest.head.size, hashes, bytes.fromhex(newest.head.root)):
        raise LedgerCorruptError(f"Entry {seq} cannot be proved.", hint="Run `mcp-migrate ledger verify`.")
    print(write(seq, hashes, str(newest.note), event.canonical()), end="")


@app.command("check")
def check(
    proof: Annotated[Path, typer.Argument(help="What `ledger prove` wrote.")],
    config_file: ConfigOption = None,
    keys: Annotated[list[str] | None, typer.Option("--key", help="A verifier key of the ledger.")] = None,
) -> None:
    """Check a proof, without the ledger, and show the entry that it proves."""
    print(safe(check_proof(proof, config_file, keys)))


@app.command()
def export(
    config_file: ConfigOption = None,
    style: Annotated[str, typer.Option("--format", help="jsonl, csv or ocsf.")] = "jsonl",
    since: Annotated[int, typer.Option(min=0, help="The first entry.")] = 0,
) -> None:
    """Print entries for other tools, one a line."""
    if style not in FORMATS:
        raise typer.BadParameter(f"{style!r} is none of {', '.join(FORMATS)}", param_hint="--format")
    ledger = wire(config_file).ledger
    if style == "csv":
        print(csv_header())
    for event in walk(ledger, since=since):
        print(FORMATS[style](event))


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
            print(jsonl(event), flush=True) if as_json else print(_line(event), flush=True)
        if not follow:
            return
        time.sleep(_FOLLOW_SECONDS)


@app.command()
def tag(config_file: ConfigOption = None) -> None:
    """Print what stands on the record in place of a value, which is read from standard input."""
    print(wire(config_file).redactor.tag(sys.stdin.read().removesuffix("\n")))


def _line(event: Event) -> str:
    body, signed = event.body, event.body.get("statement")
    told = [body.get(key) for key in ("tool", "target", "status", "code", "principal", "intent")]
    told += [signed.get(key) for key in ("decision", "reviewer")] if isinstance(signed, Mapping) else []
    words = "  ".join(safe(value) for value in told if value)
    return f"{event.seq:>6}  {event.at[:19]}  {event.kind:<20}  {event.subject or '':<28}  {words}"
