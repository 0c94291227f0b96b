"""How is a request put so that a person decides in half a minute? The worst first, and nothing said twice."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from mcp_migrate.cli.common import one_line, safe
from mcp_migrate.rules.interface import DANGER

_WIDTH = 110
_ORDER = [effect.value for effect in DANGER]
_SLOW = 0.5
"""Seconds from which a single statement is worth a line."""
_ROWS = " while every row is"
"""What takes the longer the more rows there are; it is told first."""
_MILD = frozenset({"additive", "data", "read"})
OURS = {"change": "nothing", "version": "version table", "preserve": "undo data", "restore": "undo data"}
"""What a statement without an effect is, by its kind."""
_MEANS = {"reads": "reads", "writes": "writes", "ddl": "schema changes"}

Judged = Mapping[str, Any]


def render(body: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """The request as text: what will be lost first, the agent's own words last and marked as such."""
    plan = body["plan"] or {"statements": [], "reverse": {}, "doubts": []}
    quorum, judged = body["quorum"], body["judgements"]
    start, end = plan.get("from_revision") or "base", plan.get("to_revision") or "base"
    facts = [
        ("Request", f"{body['request_id']}: {status['status']}, expires {body['expires_at']}"),
        *_acted_alone(body, status),
        *(("NEW KEY", one_line(f"{new['reviewer']} {new['key']}, since {new['since']}")) for new in _new_keys(body)),
        ("Needs", f"{status['still_needed']} more signature(s) of {' and '.join(quorum['groups']) or 'any reviewer'}"),
        ("What", f"{body['tool']} on {body['target']}, from {start} to {end}"),
        *(("Database", one_line(f"{part}: {value}")) for part, value in (body.get("identity") or {}).items()),
        *(("FAILS NOW", f"{u['rows']} rows in the way: {u['why']}") for u in _unmet(body)),
        ("Effects", effects_and_numbers(body["effects"], judged)),
        ("Rows now", ", ".join(f"{one_line(table)}: {n:,}" for table, n in body["rows"].items()) or "none counted"),
        ("Way back", _way_back(plan["reverse"], body)),
        *(("Doubt", one_line(doubt)) for doubt in plan["doubts"]),
        *what_it_costs(judged),
        ("Asked by", f"{body['principal']} for workflow {body['workflow']}, owned by {body['owner']}"),
        *why_asked(body),
        *rehearsed(body.get("rehearsal")),
        *(("Asks", one_line(f"that no row is in the way: {c['why']}")) for c in plan.get("preconditions", ())),
        ("Recorded", f"in the cage {one_line(plan.get('cage', 'none'))}"),
    ]
    lines = [line for name, fact in facts for line in wrapped(f"{name:<10}", fact)]
    lines += ["", *_statements(plan["statements"], judged), ""]
    lines += wrapped("The agent says (its own words): ", repr(body["intent"]))
    lines.append(f"Plan digest {body['plan_digest']}")
    lines += [f"Decision  {_told(decision)}" for decision in status["decisions"]]
    return safe("\n".join(lines))


