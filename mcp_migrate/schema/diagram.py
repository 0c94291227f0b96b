"""How do the tables that change look beside their neighbours, as a picture? Mermaid entity diagrams.

Names come from a database. As identifiers only letters, digits and ``_`` are written; as labels everything that is not
a letter, a digit or plain punctuation becomes Mermaid's own code for a character (``#34;``), so that nothing in a name
can end the label, the diagram or the page around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mcp_migrate.schema.changes import Change
from mcp_migrate.schema.model import Column, Constraint, Schema, Table
from mcp_migrate.schema.pairing import refers

_MOST_TABLES = 20
_MOST_COLUMNS = 25
_LONGEST_LABEL = 60
_PLAIN = frozenset(" _.-,()[]")


def before_and_after(before: Schema, after: Schema, changes: Sequence[Change]) -> tuple[str, str]:
    """The neighbourhood of what `changes` touch, on both sides."""
    return (
        entity_diagram(before, touched(changes), marks(changes, "before")),
        entity_diagram(after, touched(changes), marks(changes, "after")),
    )


def touched(changes: Iterable[Change]) -> frozenset[str]:
    """``schema.table`` of each table that changes, under its names before and after."""
    named = (change for change in changes if change.table)
    return frozenset(name for c in named for name in (c.table, *_other_names(c)) if name)


def entity_diagram(schema: Schema, tables: Iterable[str], marks: Mapping[str, str] | None = None) -> str:
    """An ``erDiagram`` of `tables` and their neighbours by foreign keys; `marks` say what happens to an object."""
    centre = [table for table in schema.tables if table.qualified in set(tables)]
    beside = near(schema, {table.qualified for table in centre})
    shown = [*centre, *beside][:_MOST_TABLES]
    ids = {table.qualified: f"t{n}" for n, table in enumerate(shown, 1)}
    lines = ["erDiagram"]
    for table in shown:
        lines += _entity(ids[table.qualified], table, marks or {}, whole=table.qualified in set(tables))
    lines += _relations(shown, ids)
    if len(centre) + len(beside) > len(shown):
        lines.append(f"  %% {len(centre) + len(beside) - len(shown)} more tables are not shown")
    return "\n".join(lines) + "\n"


def near(schema: Schema, centre: set[str]) -> list[Table]:
    """The tables that refer to one of `centre`, or that one of them refers to."""

    def connects(table: Table) -> bool:
        return any(name in centre for name in _referred(table))

    known = {name for table in schema.tables if table.qualified in centre for name in _referred(table)}
    return [t for t in schema.tables if t.qualified not in centre and (t.qualified in known or connects(t))]


def _referred(table: Table) -> Iterator[str]:
    for key in table.constraints:
        if key.kind == "foreign_key" and key.refers_to:
            yield refers(key, table)


def _entity(name: str, table: Table, marks: Mapping[str, str], *, whole: bool) -> Iterator[str]:
    """A neighbour shows its keys alone."""
    keys = keys_of(table.constraints)
    mark = marks.get(table.qualified)
    yield f'  {name}["{label(table.qualified)}{f" ({mark})" if mark else ""}"] {{'
    chosen = [column for column in table.columns if whole or column.name in keys]
    first = sorted(chosen, key=lambda c: f"{table.qualified}.{c.name}" not in marks and c.name not in keys)
    for column in first[:_MOST_COLUMNS]:
        yield _attribute(column, keys.get(column.name, ""), marks.get(f"{table.qualified}.{column.name}"))
    if len(chosen) > _MOST_COLUMNS:
        yield f'    more columns "{len(chosen) - _MOST_COLUMNS} more"'
    yield "  }"


def _attribute(column: Column, keys: str, mark: str | None) -> str:
    kind, name = identifier(column.type), identifier(column.name)
    told = [] if name == column.name else [label(column.name)]
    told += [] if kind == column.type else [label(column.type)]
    told += [mark] if mark else []
    comment = f' "{"; ".join(told)}"' if told else ""
    return f"    {kind} {name}{f' {keys}' if keys else ''}{comment}"


def keys_of(constraints: Iterable[Constraint]) -> dict[str, str]:
    """Which keys each column takes part in: ``PK``, ``FK``, ``UK``."""
    found: dict[str, list[str]] = {}
    words = {"primary_key": "PK", "foreign_key": "FK", "unique": "UK"}
    for constraint in constraints:
        for column in constraint.columns if constraint.kind in words else ():
            marks = found.setdefault(column, [])
            if words[constraint.kind] not in marks:
                marks.append(words[constraint.kind])
    return {column: ", ".join(marks) for column, marks in found.items()}


def _relations(shown: Sequence[Table], ids: Mapping[str, str]) -> Iterator[str]:
    for table in shown:
        for key in table.constraints:
            if key.kind == "foreign_key" and key.refers_to:
                other = ids.get(refers(key, table))
                if other:
                    yield f'  {other} ||--o{{ {ids[table.qualified]} : "{label(", ".join(key.columns))}"'


def identifier(text: str) -> str:
    """Letters of ASCII, digits and ``_``, beginning with a letter."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in text[:_LONGEST_LABEL])
    return plain if plain[:1].isalpha() else f"x{plain}"


def label(text: str) -> str:
    """`text` as the inside of a quoted label; cut, with the whole length told."""
    cut = text[:_LONGEST_LABEL]
    shown = "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in cut)
    return shown if len(text) <= _LONGEST_LABEL else f"{shown}… ({len(text)} characters)"


def _other_names(change: Change) -> tuple[str | None, ...]:
    return (change.before, change.after) if change.kind in {"rename_table", "move_table"} else ()


def marks(changes: Iterable[Change], side: str) -> dict[str, str]:
    """What is said beside a table or column in one of the two pictures."""
    said: dict[str, list[str]] = {}
    for change in changes:
        verb, _, noun = change.kind.partition("_")
        if (verb, side) in {("add", "before"), ("drop", "after")} and noun in {"table", "column"}:
            continue
        name = change.after if verb == "rename" and side == "after" else change.object
        words = said.setdefault(str(name), [])
        words.append(change.kind.replace("_", " "))
    return {name: ", ".join(dict.fromkeys(words)) for name, words in said.items()}
