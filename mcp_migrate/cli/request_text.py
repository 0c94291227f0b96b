"""How is a request put so that a person decides in half a minute? The worst first, and nothing said twice."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from mcp_migrate.cli.common import one_line, safe
from mcp_migrate.rules.interface import DANGER

_WIDTH = 110
_ORDER = [effect.value for effect in DANGER]
_MEANS = {"reads": "reads", "writes": "writes", "ddl": "schema changes"}

Judged = Mapping[str, Any]


def render(body: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """The request as text: what will be lost first, the agent's own words last and marked as such."""
    plan = body["plan"] or {"statements": [], "reverse": {}, "doubts": []}
    quorum, judged = body["quorum"], body["judgements"]
    start, end = plan.get("from_revision") or "base", plan.get("to_revision") or "base"
    facts = [
        ("Request", f"{body['request_id']}: {status['status']}, expires {body['expires_at']}"),
        ("Needs", f"{status['still_needed']} more signature(s) of {' and '.join(quorum['groups']) or 'any reviewer'}"),
        ("What", f"{body['tool']} on {body['target']}, from {start} to {end}"),
        ("Effects", ", ".join(worst_first(body["effects"]))),
        ("Rows now", ", ".join(f"{one_line(table)}: {n}" for table, n in body["rows"].items()) or "none counted"),
        ("Way back", _way_back(plan["reverse"], body)),
        *what_it_costs(judged),
        ("Asked by", f"{body['principal']} for workflow {body['workflow']}, owned by {body['owner']}"),
        ("Rule", ", ".join(quorum["rules"])),
        *(("Doubt", one_line(doubt)) for doubt in plan["doubts"]),
    ]
    lines = [line for name, fact in facts for line in _wrapped(f"{name:<10}", fact)]
    lines += ["", *_statements(plan["statements"], judged), ""]
    lines += _wrapped("The agent says (its own words): ", repr(body["intent"]))
    lines.append(f"Plan digest {body['plan_digest']}")
    lines += [f"Decision  {_told(decision)}" for decision in status["decisions"]]
    return safe("\n".join(lines))


def worst_first(effects: Iterable[str]) -> list[str]:
    """Effects in the order of their danger."""
    return sorted(effects, key=_rank)


def what_it_costs(judged: Iterable[Judged]) -> list[tuple[str, str]]:
    """Who waits, what is read and written whole, what nothing takes back, what was accepted: each with its numbers."""
    groups: dict[tuple[str, str], list[int]] = {}
    for judgement in judged:
        for fact in _facts(judgement):
            groups.setdefault(fact, []).append(judgement["n"])
    order = ("No undo", "Waiting", "Rewrites", "Scans", "Alone", "Accepted")
    ranked = sorted(groups.items(), key=lambda item: order.index(item[0][0]))
    return [(name, f"{text} (statement {', '.join(map(str, numbers))})") for (name, text), numbers in ranked]


def _facts(judgement: Judged) -> list[tuple[str, str]]:
    waiting = [_MEANS.get(word, word) for word in judgement.get("blocks", ())]
    loses = judgement.get("reversible") == "no"
    facts = [
        ("No undo", "nothing takes it back", loses),
        ("Waiting", f"{', '.join(waiting)} wait for {judgement.get('lock')}", bool(waiting)),
        ("Rewrites", "every row is written anew under that lock", judgement.get("rewrites")),
        ("Scans", "every row is read under that lock", judgement.get("scans")),
        ("Alone", "runs outside a transaction: a failure leaves a part", judgement.get("transactional") is False),
    ]
    said = judgement.get("accepted") or {}
    accepted = [("Accepted", f"{name}, by the configuration of this target: {why!r}") for name, why in said.items()]
    return [(name, text) for name, text, holds in facts if holds] + accepted


def _way_back(back: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    if not back.get("available"):
        return f"NONE: {one_line(back.get('why_not') or 'not a plan')}"
    loses = {"destructive", "data", "unknown"} & set(body["effects"])
    return "restores the schema, NOT THE DATA" if loses else "restores the schema; no data is lost"


def _statements(frozen: list[Mapping[str, Any]], judged: list[Judged]) -> list[str]:
    why = {judgement["n"]: judgement for judgement in judged}
    lines: list[str] = []
    told: set[str] = set()
    for item in sorted(frozen, key=lambda item: (_danger(why.get(item["n"])), item["n"])):
        judgement = why.get(item["n"], {"effects": [], "why": ""})
        mark = ", ".join(worst_first(judgement["effects"])) or "version table"
        lines += _wrapped(f"{item['n']:>4}  ", f"[{mark}] {one_line(judgement['why'])}", indent=6)
        lines += [f"      {line}" for line in item["sql"].strip().splitlines()]
        lines += [f"      with {row!r}" for row in item["parameters"]]
        lines += _safer(judgement.get("safer"), told)
    return lines


def _safer(safer: str | None, told: set[str]) -> list[str]:
    if not safer or safer in told:
        return []
    told.add(safer)
    first, *rest = safer.strip().splitlines()
    return [f"      safer: {one_line(first)}", *(f"             {one_line(line)}" for line in rest)]


def _danger(judgement: Judged | None) -> int:
    effects = judgement["effects"] if judgement else []
    return min(map(_rank, effects), default=len(_ORDER))


def _rank(effect: str) -> int:
    """Its place among the dangers. One that is not known here, of a newer version perhaps, is the worst."""
    return _ORDER.index(effect) if effect in _ORDER else -1


def _wrapped(head: str, text: str, *, indent: int = 10) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_on_hyphens=False) or [
        head
    ]


def _told(decision: Mapping[str, Any]) -> str:
    held = decision.get("assurance") if decision["valid"] else f"DOES NOT COUNT: {decision['why_not']}"
    return f"{decision['reviewer']} {decision['decision']} at {decision['at']} ({held})"
