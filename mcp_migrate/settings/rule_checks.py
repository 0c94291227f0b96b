"""Does what an admin says about rules hold? Nothing may silence what always waits for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mcp_migrate.model import Effect
from mcp_migrate.settings.list_checks import fit_nothing
from mcp_migrate.settings.model import Settings
from mcp_migrate.settings.policy import Accepted
from mcp_migrate.settings.problems import Key, Problem, nearest

_ACCEPTABLE = frozenset({Effect.BREAKING, Effect.BLOCKING})
_HARMLESS = frozenset({Effect.READ, Effect.ADDITIVE, Effect.DATA})


def rule_problems(settings: Settings, known: Mapping[str, frozenset[Effect]]) -> Iterator[Problem]:
    """Every problem under `rules`. `known` gives each rule's effects in any database."""
    for name, effects in settings.rules.raise_.items():
        key = ("rules", "raise", name)
        yield from _known(key, name, known)
        if not effects:
            yield Problem(key, "no effect is named.", "Name those the rule shall have, or remove it.")
    for index, accepted in enumerate(settings.rules.accept):
        yield from _accepted(("rules", "accept", index), accepted, settings, known)


def _known(key: Key, name: str, known: Mapping[str, frozenset[Effect]]) -> Iterator[Problem]:
    if name not in known:
        hint = nearest(name, known) or "`mcp-migrate rules list` shows them."
        yield Problem(key, f"{name!r} is no rule.", hint)


def _accepted(
    key: Key, accepted: Accepted, settings: Settings, known: Mapping[str, frozenset[Effect]]
) -> Iterator[Problem]:
    yield from _known((*key, "rule"), accepted.rule, known)
    if accepted.rule in known:
        effects = known[accepted.rule] | frozenset(settings.rules.raise_.get(accepted.rule, ()))
        yield from _acceptable((*key, "rule"), accepted.rule, effects)
    yield from fit_nothing((*key, "targets"), accepted.targets, settings.targets, "target")
    if not accepted.reason.strip():
        yield Problem((*key, "reason"), "a reason is needed.", "Say why, for whoever reads this later.")


def _acceptable(key: Key, name: str, effects: frozenset[Effect]) -> Iterator[Problem]:
    if silenced := sorted(effects - _ACCEPTABLE - _HARMLESS):
        why = f"{name} is {', '.join(silenced)}, and no configuration silences that."
        yield Problem(key, why, "Only what is breaking or blocking alone can be accepted.")
    elif not effects & _ACCEPTABLE:
        yield Problem(key, f"{name} is neither breaking nor blocking: there is nothing to accept.", "Remove it.")
