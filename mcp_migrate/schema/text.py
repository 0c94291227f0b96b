"""How does a schema read, for an agent that pays for each token?

Everything in it comes from the database and is data: characters that control or reorder text are made visible.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.schema.fingerprint import key, label
from mcp_migrate.schema.model import Column, Other, Schema, Table

_Entry = tuple[str, Callable[[], str]]
_LONGEST_COMMENT = 200
_LONGEST_BLOCK = 8_000
_LAST_OF_FOUR_DIGITS = 0xFFFF
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that control, reorder, hide, or end a line."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of text. `next_cursor` is the last name shown, when there is more."""

    text: str
    next_cursor: str | None
    tables_total: int


def pages(
    schema: Schema,
    *,
    detail: str = "outline",
    tables: tuple[str, ...] = (),
    cursor: str | None = None,
    limit_chars: int = 30_000,
) -> Page:
    """One page of the tables that fit `tables` (globs; all without), after `cursor`.

    Raises:
        InvalidArgumentsError: `cursor` is not one of ours.
    """
    chosen = sorted((t for t in schema.tables if _fits(t, tables)), key=key)
    others = sorted(schema.others, key=key) if not tables else []
    render: Callable[[Table], str] = full_table if detail == "full" else outline_table
    entries: list[_Entry] = [(_cursor(label(t)), partial(render, t)) for t in chosen]
    entries += [(_cursor(f"{o.kind} {label(o)}"), partial(_other, o, detail)) for o in others]
    lines: list[str] = []
    room, shown = limit_chars, None
    for name, make in _after(entries, cursor):
        block = make()
        if lines and len(block) > room:
            return Page("\n".join(lines), shown, len(chosen))
        lines.append(block)
        room, shown = room - len(block) - 1, name
    return Page("\n".join(lines), None, len(chosen))


def outline_table(table: Table) -> str:
    """One line: name, columns with types and keys."""
    keys = {name for c in table.constraints if c.kind == "primary_key" for name in c.columns}
    refers = {c.columns[0]: c.refers_to for c in table.constraints if c.kind == "foreign_key" and c.columns}
    columns = ", ".join(_short(column, keys, refers.get(column.name)) for column in table.columns)
    return cut(f"{clean(table.qualified)}({columns})", _LONGEST_BLOCK)


def full_table(table: Table) -> str:
    """A block: each column, constraint and index on a line of its own."""
    options = f" ({', '.join(map(clean, table.options))})" if table.options else ""
    lines = [f"{table.kind} {clean(table.qualified)}{options}{_comment(table.comment)}"]
    lines += [f"  {_long(column)}" for column in table.columns]
    lines += [f"  {clean(c.name) + ': ' if c.name else ''}{clean(c.definition)}" for c in table.constraints]
    lines += [f"  {'' if i.valid else 'INVALID '}index {clean(i.definition)}" for i in table.indexes]
    return cut("\n".join(lines), _LONGEST_BLOCK)


def clean(text: str) -> str:
    """`text` without characters that control or reorder what is shown: they are written as escapes."""
    if text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def _cursor(name: str) -> str:
    """The name itself where it can be shown; no two names make one cursor, or a page would come again and again."""
    return name if name.isprintable() and "\\" not in name else json.dumps(name)[1:-1]


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, with the whole length told."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _after(entries: list[_Entry], cursor: str | None) -> Iterator[_Entry]:
    if cursor is None:
        return iter(entries)
    names = [name for name, _ in entries]
    if cursor not in names:
        raise InvalidArgumentsError("That cursor is not one of ours.", hint="Read again from the start.")
    return iter(entries[names.index(cursor) + 1 :])


def _fits(table: Table, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(table.qualified, g) or fnmatchcase(table.name, g) for g in globs)


def _short(column: Column, keys: set[str], refers_to: str | None) -> str:
    mark = "*" if column.name in keys else ""
    null = "" if not column.nullable or column.name in keys else "?"
    arrow = f" → {clean(refers_to)}" if refers_to else ""
    kind = column.type if '"' in column.type else column.type.lower()
    return f"{clean(column.name)}{mark} {clean(kind)}{null}{arrow}"


def _long(column: Column) -> str:
    facts = [clean(column.name), clean(column.type), "" if column.nullable else "not null"]
    facts += [f"{word} {clean(value)}" for word, value in _facts(column) if value is not None]
    facts += [clean(option) for option in column.options]
    return " ".join(filter(None, facts)) + _comment(column.comment)


def _facts(column: Column) -> tuple[tuple[str, str | None], ...]:
    return (
        ("default", column.default),
        ("identity", column.identity),
        ("generated", column.generated),
        ("collate", column.collation),
    )


def _comment(comment: str | None) -> str:
    return "" if comment is None else f"  -- {cut(clean(comment), _LONGEST_COMMENT)}"


def _other(other: Other, detail: str) -> str:
    head = f"{other.kind} {clean(other.qualified)}" + (f" on {clean(other.table)}" if other.table else "")
    return head if detail != "full" else cut(f"{head}: {clean(other.definition)}", _LONGEST_BLOCK)
