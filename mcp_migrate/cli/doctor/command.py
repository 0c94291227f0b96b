"""What does `mcp-migrate doctor` look at, and in which order?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from mcp_migrate.cli.common import ConfigOption, JsonOption, print_json, safe, wire
from mcp_migrate.cli.doctor.base import base
from mcp_migrate.cli.doctor.finding import Finding
from mcp_migrate.cli.doctor.keeping import keeping
from mcp_migrate.cli.doctor.people import people
from mcp_migrate.cli.doctor.targets import targets
from mcp_migrate.wiring import Wiring


def doctor(
    notify: Annotated[
        bool, typer.Option("--notify", help="Send each channel a notice that says it is a test.")
    ] = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold each promise against this machine, and say what to do where one is not kept; exit 1 when something fails."""
    findings = list(_look(wire(config_file), notify=notify))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print("\n".join(_lines(findings)))
    if any(finding.state == "fails" for finding in findings):
        raise typer.Exit(1)


def _look(wiring: Wiring, *, notify: bool) -> Iterator[Finding]:
    yield from base(wiring)
    yield from keeping(wiring)
    yield from people(wiring, notify=notify)
    yield from targets(wiring)


def _lines(findings: list[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"{finding.state:<6} {safe(finding.about)}: {safe(finding.said)}"
        if finding.fix:
            yield f"       → {safe(finding.fix)}"
    count = {state: sum(finding.state == state for finding in findings) for state in ("fails", "note")}
    yield f"{len(findings)} looked at: {count['fails']} fail, {count['note']} to know."
