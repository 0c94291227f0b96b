"""Where is a target, what is pending, and is it what its revision should give?"""

from __future__ import annotations

from typing import Any

from mcp_migrate.cli.common import ConfigOption, JsonOption, one_line, print_json, wire
from mcp_migrate.cli.diff import DiagramOption, TargetArgument, line, print_pictures
from mcp_migrate.tools.comparing import replay
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.standing import Standing, pending, standing

_SHOWN = 40


def status(
    target: TargetArgument,
    diagram: DiagramOption = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show revision, pending revisions, drift and the last applies of TARGET."""
    wiring = wire(config_file)
    database = wiring.open_database(target)
    found = standing(database, wiring.ledger, wiring.settings)
    pictures = _pictures(database, found) if diagram else {}
    if as_json:
        print_json({**found.shown(), **pictures})
        return
    _print(target, found)
    print_pictures(pictures)


def _print(target: str, found: Standing) -> None:
    told = found.shown()
    waiting = [f"{item['revision']} {item['message']}" for item in told["pending"]]
    print(
        f"{target} is at {one_line(told['revision'] or 'base')}; heads: {one_line(', '.join(told['heads']) or 'none')}"
    )
    print(f"Pending   {one_line('; '.join(waiting)) or 'nothing'}")
    print(f"Drift     {one_line(told['drift']['summary'] if told['drift'] else found.drift.why_not)}")
    for change in found.drift.changes[:_SHOWN]:
        print(line(change))
    for each in found.frozen:
        print(f"FROZEN    {one_line(each.sentence(target))}")
    if found.unexplained:
        print(f"CHANGED   without a record: {one_line(found.unexplained.summary())}")
        print(f"          `mcp-migrate ledger reconcile {target}` asks people to sign for it")
    if found.left:
        checks = ", ".join(check["name"] for check in found.left.checks) or "not known"
        name = one_line(found.left.apply.apply_id)
        print(f"WAITS     until {name} is taken back or found to hold; its checks that fail: {one_line(checks)}")
    for apply in told["in_flight"]:
        print(f"In flight {one_line(apply['apply_id'])}: {one_line(apply['plan_id'])} since {apply['started_at']}")
    for apply in told["last_applies"]:
        ends = f"{apply['from_revision'] or 'base'} to {apply['to_revision'] or 'base'}"
        print(f"Applied   {one_line(apply['apply_id'])}: {one_line(ends)}, {one_line(apply['status'])}")


def _pictures(database: Database, found: Standing) -> dict[str, Any]:
    """What the pending revisions would make of the target; if nothing is pending, what its drift made of it."""
    from mcp_migrate.schema import diff
    from mcp_migrate.schema.diagram import before_and_after

    before, after, changes = found.drift.should, found.live.schema, found.drift.changes
    if pending(found.info, found.live):
        before, after = found.live.schema, replay(database, found.live, "head").schema
        changes = diff(before, after)
    if before is None:
        return {}
    was, now = before_and_after(before, after, changes)
    return {"diagram_before": was, "diagram_after": now}
