"""Who could bring a change into a target with nobody else's help, by what a configuration says?

Asked before anything happens, of scopes, separation and rules; what cannot be told counts as possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mcp_migrate.leave.separation import marks
from mcp_migrate.model import ALWAYS_APPROVED, Effect
from mcp_migrate.settings import ApprovalRule, Scope, Settings, any_matches, matches

_HARMLESS = frozenset({Effect.READ})


@dataclass(frozen=True, slots=True)
class Changing:
    """A tool that changes targets: what scopes call it, by which names rules know it, and which effects it may have."""

    scope: str
    names: frozenset[str]
    effects: frozenset[Effect] = frozenset(Effect)


_PLAN = "migration_plan"
_APPLY, _BACK = (Changing(name, frozenset({name})) for name in ("migration_apply", "migration_rollback"))


def alone(settings: Settings, target: str, *, own: Collection[Changing] = ()) -> tuple[str, ...]:
    """The principals of each person who could plan a change of `target` and apply it while nobody else decides.

    `own` are the tools of teams, which change something in one call.
    """
    if {"plan", "apply"} <= settings.separated(target):
        return ()
    found = (", ".join(principals) for principals in _persons(settings) if _could(principals, target, settings, own))
    return tuple(sorted(found))


def _could(principals: list[str], target: str, settings: Settings, own: Collection[Changing]) -> bool:
    scopes = [*_scopes(principals, target, settings)]
    plans = any(matches(_PLAN, scope.tools) for scope in scopes)
    tools = (_BACK, *([_APPLY] if plans else []), *own)
    ways = [(tool, scope) for tool in tools for scope in scopes if matches(tool.scope, scope.tools)]
    return any(not _always_asked(tool, _may(tool, scope), target, settings) for tool, scope in ways)


def _may(tool: Changing, scope: Scope) -> frozenset[Effect]:
    """What a scope lets happen by a tool, beyond reading."""
    return tool.effects & {*(scope.effects or ())} - _HARMLESS


def _always_asked(tool: Changing, effects: frozenset[Effect], target: str, settings: Settings) -> bool:
    """Whether rules have another person decide on everything that has these effects by the tool."""
    certain = [rule for rule in settings.approvals if _certain(rule, tool, target, settings)]
    whole = any(rule.when.effects is None for rule in certain)
    asked = ALWAYS_APPROVED.union(effect for rule in certain for effect in rule.when.effects or ())
    return whole or effects <= asked


def _certain(rule: ApprovalRule, tool: Changing, target: str, settings: Settings) -> bool:
    """Whether a rule holds for each change of the target by a tool with its effects, whatever and whenever that is."""
    when = rule.when
    sometimes = (when.objects, when.rows_over, when.irreversible, when.during)
    return (
        all(part is None for part in sometimes)
        and (when.tools is None or any_matches(tool.names, when.tools))
        and (when.tier is None or when.tier == settings.target(target).tier)
        and (when.targets is None or matches(target, when.targets))
    )


def _scopes(principals: list[str], target: str, settings: Settings) -> Iterator[Scope]:
    for principal in principals:
        _, workflow = settings.workflow_of(principal)
        yield from (scope for scope in workflow.scopes if matches(target, scope.targets))


def _persons(settings: Settings) -> list[list[str]]:
    """The principals, those of one person together."""
    groups: list[tuple[set[str], list[str]]] = []
    for workflow in settings.workflows.values():
        for principal in workflow.principals:
            mine = set(marks([principal], (), settings))
            same = [group for group in groups if group[0] & mine]
            groups = [group for group in groups if group not in same]
            merged = mine.union(*(known for known, _names in same))
            groups.append((merged, sorted({principal, *(name for _known, names in same for name in names)})))
    return [names for _known, names in groups]
