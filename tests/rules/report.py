"""How well are the labelled statements judged? `python -m tests.rules.report` prints the table of what was confused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mcp_migrate.model import ALWAYS_APPROVED, Effect
from tests.rules.labelled import ALL, SCHEMAS, effects, judged

_HARMFUL = frozenset({Effect.DESTRUCTIVE, Effect.PRIVILEGE})
_ORDER = tuple(Effect)


@dataclass
class Confusion:
    """One database product: how often each effect was meant and found, and what went wrong."""

    dialect: str
    statements: int = 0
    counts: dict[Effect, list[int]] = field(default_factory=lambda: {effect: [0, 0, 0] for effect in _ORDER})
    missed: list[str] = field(default_factory=list)
    additive: int = 0
    additive_unknown: list[str] = field(default_factory=list)

    def add(self, sql: str, meant: frozenset[Effect], found: frozenset[Effect]) -> None:
        """Count one statement: an effect is right, missed or made up."""
        self.statements += 1
        for effect in _ORDER:
            right, missed, invented = effect in meant & found, effect in meant - found, effect in found - meant
            for place, happened in enumerate((right, missed, invented)):
                self.counts[effect][place] += happened
        if meant & _HARMFUL and not found & ALWAYS_APPROVED:
            self.missed.append(sql)
        if meant == {Effect.ADDITIVE}:
            self.additive += 1
            if Effect.UNKNOWN in found:
                self.additive_unknown.append(sql)

    def lines(self) -> Iterator[str]:
        yield f"{self.dialect}: {self.statements} statements"
        yield f"  {'effect':<12} {'right':>6} {'missed':>7} {'made up':>8}"
        for effect, (right, missed, invented) in self.counts.items():
            yield f"  {effect:<12} {right:>6} {missed:>7} {invented:>8}"
        yield f"  harmful without an approval: {len(self.missed)}"
        yield f"  additive called unknown: {len(self.additive_unknown)} of {self.additive}"
        for sql in (*self.missed, *self.additive_unknown):
            yield f"    {sql}"


def confusions() -> dict[str, Confusion]:
    """The whole corpus, judged."""
    found = {dialect: Confusion(dialect) for dialect in SCHEMAS}
    for dialect, sql, words in ALL:
        found[dialect].add(sql, effects(words), judged(sql, dialect).effects)
    return found


if __name__ == "__main__":
    print("\n".join(line for confusion in confusions().values() for line in confusion.lines()))  # noqa: T201  a report
