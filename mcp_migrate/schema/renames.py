"""Was something renamed, or was one thing dropped and another added?

No database remembers. Structure, place and the name itself are evidence; what they come to is a confidence from
0 to 1, and below `SURE_ENOUGH` two things are told as two. Nothing here is ever hidden: a rename is a change, and what
follows from it alone, such as an index that now names the column's new name, is recognised by `follows`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeVar

from mcp_migrate.schema.model import Column, Table

SURE_ENOUGH = 0.5
_MOST_PAIRS = 10_000
_MOST_OF_A_KIND = 400
"""Comparisons at most; of more tables only those with the same columns are compared, and not many of those."""

_SHORTEST = 3
"""Letters of a name that says something when it is part of another one."""

_Thing = TypeVar("_Thing")
_TOKENS = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|[^\W\d][\w$]*|\d[\w.]*|\s+|.', re.DOTALL)


def likeness(one: str, two: str) -> float:
    """How alike two names are: letters in common, or all words of one in the other."""
    if one == two:
        return 1.0
    words, others = (frozenset(filter(None, re.split(r"[\W_]+", name.lower()))) for name in (one, two))
    shorter, longer = sorted((one.lower(), two.lower()), key=len)
    within = len(shorter) >= _SHORTEST and shorter in longer
    inside = 0.8 if within or (words and others and (words <= others or others <= words)) else 0.0
    return max(inside, SequenceMatcher(None, one.lower()[:63], two.lower()[:63], autojunk=False).ratio())


def best_pairs(
    old: Sequence[_Thing], new: Sequence[_Thing], score: Callable[[_Thing, _Thing], float]
) -> list[tuple[_Thing, _Thing, float]]:
    """Each thing at most once, the surest pairs first; a rival that is nearly as good makes a pair less sure."""
    scores = [(score(a, b), i, j) for i, a in enumerate(old) for j, b in enumerate(new)]
    ranked = sorted((s for s in scores if s[0] >= SURE_ENOUGH), key=lambda s: (-s[0], s[1], s[2]))
    taken: tuple[set[int], set[int]] = (set(), set())
    found = []
    for sure, i, j in ranked:
        if i in taken[0] or j in taken[1]:
            continue
        rivals = [s for s, k, m in ranked if (k == i) != (m == j) and k not in taken[0] and m not in taken[1]]
        taken[0].add(i)
        taken[1].add(j)
        doubt = max((s / sure for s in rivals), default=0.0)
        found.append((old[i], new[j], _rounded(sure * (1 - max(0.0, doubt - 0.7)))))
    return found


def renamed_tables(old: Sequence[Table], new: Sequence[Table]) -> list[tuple[Table, Table, float]]:
    """Which of the dropped tables `old` lives on as which of the added tables `new`."""
    if len(old) * len(new) <= _MOST_PAIRS:
        return best_pairs(old, new, _table_score)
    groups: dict[frozenset[tuple[str, str]], tuple[list[Table], list[Table]]] = defaultdict(lambda: ([], []))
    for side, tables in enumerate((old, new)):
        for table in tables:
            groups[_shape(table)][side].append(table)
    small = (pair for pair in groups.values() if len(pair[0]) * len(pair[1]) <= _MOST_OF_A_KIND)
    return [found for before, after in small for found in best_pairs(before, after, _table_score)]


def _table_score(old: Table, new: Table) -> float:
    """Columns in common count by how much they tell: every table has an `id`."""
    if old.kind != new.kind:
        return 0.0
    one, two = _shape(old), _shape(new)
    shared = one & two
    telling = 1 - 0.5 ** len([name for name, _ in shared if name != "id"]) if shared else 0.0
    structure = len(shared) / max(len(one | two), 1)
    if structure < SURE_ENOUGH:
        return 0.0
    same_place = 0.05 if old.schema == new.schema else 0.0
    return min(1.0, 0.2 * structure + 0.45 * structure * telling + 0.35 * likeness(old.name, new.name) + same_place)


def _shape(table: Table) -> frozenset[tuple[str, str]]:
    return frozenset((column.name, column.type) for column in table.columns)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table before and after, and which constraints and indexes use them."""

    old: Table
    new: Table
    uses: Callable[[Table, str], frozenset[str]]

    def renamed(self, gone: Sequence[Column], come: Sequence[Column]) -> list[tuple[Column, Column, float]]:
        """Which of the columns that are gone lives on as which of those that came."""
        if not gone or not come or len(gone) * len(come) > _MOST_PAIRS:
            return []
        both = {c.name for c in self.old.columns} & {c.name for c in self.new.columns}
        places = [_neighbours(table.columns, both) for table in (self.old, self.new)]

        def score(a: Column, b: Column) -> float:
            return self._score(a, b, (places[0][a.name], places[1][b.name]))

        return best_pairs(gone, come, score)

    def _score(self, a: Column, b: Column, places: tuple[_Place, _Place]) -> float:
        """A database adds columns at the end: one in the same place between others was renamed.

        At the end the place tells nothing, and the name and what uses the column have to.
        """
        if a.type != b.type or (a.generated is None) != (b.generated is None):
            return 0.0
        facts = ("nullable", "default", "identity", "collation", "comment", "options")
        equal = sum(bool(getattr(a, name) == getattr(b, name)) for name in facts) / len(facts)
        name = likeness(a.name, b.name)
        used = self.uses(self.old, a.name)
        alike = bool(used) and used == self.uses(self.new, b.name)
        told = bool(a.comment or alike) and a.comment == b.comment
        if places[0] != places[1]:
            return equal * (0.85 * name + 0.1 * told)
        if places[0].last:
            return equal * (0.3 + 0.45 * name + 0.25 * told)
        return equal * (0.8 + 0.1 * name + 0.1 * told)


