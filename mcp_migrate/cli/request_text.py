"""How is a request put so that a person decides in half a minute? The worst first, and nothing said twice."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from mcp_migrate.approvals.summary import (
    OURS,
    Judged,
    danger,
    effects_and_numbers,
    is_mild,
    is_ours,
    numbers_of,
    rehearsed,
    since_it_began,
    unexplained,
    unmet,
    used_by,
    warned,
    way_back,
    what_it_costs,
    why_asked,
    words_of_tool,
    worst_first,
)
from mcp_migrate.cli.common import one_line, safe
from mcp_migrate.leave.delegation import on_behalf

_WIDTH = 110
_ROLLBACK = 20
"""Statements of the way back that are shown."""

_OF_PLANS = frozenset({"Effects", "Rows now", "Way back", "Rehearsed", "Recorded"})
"""What there is nothing to say of where nothing would run."""


def render(body: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """The request as text: what will be lost first, the agent's own words last and marked as such."""
    plan = body["plan"] or {"statements": [], "reverse": {}, "doubts": []}
    quorum, judged = body["quorum"], body["judgements"]
    start, end = plan.get("from_revision") or "base", plan.get("to_revision") or "base"
    facts = [
        ("Request", f"{body['request_id']}: {status['status']}, expires {body['expires_at']}"),
        *warned(body, status),
        ("Needs", _needs(status["still_needed"], quorum)),
        ("What", _what(body, f"from {start} to {end}")),
        *(("FOUND", line) for line in unexplained(body)),
        *(("SINCE", line) for line in since_it_began(body)),
        *(("Database", one_line(f"{part}: {value}")) for part, value in (body.get("identity") or {}).items()),
        *(("FAILS NOW", f"{u['rows']} rows in the way: {u['why']}") for u in unmet(body)),
        ("Effects", effects_and_numbers(body["effects"], judged)),
        ("Rows now", ", ".join(f"{one_line(table)}: {n:,}" for table, n in body["rows"].items()) or "none counted"),
        ("Way back", way_back(plan["reverse"], body)),
        *(("Doubt", one_line(doubt)) for doubt in plan["doubts"]),
        *what_it_costs(judged),
        ("Asked by", f"{body['principal']}{on_behalf(body)} for workflow {body['workflow']}, owned by {body['owner']}"),
        *(("Used by", line) for line in used_by(body)),
        *why_asked(body),
        *rehearsed(body),
        *(("Asks", one_line(f"that no row is in the way: {c['why']}")) for c in plan.get("preconditions", ())),
        ("Recorded", f"in the cage {one_line(plan.get('cage', 'none'))}"),
    ]
    left_out = _OF_PLANS if unexplained(body) else frozenset[str]()
    facts = [(name, fact) for name, fact in facts if name not in left_out]
    lines = [line for name, fact in facts for line in wrapped(f"{name:<10}", fact)]
    if plan["statements"]:
        lines += ["", *_statements(plan["statements"], judged)]
    lines += ["", *_rollback(plan["reverse"])]
    who = body["principal"] if unexplained(body) else "The agent"
    lines += wrapped(f"{who} says (its own words): ", repr(body["intent"]))
    if said := words_of_tool(body):
        lines += wrapped("The tool says (its own words): ", repr(said))
    lines += [f"Plan digest {body['plan_digest']}"] if body["plan_digest"] else []
    lines += [f"Decision  {_told(decision)}" for decision in status["decisions"]]
    return safe("\n".join(lines))


def _needs(missing: int, quorum: Mapping[str, Any]) -> str:
    """How many signatures of whom, and of which keys where not any does."""
    level = quorum.get("assurance", "software")
    keys = "" if level == "software" else f", by keys that prove `{level}`"
    return f"{missing} more signature(s) of {' and '.join(quorum['groups']) or 'any reviewer'}{keys}"


def _what(body: Mapping[str, Any], moves: str) -> str:
    if unexplained(body):
        return f"what {body['target']} became without a record is to be its base; nothing runs"
    return f"{body['tool']} on {body['target']}, {moves}"


def _statements(frozen: list[Mapping[str, Any]], judged: list[Judged]) -> list[str]:
    """The worst first; what only adds something comes after them, as its SQL alone."""
    why = {judgement["n"]: judgement for judgement in judged}
    ordered = sorted(frozen, key=lambda item: (danger(why.get(item["n"])), item["n"]))
    worst = [item for item in ordered if not is_mild(why.get(item["n"]))]
    ours = [item["n"] for item in ordered if is_ours(item, why.get(item["n"]))]
    rest = [item for item in ordered if is_mild(why.get(item["n"])) and item["n"] not in ours]
    lines: list[str] = []
    told: set[str] = set()
    for head, items in (("Look at", worst), ("The others:" if worst else "Nothing but:", rest)):
        if items:
            count = f"{len(items)} of {len(frozen)} statements, the worst first:" if items is worst else ""
            lines += [f"{head} {count}".strip(), *(line for item in items for line in _one(item, why, told)), ""]
    if ours:
        lines += [f"Places, notes and checks of undo data: statement {numbers_of(ours)}; --json shows their SQL.", ""]
    return lines[:-1]


def _rollback(reverse: Mapping[str, Any]) -> list[str]:
    """What somebody who covers the rollback covers, without what only keeps the books."""
    changes = [item["sql"].strip() for item in reverse.get("statements", ()) if item["kind"] != "version"]
    if not changes:
        return []
    rest = len(changes) - _ROLLBACK
    shown = [f"      {line}" for sql in changes[:_ROLLBACK] for line in sql.splitlines()]
    return ["A rollback runs:", *shown, *([f"      and {rest} more; --json has all"] if rest > 0 else []), ""]


def _one(item: Mapping[str, Any], why: Mapping[int, Judged], told: set[str]) -> list[str]:
    judgement = why.get(item["n"], {"effects": [], "why": ""})
    mark = ", ".join(worst_first(judgement["effects"])) or OURS[item["kind"]]
    sql = [f"      {line}" for line in item["sql"].strip().splitlines()]
    reason = "" if is_mild(judgement) else one_line(judgement["why"])
    return [
        *wrapped(f"{item['n']:>4}  ", f"[{mark}] {reason}".strip(), indent=6),
        *sql,
        *(f"      with {row!r}" for row in item["parameters"]),
        *safer_lines(judgement.get("safer"), told),
    ]


def safer_lines(safer: str | None, told: set[str]) -> list[str]:
    """The safer way, unless it was told already."""
    if not safer or safer in told:
        return []
    told.add(safer)
    first, *rest = safer.strip().splitlines()
    return [f"      safer: {one_line(first)}", *(f"             {one_line(line)}" for line in rest)]


def wrapped(head: str, text: str, *, indent: int = 10) -> list[str]:
    """`text` behind `head`, in lines that fit a terminal."""
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_on_hyphens=False) or [
        head
    ]


def _told(decision: Mapping[str, Any]) -> str:
    held = decision.get("assurance") if decision["valid"] else f"DOES NOT COUNT: {decision['why_not']}"
    told = f"{decision['reviewer']} {decision['decision']} at {decision['at']} ({held})"
    if decision["decision"] != "approve" or "until" not in decision:
        return told
    told += f", to be used from {decision['not_before']} until {decision['until']}"
    covered = decision.get("covers_rollback_until")
    return f"{told}; covers its rollback until {covered}" if covered else told