def _new_keys(body: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Keys that may decide on this and were not known a week ago: perhaps nobody knows whose they are."""
    return list(body.get("new_keys", ()))


def _acted_alone(body: Mapping[str, Any], status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whether one person did this without the others, and whether that is what is asked about."""
    past = body.get("reviews")
    if past:
        return [("REVIEW", one_line(f"{past['by']} did {past['request_id']} alone: {past['reason']}"))]
    alone = status.get("glass_broken_by")
    return [("ALONE", f"{one_line(alone)} broke the glass")] if alone else []


def why_asked(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rules that made it a question for people, and what could be left out so that it is none."""
    demands = body.get("demands") or [{"rule": rule, "why": "", "statements": []} for rule in body["quorum"]["rules"]]
    facts = []
    for demand in demands:
        which = f" (statement {_numbers(demand['statements'])})" if demand["statements"] else ""
        why = f": {one_line(demand['why'])}" if demand["why"] else ""
        facts.append(("Rule", f"{one_line(demand['rule'])}{why}{which}"))
    return [*facts, *([("Narrower", one_line(body["narrower"]))] if body.get("narrower") else [])]


def rehearsed(seen: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """How it did on a scratch database: how long, where, and whether its way back led back."""
    if not seen:
        return [("Rehearsed", "NOT: nobody has seen these statements run")]
    tried = seen["statements"]
    times = f"{len(tried)} statements in {seen['seconds']:.2f} s on {one_line(seen['server'])}"
    back = (
        "the way back restored the schema" if seen["rollback_restored"] else "THE WAY BACK DID NOT RESTORE THE SCHEMA"
    )
    other = seen["server"].partition(".")[0] != seen["target_server"].partition(".")[0]
    warning = f"The target runs {one_line(seen['target_server'])}, which may lock and rewrite differently"
    slow = [f"statement {each['n']} took {each['seconds']:.2f} s" for each in tried if each["seconds"] >= _SLOW]
    tables = {table: [each["n"] for each in tried if table in each["rewrites"]] for table in _rewritten(tried)}
    anew = [f"{one_line(table)} was written anew (statement {_numbers(numbers)})" for table, numbers in tables.items()]
    return [("Rehearsed", f"{times}; {back}"), *(("", fact) for fact in [*([warning] if other else []), *slow, *anew])]


def _unmet(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((body.get("rehearsal") or {}).get("unmet", ()))


def _rewritten(tried: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(table for each in tried for table in each["rewrites"]))


def worst_first(effects: Iterable[str]) -> list[str]:
    """Effects in the order of their danger."""
    return sorted(effects, key=_rank)


def what_it_costs(judged: Iterable[Judged]) -> list[tuple[str, str]]:
    """Who waits, what is read and written whole, what nothing takes back, what was accepted: each with its numbers."""
    groups: dict[tuple[str, str], list[int]] = {}
    for judgement in judged:
        for fact in _facts(judgement):
            groups.setdefault(fact, []).append(judgement["n"])
    order = ("No undo", "Waiting", "Alone", "Accepted")
    ranked = sorted(groups.items(), key=lambda item: (order.index(item[0][0]), _ROWS not in item[0][1]))
    return [(name, f"{text} (statement {_numbers(numbers)})") for (name, text), numbers in ranked]


def _facts(judgement: Judged) -> list[tuple[str, str]]:
    blocks = judgement.get("blocks", ())
    waiting = [_MEANS.get(word, word) for word in blocks]
    rows = "written anew" if judgement.get("rewrites") else "read" if judgement.get("scans") else ""
    long = f"{_ROWS} {rows}" if rows else ""
    stops = bool({"reads", "writes"} & set(blocks)) or bool(waiting and rows)
    facts = [
        ("No undo", "nothing takes it back", judgement.get("reversible") == "no"),
        ("Waiting", f"{_and(waiting)} wait for {judgement.get('lock')}{long}", stops),
        ("Alone", "runs outside a transaction: a failure leaves a part", judgement.get("transactional") is False),
    ]
    said = judgement.get("accepted") or {}
    accepted = [("Accepted", f"{name}, by the configuration of this target: {why!r}") for name, why in said.items()]
    return [(name, text) for name, text, holds in facts if holds] + accepted


def effects_and_numbers(effects: Iterable[str], judged: Iterable[Judged]) -> str:
    """Each effect with the statements that have it; what comes from the plan as a whole has none."""
    found = {effect: [j["n"] for j in judged if effect in j["effects"]] for effect in effects}
    told = [(effect, found[effect]) for effect in worst_first(found) if effect != "read" or len(found) == 1]
    return ", ".join(f"{effect} ({_numbers(numbers)})" if numbers else effect for effect, numbers in told)


def _numbers(numbers: list[int]) -> str:
    """1, 2, 3, 7 as ``1-3, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)  # noqa: PLR2004  a pair


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _way_back(back: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    if not back.get("available"):
        return f"NONE: {one_line(back.get('why_not') or 'not a plan')}"
    undo = (body["plan"] or {}).get("undo")
    if undo is not None:
        return _data_back(undo)
    loses = {"destructive", "data", "unknown"} & set(body["effects"])
    return "restores the schema, NOT THE DATA" if loses else "restores the schema; no data is lost"


def _data_back(undo: Mapping[str, Any]) -> str:
    """What a rollback would restore, as the plan that is signed says it."""
    kept = ", ".join(dict.fromkeys(one_line(each["table"]) for each in undo["kept"]))
    if not undo["restores_data"]:
        why = "; ".join(one_line(each) for each in undo["why_not"])
        return f"restores the schema, NOT ALL THE DATA: {why}" + (f" (of {kept} rows are kept)" if kept else "")
    days = undo["keep_seconds"] / 86_400
    return f"restores schema and data: rows of {kept} are kept for {days:g} days" if kept else "no data is lost"


def _statements(frozen: list[Mapping[str, Any]], judged: list[Judged]) -> list[str]:
    """The worst first; what only adds something comes after them, as its SQL alone."""
    why = {judgement["n"]: judgement for judgement in judged}
    ordered = sorted(frozen, key=lambda item: (_danger(why.get(item["n"])), item["n"]))
    worst = [item for item in ordered if not _mild(why.get(item["n"]))]
    ours = [item["n"] for item in ordered if _is_ours(item, why.get(item["n"]))]
    rest = [item for item in ordered if _mild(why.get(item["n"])) and item["n"] not in ours]
    lines: list[str] = []
    told: set[str] = set()
    for head, items in (("Look at", worst), ("The others:" if worst else "Nothing but:", rest)):
        if items:
            count = f"{len(items)} of {len(frozen)} statements, the worst first:" if items is worst else ""
            lines += [f"{head} {count}".strip(), *(line for item in items for line in _one(item, why, told)), ""]
    if ours:
        lines += [f"Places, notes and checks of undo data: statement {_numbers(ours)}; --json shows their SQL.", ""]
    return lines[:-1]


def _is_ours(item: Mapping[str, Any], judgement: Judged | None) -> bool:
    """Whether it only keeps the books of undo data: so the rules say, by its shape."""
    return item["kind"] in {"preserve", "restore"} and judgement is not None and not judgement["effects"]


def _mild(judgement: Judged | None) -> bool:
    """Whether the SQL says it all: nothing is lost, blocked, broken, or accepted by an admin."""
    said = judgement or {"effects": []}
    return set(said["effects"]) <= _MILD and not said.get("accepted")


def _one(item: Mapping[str, Any], why: Mapping[int, Judged], told: set[str]) -> list[str]:
    judgement = why.get(item["n"], {"effects": [], "why": ""})
    mark = ", ".join(worst_first(judgement["effects"])) or OURS[item["kind"]]
    sql = [f"      {line}" for line in item["sql"].strip().splitlines()]
    reason = "" if _mild(judgement) else one_line(judgement["why"])
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


def _danger(judgement: Judged | None) -> int:
    effects = judgement["effects"] if judgement else []
    return min(map(_rank, effects), default=len(_ORDER))


def _rank(effect: str) -> int:
    """Its place among the dangers. One that is not known here, of a newer version perhaps, is the worst."""
    return _ORDER.index(effect) if effect in _ORDER else -1


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
    return f"{told}, to be used from {decision['not_before']} until {decision['until']}"
