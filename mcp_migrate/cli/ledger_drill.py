"""Would tampering with the record be found here, and by what? Shown on a copy, alteration by alteration."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.settings.references import resolve

if TYPE_CHECKING:
    from mcp_migrate.drill.running import Attempt, Drill
    from mcp_migrate.ledger import Finding

_SHOWN = 3
"""Findings of one alteration that are printed; JSON has them all."""


def drill(
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
    copy_in: Annotated[
        str | None, typer.Option(metavar="URL", help="For a ledger on PostgreSQL: another database, for the copy.")
    ] = None,
) -> None:
    """Tamper with a copy of the ledger in every known way, and show what finds each. The ledger itself is only read.

    Exits with 1 when something goes unnoticed that this configuration should notice.
    """
    from mcp_migrate.drill.running import drill as run  # what it needs of cryptography loads for this command alone

    into = resolve(copy_in) if copy_in else None
    done = run(wire(config_file).settings, now=datetime.now(UTC), into=into, told=_progress)
    print_json(_told(done)) if as_json else print(safe("\n".join(_words(done))))
    if not done.ok:
        raise typer.Exit(1)


def _progress(n: int, of: int, name: str) -> None:
    if sys.stderr.isatty():
        end = "\n" if n == of else ""
        print(f"\r\x1b[K{n}/{of} {name}", end=end, file=sys.stderr, flush=True)


def _words(done: Drill) -> list[str]:
    lines = [f"A copy of {done.head.size} entries was tampered with in {len(done.attempts)} ways."]
    for each in done.attempts:
        lines += [f"{_verdict(each):<9} {each.name}", *(f"          {line}" for line in _why(each))]
    lines += [f"note: {note}" for note in done.notes]
    missed = sum(each.missed for each in done.attempts)
    open_ = sum(not each.findings for each in done.attempts) - missed
    if missed:
        lines.append(f"{missed} WENT UNNOTICED THAT SHOULD BE FOUND HERE. Report this: it is a defect.")
    if open_:
        lines.append(f"{open_} can only be found by somebody outside: configure `checkpoints` with witnesses.")
    return [*lines, *(["Everything was found."] if not missed and not open_ else [])]


def _verdict(attempt: Attempt) -> str:
    return "MISSED" if attempt.missed else "found" if attempt.findings else "NOT FOUND"


def _why(attempt: Attempt) -> list[str]:
    if attempt.findings:
        return [_finding(each) for each in attempt.findings[:_SHOWN]]
    if not attempt.witnessed:
        return ["nobody who knows the head would find it either"]
    return ["nobody outside knows these entries; somebody who did would say", _finding(attempt.witnessed[0])]


def _finding(finding: Finding) -> str:
    return finding.why if finding.seq is None else f"entry {finding.seq}: {finding.why}"


def _told(done: Drill) -> dict[str, Any]:
    return {
        "ok": done.ok,
        "size": done.head.size,
        "known_outside": done.outside,
        "alterations": [
            {
                "name": each.name,
                "found": bool(each.findings),
                "expected": each.expected,
                "first_bad": each.first_bad,
                "by": [_finding(finding) for finding in each.findings],
                "by_a_witness": [_finding(finding) for finding in each.witnessed],
            }
            for each in done.attempts
        ],
        "notes": list(done.notes),
    }
