"""What does policy ask for before this may run, which rule says so, and what narrower plan would need nobody?

Each rule that matches has to be satisfied, so another rule never lowers what is asked, and their order is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.approvals.matching import because_of, fits
from mcp_migrate.model import ALWAYS_APPROVED, ANYBODY, STRENGTH, Assurance, Classified, Demanded, Effect, Quorum, Tier
from mcp_migrate.settings import ApprovalRule, Settings

_FLOOR = 4 * 3600.0
"""Seconds that a request stands where no rule says how long."""
_NEVER = frozenset({"requester"})
_VERIFIED = frozenset({Effect.DESTRUCTIVE, Effect.UNKNOWN})
"""What a person has to prove their presence for, with PIN or fingerprint, on a production target."""


def quorum(classified: Classified, settings: Settings) -> Quorum | None:
    """What policy asks for: the strictest part of each rule that matches, never less than the built-in floor."""
    asked = [
        _demand(index, rule, classified)
        for index, rule in enumerate(settings.approvals)
        if fits(rule.when, classified, settings)
    ]
    built_in = tuple(_built_in(classified, settings))
    if not asked and not built_in:
        return None
    least = _least(classified, settings)
    if asked:
        return _strictest(asked, built_in, least)
    return Quorum(((ANYBODY, 1),), _FLOOR, least, _NEVER, ("built-in",), built_in)


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


def _built_in(classified: Classified, settings: Settings) -> Iterator[Demanded]:
    """What always waits for a person, whatever the configuration says."""
    plan, hurts = classified.prepared.plan, classified.effects & ALWAYS_APPROVED
    if hurts:
        why = f"{_listed(hurts)} always waits for a person"
        yield Demanded("built-in", why, tuple(because_of(ALWAYS_APPROVED, None, classified)))
    if plan is not None and plan.statements and not plan.reverse.available:
        yield Demanded("built-in", "there is no way back, and that always waits for a person", ())
    if plan is not None and plan.resumes and settings.target(plan.target).tier in settings.reconcile.block:
        why = "it goes on where an apply stopped part way, and a person looks at what the target became since"
        yield Demanded("built-in", why, ())


def _least(classified: Classified, settings: Settings) -> Assurance:
    """The assurance that no rule can go below; an admin can, in so many words and for one target."""
    name = classified.prepared.granted.call.target
    target = settings.target(name) if name else None
    if target is None or target.tier is not Tier.PRODUCTION or target.unsafe_software_keys:
        return Assurance.SOFTWARE
    return Assurance.VERIFIED if classified.effects & _VERIFIED else Assurance.SOFTWARE


def _demand(index: int, rule: ApprovalRule, classified: Classified) -> Quorum:
    asked, name, when = rule.require, f"approvals[{index}]", rule.when
    return Quorum(
        by_group=((asked.from_, asked.count),),
        expires_seconds=asked.expires.total_seconds(),
        assurance=Assurance.PRESENCE if asked.assurance == "hardware" else Assurance(asked.assurance),
        never=frozenset(asked.never) | _NEVER,
        rules=(name,),
        execute_seconds=asked.execute_within.total_seconds(),
        deny=asked.deny,
        demands=(
            Demanded(
                name,
                _because(when.model_dump(exclude_none=True, mode="json")),
                tuple(because_of(when.effects, when.objects, classified)),
            ),
        ),
    )


def _because(when: Mapping[str, Any]) -> str:
    return "; ".join(f"{key.replace('_', ' ')}: {_worded(value)}" for key, value in when.items())


def _worded(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(map(_worded, value.values()))
    return _listed(value) if isinstance(value, list) else str(value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _strictest(asked: list[Quorum], built_in: Iterable[Demanded], least: Assurance) -> Quorum:
    """The strictest part of each; what always waits is named too where no rule is about those statements."""
    demands = tuple(demand for each in asked for demand in each.demands)
    named = {n for demand in demands for n in demand.statements}
    rest = tuple(demand for demand in built_in if not demand.statements or not named.issuperset(demand.statements))
    return Quorum(
        by_group=_by_group(asked),
        expires_seconds=min(each.expires_seconds for each in asked),
        execute_seconds=min(each.execute_seconds for each in asked),
        assurance=max((least, *(each.assurance for each in asked)), key=STRENGTH.index),
        never=frozenset[str]().union(*(each.never for each in asked)),
        rules=tuple(rule for each in asked for rule in each.rules),
        deny="one" if any(each.deny == "one" for each in asked) else "quorum",
        demands=demands + rest,
    )


def _by_group(asked: Iterable[Quorum]) -> tuple[tuple[str, int], ...]:
    """The most that any rule asks of each group. Whoever is in a group is anybody as well."""
    most: dict[str, int] = {}
    for group, count in (part for each in asked for part in each.by_group):
        most[group] = max(count, most.get(group, 0))
    anybody = most.get(ANYBODY, 0)
    if any(count >= anybody for group, count in most.items() if group != ANYBODY):
        most.pop(ANYBODY, None)
    return tuple(sorted(most.items()))


def as_strict(told: Mapping[str, Any], asked: Quorum) -> bool:
    """Whether a quorum that a request told people is at least what is asked now."""
    groups, longest = dict(told["by_group"]), told["execute_seconds"]
    groups[ANYBODY] = max(groups.values())  # whoever is in a group is anybody as well
    return (
        all(groups.get(group, 0) >= count for group, count in asked.by_group)
        and STRENGTH.index(Assurance(told["assurance"])) >= STRENGTH.index(asked.assurance)
        and asked.never <= set(told["never"])
        and asked.deny in {told["deny"], "quorum"}
        and longest <= asked.execute_seconds
    )
