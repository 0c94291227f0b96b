"""What does it really do? Judged by the rules on each frozen statement, never on a name or a declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mcp_migrate.model import Classified, Effect, Judgement, Plan, Prepared
from mcp_migrate.settings import Settings

NOWHERE = "?"
"""The object of a statement that names none: no scope that lists objects covers it."""

_TOUCHES_ROWS = frozenset({Effect.DATA, Effect.DESTRUCTIVE, Effect.UNKNOWN})


def classify(prepared: Prepared, settings: Settings) -> Classified:
    """Judge each statement of the plan; without one the tool's declared effects stand."""
    plan = prepared.plan
    if plan is None:
        return Classified(prepared, (), prepared.effects, prepared.objects, {})
    if prepared.schema is None:
        raise TypeError("a plan is judged against the live schema, and none was read")
    from mcp_migrate.rules import judge  # parsers load when the first plan is judged, not at start
    from mcp_migrate.rules.policy import policy_for

    judgements = judge(
        plan.statements, dialect=plan.dialect, schema=prepared.schema, policy=policy_for(plan.target, settings)
    )
    rows = _rows(prepared, judgements)
    return Classified(
        prepared=prepared,
        judgements=tuple(_with_emptiness(j, rows) for j in judgements),
        effects=_union(plan, judgements),
        objects=tuple(sorted({*prepared.objects, *(name for j in judgements for name in _named(j))})),
        rows=rows,
    )


def _union(plan: Plan, judgements: Iterable[Judgement]) -> frozenset[Effect]:
    effects: set[Effect] = {Effect.READ}
    for judgement in judgements:
        effects |= judgement.effects
    if plan.doubts:
        effects.add(Effect.UNKNOWN)
    return frozenset(effects)


def _named(judgement: Judgement) -> tuple[str, ...]:
    if judgement.objects or judgement.effects <= {Effect.READ}:
        return judgement.objects
    return (NOWHERE,)


def _with_emptiness(judgement: Judgement, rows: Mapping[str, int]) -> Judgement:
    """A loss of nothing is still a loss to approve, but the reviewer is told which tables are empty."""
    if Effect.DESTRUCTIVE not in judgement.effects:
        return judgement
    tables = dict.fromkeys(".".join(name.split(".")[:2]) for name in judgement.objects)
    empty = [table for table in tables if rows.get(table) == 0]
    told = f" Empty now: {', '.join(empty)}." if empty else ""
    return replace(judgement, why=judgement.why + told)


def _rows(prepared: Prepared, judgements: Iterable[Judgement]) -> Mapping[str, int]:
    """Count what is now in each table whose rows a statement may change or lose."""
    tables = {
        ".".join(name.split(".")[:2])
        for judgement in judgements
        if judgement.effects & _TOUCHES_ROWS
        for name in judgement.objects
    }
    return prepared.count_rows(sorted(tables)) if prepared.count_rows and tables else {}
