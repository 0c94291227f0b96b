"""What does a request say, in facts that every view of it shows? Computed by us, worst first, nothing twice.

Each fact is a name and a sentence. What came from an agent or a database is in it as safe text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcp_migrate.approvals.safe import one_line
from mcp_migrate.model import TooFew
from mcp_migrate.rules.interface import DANGER

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


def warned(body: Mapping[str, Any], status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whether enough people can approve it, whether one did it without the others, and which keys are new."""
    facts = [("TOO FEW", one_line(str(TooFew(**each)))) for each in status.get("too_few", ())]
    if past := body.get("reviews"):
        facts.append(("REVIEW", one_line(f"{past['by']} did {past['request_id']} alone: {past['reason']}")))
    elif alone := status.get("glass_broken_by"):
        facts.append(("ALONE", f"{one_line(alone)} broke the glass"))
    # Nobody may know yet whose they are.
    new = (one_line(f"{key['reviewer']} {key['key']}, since {key['since']}") for key in body.get("new_keys", ()))
    return [*facts, *(("NEW KEY", line) for line in new)]


def unexplained(body: Mapping[str, Any]) -> list[str]:
    """What a request to reconcile is about, a line each; none of another request."""
    if body.get("purpose") != "reconcile":
        return []
    found = body["subject"]["reconciles"]
    if found is None:
        return ["nothing of it is on the record yet, and what it is now is to be the base"]
    return _differences(found)


def since_it_began(body: Mapping[str, Any]) -> list[str]:
    """What a target became since before an apply that stopped part way, by that apply or by anybody else."""
    found = body["subject"].get("unexplained") if body.get("purpose") == "change" else None
    return _differences(found) if found else []


def words_of_tool(body: Mapping[str, Any]) -> str:
    """What a tool in Python says of this call, which nobody checked; "" of any other."""
    return one_line(str(body.get("subject", {}).get("summary") or ""))


def _differences(found: Mapping[str, Any]) -> list[str]:
    moved = found["revision"]
    lines = [f"{each['how']} {each['object']}{_undone(each)}" for each in found["differences"]]
    more = found["differences_total"] - len(lines)
    lines += [f"and {more} more, under the same fingerprint"] if more else []
    if moved:
        said, left = moved["now"] or "base", moved["recorded"] or "base"
        lines.append(f"the version table says {said}; {found['since']} left it at {left}")
    return [one_line(line) for line in lines or [found["summary"]]]


def _undone(difference: Mapping[str, Any]) -> str:
    return f": it is what it was before {difference['gone']}, whose effect is gone" if difference["gone"] else ""


def why_asked(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rules that made it a question for people, and what could be left out so that it is none."""
    demands = body.get("demands") or [{"rule": rule, "why": "", "statements": []} for rule in body["quorum"]["rules"]]
    facts = []
    for demand in demands:
        which = f" (statement {numbers_of(demand['statements'])})" if demand["statements"] else ""
        why = f": {one_line(demand['why'])}" if demand["why"] else ""
        facts.append(("Rule", f"{one_line(demand['rule'])}{why}{which}"))
    return [*facts, *([("Narrower", one_line(body["narrower"]))] if body.get("narrower") else [])]


def used_by(body: Mapping[str, Any]) -> list[str]:
    """What else uses the objects that change, a line each; requests of before it was recorded have none."""
    return [one_line(f"{each['object']}: {each['name']}, {each['how']}") for each in body.get("dependents", ())]


def rehearsed(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How it did on a scratch database: how long, where, and whether its way back led back."""
    seen = body.get("rehearsal")
    if not seen:
        why = f": {one_line(body['untried'])}" if body.get("untried") else ""
        return [("Rehearsed", f"NOT: nobody has seen these statements run{why}")]
    tried = seen["statements"]
    times = f"{len(tried)} statements in {seen['seconds']:.2f} s on {one_line(seen['server'])}"
    back = (
        "the way back restored the schema" if seen["rollback_restored"] else "THE WAY BACK DID NOT RESTORE THE SCHEMA"
    )
    other = seen["server"].partition(".")[0] != seen["target_server"].partition(".")[0]
    warning = f"The target runs {one_line(seen['target_server'])}, which may lock and rewrite differently"
    slow = [f"statement {each['n']} took {each['seconds']:.2f} s" for each in tried if each["seconds"] >= _SLOW]
    tables = {table: [each["n"] for each in tried if table in each["rewrites"]] for table in _rewritten(tried)}
    anew = [
        f"{one_line(table)} was written anew (statement {numbers_of(numbers)})" for table, numbers in tables.items()
    ]
    facts = [*gave_back(seen), *([warning] if other else []), *slow, *anew]
    return [("Rehearsed", f"{times}; {back}"), *(("", fact) for fact in facts)]


def gave_back(seen: Mapping[str, Any]) -> list[str]:
    """Whether the way back was tried on the rows of the tables that lose some, and brought them back."""
    if "put_back" in seen:
        came = [f"{each['rows']:,} of {one_line(each['table'])}" for each in seen["put_back"]]
        total = sum(each["rows"] for each in seen["put_back"])
        return [f"rehearsed with {total:,} rows that were kept, and each came back: {_and(came)}"]
    if "restored" not in seen:
        return []
    same = [f"{each['rows']:,} of {one_line(each['table'])}" for each in seen["restored"] if each["same"]]
    others = [one_line(each["table"]) for each in seen["restored"] if not each["same"]]
    told = [f"the way back was tried on rows of the target and brought each one back: {_and(same)}"] if same else []
    return told + ([f"THE WAY BACK DID NOT BRING BACK THE ROWS of {_and(others)}"] if others else [])


def unmet(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
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
    return [(name, f"{text} (statement {numbers_of(numbers)})") for (name, text), numbers in ranked]


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
    return ", ".join(f"{effect} ({numbers_of(numbers)})" if numbers else effect for effect, numbers in told)


def numbers_of(numbers: list[int]) -> str:
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


def way_back(back: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    if not back.get("available"):
        return f"NONE: {one_line(back.get('why_not') or 'not a plan')}"
    derived = any(statement.get("derived") for statement in back.get("statements", ()))
    return _restores(body) + ("; DERIVED BY US where the project's downgrade does not say it" if derived else "")


def _restores(body: Mapping[str, Any]) -> str:
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
    parked = ", ".join(dict.fromkeys(one_line(each["table"]) for each in undo["kept"] if each.get("ends")))
    aside = f"; of {parked} what is dropped is PARKED: no space is free until it is pruned after that" if parked else ""
    return f"restores schema and data: rows of {kept} are kept for {days:g} days{aside}" if kept else "no data is lost"


def is_ours(item: Mapping[str, Any], judgement: Judged | None) -> bool:
    """Whether it only keeps the books of undo data: so the rules say, by its shape."""
    return item["kind"] in {"preserve", "restore"} and judgement is not None and not judgement["effects"]


def is_mild(judgement: Judged | None) -> bool:
    """Whether the SQL says it all: nothing is lost, blocked, broken, or accepted by an admin."""
    said = judgement or {"effects": []}
    return set(said["effects"]) <= _MILD and not said.get("accepted")


def danger(judgement: Judged | None) -> int:
    effects = judgement["effects"] if judgement else []
    return min(map(_rank, effects), default=len(_ORDER))


def _rank(effect: str) -> int:
    """Its place among the dangers. One that is not known here, of a newer version perhaps, is the worst."""
    return _ORDER.index(effect) if effect in _ORDER else -1
