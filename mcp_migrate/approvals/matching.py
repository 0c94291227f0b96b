"""Does an approval rule hold for this, and because of which statements?

What cannot be told apart counts as fitting: a statement that names no object fits each pattern of objects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from mcp_migrate.model import Classified, Effect, Judgement, Plan
from mcp_migrate.settings import RuleWhen, Settings, any_matches, matches

_NAMES_NOTHING = "?"


def fits(when: RuleWhen, classified: Classified, settings: Settings) -> bool:
    """Whether every part of `when` fits."""
    granted = classified.prepared.granted
    call, names = granted.call, (granted.scope_name, granted.call.tool)
    tier = settings.target(call.target).tier if call.target else None
    return (
        _does(when, classified)
        and (when.tools is None or any_matches(names, when.tools))
        and (when.tier is None or when.tier == tier)
        and (when.targets is None or (call.target is not None and matches(call.target, when.targets)))
        and (when.rows_over is None or classified.total_rows > when.rows_over)
        and (when.irreversible is None or when.irreversible is not restores_all(classified))
        and (when.during is None or when.during.open_at(call.at))
    )


def because_of(effects: Iterable[Effect] | None, objects: Iterable[str] | None, classified: Classified) -> list[int]:
    """The statements with such an effect on such an object; none where the plan as a whole has one that none has."""
    wanted = frozenset(effects) if effects is not None else None
    if (wanted is None and objects is None) or (wanted and _of_the_whole(classified) & wanted):
        return []
    return [judgement.n for judgement in classified.judgements if _has(judgement, wanted, objects)]


def restores_data(plan: Plan, effects: Collection[Effect]) -> bool:
    """Whether a rollback brings back whatever the plan loses."""
    if plan.undo is not None:
        return plan.reverse.available and plan.undo.restores_data
    return plan.reverse.available and not {Effect.DESTRUCTIVE, Effect.DATA, Effect.UNKNOWN} & set(effects)


def restores_all(classified: Classified) -> bool:
    """Whether there is a way back, and it brings the data back as well."""
    plan = classified.prepared.plan
    return plan is not None and restores_data(plan, classified.effects)


def _does(when: RuleWhen, classified: Classified) -> bool:
    if when.effects is None and when.objects is None:
        return True
    wanted = frozenset(when.effects) if when.effects is not None else None
    if any(_has(judgement, wanted, when.objects) for judgement in classified.judgements):
        return True
    rest = classified.effects if not classified.judgements else _of_the_whole(classified)
    named = classified.objects if not classified.judgements else ()
    return bool(rest if wanted is None else rest & wanted) and _touches(named, when.objects)


def _of_the_whole(classified: Classified) -> frozenset[Effect]:
    """What the plan as a whole has and no statement of it."""
    return classified.effects - frozenset[Effect]().union({Effect.READ}, *(j.effects for j in classified.judgements))


def _has(judgement: Judgement, effects: Collection[Effect] | None, objects: Iterable[str] | None) -> bool:
    if not judgement.effects - {Effect.READ}:
        return effects is not None and Effect.READ in effects and _touches(judgement.objects, objects)
    return (effects is None or bool(judgement.effects & set(effects))) and _touches(judgement.objects, objects)


def _touches(names: Collection[str], objects: Iterable[str] | None) -> bool:
    """Whether any of them is meant, holds what is meant, or is a part of it."""
    if objects is None or not names or _NAMES_NOTHING in names:
        return True
    patterns = tuple(objects)
    return any(matches(name, patterns) or any(_meets(name, pattern) for pattern in patterns) for name in names)


def _meets(name: str, pattern: str) -> bool:
    """Whether one names a part of the other: ``public.t`` and ``public.t.c``, either way round."""
    return all(map(fnmatchcase, name.split("."), pattern.split(".")))