@dataclass(frozen=True, slots=True)
class _Place:
    """The columns on both sides that stay; `last` when none stays behind it. How many are between does count."""

    before: str | None
    after: str | None
    nth: int
    last: bool


def _neighbours(columns: Sequence[Column], both: Iterable[str]) -> Mapping[str, _Place]:
    stay = set(both)
    names = [column.name for column in columns]
    places: dict[str, _Place] = {}
    before: str | None = None
    nth = 0
    for i, name in enumerate(names):
        if name in stay:
            before, nth = name, 0
            continue
        after = next((later for later in names[i + 1 :] if later in stay), None)
        places[name] = _Place(before, after, nth, last=after is None)
        nth += 1
    return places


Names = Mapping[str, frozenset[str]]
"""Old names with what each may be called now; two tables may both rename a column `a`."""


def names_of(pairs: Iterable[tuple[str, str]]) -> Names:
    """`Names` of renames."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for old, new in pairs:
        found[old].add(new)
    return {old: frozenset(new) for old, new in found.items()}


def joined(*several: Names) -> Names:
    """All of them."""
    return names_of((old, new) for names in several for old, every in names.items() for new in every)


def follows(before: str | None, after: str | None, names: Names) -> bool:
    """Whether `after` is `before` with nothing but renamed things in it."""
    if before == after:
        return True
    if before is None or after is None or not names:
        return False
    old, new = _tokens(before), _tokens(after)
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] != new[j] and _bare(new[j]) not in names.get(_bare(old[i]), ()):
            return False
        renamed = old[i] != new[j]
        i, j = i + 1, j + 1
        if renamed and [t.upper() for t in new[j : j + 1]] == ["AS"] and new[j + 1 : j + 2] == [old[i - 1]]:
            j += 2  # a view keeps the name that it gives to the column
    return i == len(old) and j == len(new)


def _tokens(text: str) -> list[str]:
    return [token for token in _TOKENS.findall(text) if not token.isspace()]


def _bare(token: str) -> str:
    return token[1:-1].replace('""', '"') if token.startswith('"') else token


def _rounded(value: float) -> float:
    """Two places, and never certainty."""
    return min(round(value, 2), 0.99)
