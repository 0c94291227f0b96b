"""Which object of one schema is which of the other, under whatever name?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from mcp_migrate.schema.fingerprint import Key, key
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table
from mcp_migrate.schema.renames import Columns, Names, best_pairs, follows, joined, likeness, names_of, renamed_tables

_Thing = TypeVar("_Thing", bound=Table | Other | Column)
_NO_TEXT_OF_ITS_OWN = frozenset({"sequence", "schema"})
"""Kinds whose definitions are nearly all the same."""

_NEVER_RENAMED = frozenset({"extension"})


@dataclass(frozen=True, slots=True)
class Pairs(Generic[_Thing]):
    """`same` are before and after with how sure that is; `gone` and `come` are on one side only."""

    same: tuple[tuple[_Thing, _Thing, float], ...]
    gone: tuple[_Thing, ...]
    come: tuple[_Thing, ...]

    def names(self) -> Names:
        """The renames among them."""
        return names_of((_bare(a.name), _bare(b.name)) for a, b, _ in self.same if a.name != b.name)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Tables, others, and the columns of each pair of tables that differ, by the key of the table after.

    `objects` are the renames of tables, types and the like, `renamed` those of columns by the table's new name.
    """

    tables: Pairs[Table]
    others: Pairs[Other]
    columns: Mapping[Key, Pairs[Column]]
    objects: Names
    renamed: Mapping[str, Names]

    def names_for(self, table: Table) -> Names:
        """What may be called differently in the texts of one table: objects, its columns, those it refers to."""
        near = {table.qualified, *(refers(c, table) for c in table.constraints)}
        return joined(self.objects, *(self.renamed[name] for name in near if name in self.renamed))

    def names_in(self, other: Other) -> Names:
        """What may be called differently in the text of a view or a function: columns of the tables it names."""
        text = f"{other.definition} {other.table}"
        near = (names for table, names in self.renamed.items() if table.rpartition(".")[2] in text)
        return joined(self.objects, *near)


def pair(before: Schema, after: Schema) -> Pairing:
    """Pair everything."""
    tables = _paired(before.tables, after.tables, key, key)
    tables = _with(tables, renamed_tables(tables.gone, tables.come))
    columns = {key(new): _columns(old, new) for old, new, _ in tables.same if old is not new and old != new}
    renamed = {f"{place[1]}.{place[2]}": names for place, pairs in columns.items() if (names := pairs.names())}
    moved = {old.qualified: new.qualified for old, new, _ in tables.same if old.qualified != new.qualified}
    others = _others(before, after, moved, joined(tables.names(), *renamed.values()))
    schemas = names_of((old.schema, new.schema) for old, new, _ in tables.same if old.schema != new.schema)
    return Pairing(tables, others, columns, joined(tables.names(), others.names(), schemas), renamed)


def _paired(
    old: Iterable[_Thing], new: Iterable[_Thing], was: Callable[[_Thing], object], now: Callable[[_Thing], object]
) -> Pairs[_Thing]:
    """By what identifies each thing, which `was` and `now` tell."""
    before, after = {was(thing): thing for thing in old}, {now(thing): thing for thing in new}
    same = tuple((before[place], after[place], 1.0) for place in before if place in after)
    gone = tuple(thing for place, thing in before.items() if place not in after)
    return Pairs(same, gone, tuple(thing for place, thing in after.items() if place not in before))


def _with(pairs: Pairs[_Thing], found: Sequence[tuple[_Thing, _Thing, float]]) -> Pairs[_Thing]:
    old, new = {id(a) for a, _, _ in found}, {id(b) for _, b, _ in found}
    return Pairs(
        (*pairs.same, *found),
        tuple(thing for thing in pairs.gone if id(thing) not in old),
        tuple(thing for thing in pairs.come if id(thing) not in new),
    )


def _columns(old: Table, new: Table) -> Pairs[Column]:
    pairs = _paired(old.columns, new.columns, _name, _name)
    return _with(pairs, Columns(old, new, _uses).renamed(pairs.gone, pairs.come))


def _uses(table: Table, column: str) -> frozenset[str]:
    """What constraints and indexes say of the column, without its name."""
    parts: list[Constraint | Index] = [*table.constraints, *table.indexes]
    texts = [p.definition for p in parts if not isinstance(p, Constraint) or column in p.columns]
    return frozenset(text.replace(column, "·") for text in texts if column in text)


def _others(before: Schema, after: Schema, moved: Mapping[str, str], names: Names) -> Pairs[Other]:
    def translated(other: Other) -> Key:
        """An object of a table that was renamed is looked for on that table."""
        table = moved.get(str(other.table), other.table)
        return key(other if table == other.table else replace(other, table=table))

    pairs = _paired(before.others, after.others, translated, key)

    def score(a: Other, b: Other) -> float:
        if a.kind != b.kind or a.kind in _NEVER_RENAMED or moved.get(str(a.table), a.table) != b.table:
            return 0.0
        every = joined(names, names_of([(_bare(a.name), _bare(b.name)), (a.schema, b.schema)]))
        if a.columns != b.columns or not follows(a.definition, b.definition, every):
            return 0.0
        telling = 0.0 if a.kind in _NO_TEXT_OF_ITS_OWN else min(1.0, len(a.definition) / 24)
        alike = likeness(_bare(a.name), _bare(b.name))
        return max(0.9 * alike, 0.15 + 0.45 * telling + 0.35 * alike)

    gone, come = pairs.gone, pairs.come
    few = len(gone) * len(come) <= 10_000  # noqa: PLR2004  more than that is no rename, and each text is compared
    return _with(pairs, best_pairs(gone, come, score)) if few else pairs


def refers(constraint: Constraint, table: Table) -> str:
    """``schema.table`` that a foreign key of `table` refers to.

    PostgreSQL quotes a name where it must, SQLite's reader adds the columns.
    """
    name = (constraint.refers_to or table.qualified).replace('"', "")
    name = name.rpartition("(")[0] if name.endswith(")") else name
    return name if "." in name else f"{table.schema}.{name}"


def _name(column: Column) -> str:
    return column.name


def _bare(name: str) -> str:
    """A function's name without its arguments."""
    return name.partition("(")[0]
