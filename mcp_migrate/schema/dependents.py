"""What else uses these tables and columns, as far as the schema says? For people to look at: no judgement rests on it.

Foreign keys and what belongs to a table are certain. Views, functions and the like are found by their text: one that
names the table, and the column where one is meant, may use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mcp_migrate.schema.model import Constraint, Other, Schema, Table
from mcp_migrate.schema.pairing import refers

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Dependent:
    """`name` is what uses the `object`, and `how`."""

    object: str
    name: str
    how: str

    def told(self) -> dict[str, str]:
        """The JSON form."""
        return {"object": self.object, "name": self.name, "how": self.how}


def dependents(schema: Schema, objects: Iterable[str]) -> Iterator[Dependent]:
    """What uses ``schema.table`` or ``schema.table.column``, each once and in a steady order."""
    for name in dict.fromkeys(objects):
        found = _located(schema, name)
        if found:
            yield from _uses(schema, name, *found)


def _located(schema: Schema, name: str) -> tuple[Table, str | None] | None:
    for table in schema.tables:
        if name == table.qualified:
            return table, None
        column = name.removeprefix(f"{table.qualified}.")
        if column != name and any(each.name == column for each in table.columns):
            return table, column
    return None


def _uses(schema: Schema, name: str, table: Table, column: str | None) -> Iterator[Dependent]:
    for other in schema.tables:
        for key in other.constraints:
            if other != table and key.refers_to and refers(key, other) == table.qualified and _meant(key, column):
                yield Dependent(name, f"{other.qualified} ({', '.join(key.columns)})", "refers to it")
    for index in table.indexes if column else ():
        if column in _words(index.definition):
            yield Dependent(name, index.name, "an index over it")
    for constraint in table.constraints if column else ():
        if column in constraint.columns:
            yield Dependent(name, constraint.name or constraint.definition, constraint.kind.replace("_", " "))
    for each in schema.others:
        if how := _how(each, table, column):
            yield Dependent(name, f"{each.schema}.{each.name}" if each.schema else each.name, how)


def _meant(key: Constraint, column: str | None) -> bool:
    """Whether the foreign key refers to this column, or does not say to which."""
    said = key.definition.casefold().rpartition("references")[2]
    return column is None or "(" not in said or column.casefold() in _words(said)


def _how(each: Other, table: Table, column: str | None) -> str | None:
    kind = each.kind.replace("_", " ")
    if each.table in {table.name, table.qualified} and column is None:
        return f"a {kind} on it"
    words = _words(each.definition)
    return f"a {kind} that names it" if table.name in words and (column is None or column in words) else None


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))
