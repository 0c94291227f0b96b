"""What is a rule, what does it find, and what do all findings on one statement amount to?

A rule is data. A family member looks at one parsed statement and returns findings; each finding names its rule and
the objects it concerns. The judgement is the union: nothing a finding says can take away what another one said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from mcp_migrate.model import Effect, Judgement
from mcp_migrate.rules.locks import BLOCKS, strongest

DANGER = (
    Effect.PRIVILEGE,
    Effect.DESTRUCTIVE,
    Effect.UNKNOWN,
    Effect.BREAKING,
    Effect.BLOCKING,
    Effect.DATA,
    Effect.ADDITIVE,
    Effect.READ,
)
"""Effects, the worst first: the worst finding gives a judgement its rule."""

ACCEPTABLE = frozenset({Effect.BREAKING, Effect.BLOCKING})
"""The effects an admin may accept for a target; no configuration silences any other."""

Reversible = Literal["yes", "schema", "no", "unknown"]
_REVERSIBLE: tuple[Reversible, ...] = ("yes", "schema", "no", "unknown")


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of thing a statement does. `why` and `safer` are templates: ``{object}`` and what a finding adds.

    `of` is the kind of the objects it names. `undo` says how far the statement itself can be taken back: ``yes``,
    the ``schema`` but not the data, or ``no``; where it is not told it follows from the effects. `source` is the
    manual or paper the rule is taken from. `flags` and `passes` are examples on the schema of the documentation:
    each is a statement, or several separated by ``;`` and a line break of which the last is meant.
    """

    id: str
    title: str
    effects: frozenset[Effect]
    why: str
    lock: str | None = None
    safer: str | None = None
    of: str = "table"
    scans: bool = False
    rewrites: bool = False
    transactional: bool = True
    undo: Reversible | None = None
    rationale: str = ""
    source: str = ""
    flags: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()

    @property
    def reversible(self) -> Reversible:
        if Effect.UNKNOWN in self.effects:
            return "unknown"
        loses = bool(self.effects & {Effect.DESTRUCTIVE, Effect.DATA})
        return self.undo or ("schema" if loses else "yes")


def rule(  # noqa: PLR0917  a table of rules reads in columns
    name: str,
    title: str,
    effects: str,
    why: str,
    lock: str | None = None,
    safer: str | None = None,
    *,
    of: str = "table",
    scans: bool = False,
    rewrites: bool = False,
    transactional: bool = True,
    undo: Reversible | None = None,
    rationale: str = "",
    source: str = "",
    flags: tuple[str, ...] = (),
    passes: tuple[str, ...] = (),
) -> Rule:
    """A rule from words: `effects` are separated by spaces."""
    words = frozenset(Effect(word) for word in effects.split())
    return Rule(
        name, title, words, why, lock, safer, of, scans, rewrites, transactional, undo, rationale, source, flags, passes
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one statement; `later` where the statement only writes down what does it one day."""

    rule: Rule
    objects: tuple[str, ...] = ()
    why: str = ""
    safer: str | None = None
    later: bool = False


def found(which: Rule, *objects: str, safer: str | None = None, **words: str) -> Finding:
    """A finding of `which` on `objects`; `words` fill its templates."""
    filled = {"object": ", ".join(objects) or "something", **words}
    shown = safer or (which.safer.format(**filled) if which.safer else None)
    return Finding(which, objects, which.why.format(**filled), shown)


NOT_UNDERSTOOD = rule(
    "not-understood",
    "Not proven harmless",
    "unknown",
    "Not proven harmless: {reason}.",
    of="",
    rationale="What is on no list may do anything, so a person looks at it. Rewriting it in plainer SQL often helps.",
    source="https://web.mit.edu/Saltzer/www/publications/protection/Basic.html",
    flags=("FROBNICATE users", "SELECT no_such_function(1)"),
    passes=("SELECT 1",),
)


def unknown(reason: str, *objects: str) -> Finding:
    """The finding for whatever is on no list."""
    return found(NOT_UNDERSTOOD, *objects, reason=reason)


def sentences(reasons: Iterable[str]) -> list[Finding]:
    """One `unknown` for each different reason."""
    return [unknown(reason) for reason in dict.fromkeys(reasons)]


def effects_of(findings: Iterable[Finding]) -> frozenset[Effect]:
    """The union, before any policy."""
    return frozenset().union(*(finding.rule.effects for finding in findings))


@dataclass(frozen=True, slots=True)
class Policy:
    """What an admin said about rules, by id: effects that are added, and rules accepted for this target, with why."""

    raised: Mapping[str, frozenset[Effect]] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)

    def effects(self, which: Rule) -> frozenset[Effect]:
        """The effects of a rule here. What was accepted is still a change, so it is at least `additive`."""
        if not self.raised and not self.accepted:
            return which.effects
        effects = which.effects | self.raised.get(which.id, frozenset())
        if which.id not in self.accepted:
            return effects
        return (effects - ACCEPTABLE) or frozenset({Effect.ADDITIVE})


def judgement(n: int, findings: Sequence[Finding], policy: Policy) -> Judgement:
    """All findings on one statement as one judgement. No finding at all is not understood."""
    ordered = sorted(findings or [unknown("no rule says what it does")], key=lambda f: _danger(policy.effects(f.rule)))
    lock = strongest(f.rule.lock for f in ordered)
    kinds: dict[str, str] = {}
    for finding in ordered:
        for name in finding.objects:
            kinds[name] = kinds.get(name) or finding.rule.of
    return Judgement(
        n=n,
        effects=frozenset().union(*(policy.effects(f.rule) for f in ordered)),
        objects=tuple(kinds),
        rule=ordered[0].rule.id,
        why=" ".join(dict.fromkeys(f.why for f in ordered)),
        lock=lock,
        safer=next((f.safer for f in ordered if f.safer), None),
        rules=tuple(dict.fromkeys(f.rule.id for f in ordered)),
        kinds=tuple(kinds.values()),
        blocks=BLOCKS[lock] if lock else (),
        scans=any(f.rule.scans for f in ordered),
        rewrites=any(f.rule.rewrites for f in ordered),
        transactional=all(f.rule.transactional for f in ordered),
        reversible=max((f.rule.reversible for f in ordered), key=_REVERSIBLE.index),
        accepted=tuple(
            {f.rule.id: policy.accepted[f.rule.id] for f in ordered if f.rule.id in policy.accepted}.items()
        ),
    )


@cache
def _danger(effects: frozenset[Effect]) -> int:
    return min((DANGER.index(effect) for effect in effects), default=len(DANGER))
