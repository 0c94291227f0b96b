"""What does policy ask for before this may run, which rule says so, and what narrower plan would need nobody?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.model import ALWAYS_APPROVED, Assurance, Classified, Demanded, Effect, Quorum
from mcp_migrate.settings import ApprovalRule, Settings, matches

STRENGTH = (Assurance.SOFTWARE, Assurance.PRESENCE, Assurance.VERIFIED)
_FLOOR = 4 * 3600.0
"""Seconds that a request stands where no rule says how long."""
_NEVER = frozenset({"requester"})


def quorum(classified: Classified, settings: Settings) -> Quorum | None:
    """What policy asks for: the strictest part of each rule that matches, never less than the built-in floor."""
    asked = [
        _demand(index, rule, classified)
        for index, rule in enumerate(settings.approvals)
        if _applies(rule, classified, settings)
    ]
    built_in = tuple(_built_in(classified))
    if asked:
        return _strictest(asked, built_in)
    return Quorum(1, frozenset(), _FLOOR, Assurance.SOFTWARE, _NEVER, ("built-in",), built_in) if built_in else None


def narrower(demands: Iterable[Demanded], classified: Classified) -> str | None:
    """Which part of the plan could be left out so that nobody has to decide; None where there is none."""
    numbers = sorted({n for demand in demands for n in demand.statements})
    plan = classified.prepared.plan
    changes = {statement.n for statement in plan.statements if statement.kind == "change"} if plan else set()
    if any(not demand.statements for demand in demands) or changes <= set(numbers):
        return None
    return f"A plan without statement {', '.join(map(str, numbers))} needs nobody's approval."


def told(asked: Quorum) -> list[dict[str, Any]]:
    """The demands as requests and answers show them."""
    return [{"rule": d.rule, "why": d.why, "statements": list(d.statements)} for d in asked.demands]


def _built_in(classified: Classified) -> Iterator[Demanded]:
    """What always waits for a person, whatever the configuration says."""
    plan, hurts = classified.prepared.plan, classified.effects & ALWAYS_APPROVED
    if hurts:
        why = f"{_listed(hurts)} always waits for a person"
        yield Demanded("built-in", why, _having(ALWAYS_APPROVED, classified))
    if plan is not None and plan.statements and not plan.reverse.available:
        yield Demanded("built-in", "there is no way back, and that always waits for a person", ())


def _applies(rule: ApprovalRule, classified: Classified, settings: Settings) -> bool:
    call, when = classified.prepared.granted.call, rule.when
    tier = settings.target(call.target).tier if call.target else None
    return (
        (when.effects is None or bool(classified.effects & set(when.effects)))
        and (when.tools is None or matches(call.tool, when.tools))
        and (when.tier is None or when.tier == tier)
        and (when.targets is None or (call.target is not None and matches(call.target, when.targets)))
    )


def _demand(index: int, rule: ApprovalRule, classified: Classified) -> Quorum:
    asked, name = rule.require, f"approvals[{index}]"
    statements = _having(rule.when.effects, classified) if rule.when.effects else ()
    return Quorum(
        count=asked.count,
        groups=frozenset() if asked.from_ == "*" else frozenset({asked.from_}),
        expires_seconds=asked.expires.total_seconds(),
        assurance=Assurance.PRESENCE if asked.assurance == "hardware" else Assurance(asked.assurance),
        never=frozenset(asked.never) | _NEVER,
        rules=(name,),
        execute_seconds=asked.execute_within.total_seconds(),
        demands=(Demanded(name, _because(rule.when.model_dump(exclude_none=True, mode="json")), statements),),
    )


def _having(effects: Iterable[Effect], classified: Classified) -> tuple[int, ...]:
    """The statements with any of these effects; none where the plan as a whole has one that no statement has."""
    wanted = frozenset(effects)
    by_statement = frozenset[Effect]().union(*(judgement.effects for judgement in classified.judgements))
    if (classified.effects & wanted) - by_statement:
        return ()
    return tuple(judgement.n for judgement in classified.judgements if judgement.effects & wanted)


def _because(when: Mapping[str, Any]) -> str:
    return "; ".join(f"{key}: {_listed(value) if isinstance(value, list) else value}" for key, value in when.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _strictest(asked: list[Quorum], built_in: Iterable[Demanded]) -> Quorum:
    """The strictest part of each; what always waits is named too where no rule is about those statements."""
    demands = tuple(demand for each in asked for demand in each.demands)
    named = {n for demand in demands for n in demand.statements}
    rest = tuple(demand for demand in built_in if not demand.statements or not named.issuperset(demand.statements))
    return Quorum(
        count=max(each.count for each in asked),
        groups=frozenset[str]().union(*(each.groups for each in asked)),
        expires_seconds=min(each.expires_seconds for each in asked),
        execute_seconds=min(each.execute_seconds for each in asked),
        assurance=max((each.assurance for each in asked), key=STRENGTH.index),
        never=frozenset[str]().union(*(each.never for each in asked)),
        rules=tuple(rule for each in asked for rule in each.rules),
        demands=demands + rest,
    )
