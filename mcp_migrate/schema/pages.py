"""Which part of a schema fits into one answer, and where does the next one begin?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.schema.fingerprint import Key, key
from mcp_migrate.schema.model import Other, Schema, Table
from mcp_migrate.schema.text import LEGEND, clean, full_table, other_line, outline_table

Detail = Literal["names", "outline", "full"]
_Entry = tuple[Key, Callable[[], str]]

MAP_FROM = 500
"""Tables from which on the first answer, when nothing was asked for by name, is a map."""
PAGE_CHARACTERS = 30_000
"""Clients cut answers of about 50 kB; the rest of the answer and its JSON need room too."""
_MOST = 15


@dataclass(frozen=True, slots=True)
class Page:
    """One page of text. With `next_cursor` there is more, after what this page showed last."""

    text: str
    next_cursor: str | None
    tables_total: int


def pages(
    schema: Schema,
    *,
    detail: Detail = "outline",
    tables: tuple[str, ...] = (),
    cursor: str | None = None,
    rows: Mapping[str, int] | None = None,
    limit_chars: int = PAGE_CHARACTERS,
) -> Page:
    """One page of the tables that fit `tables` (globs; all without), after `cursor`.

    A cursor names the last object shown, so it holds while the schema changes. `rows` are estimates for the map
    that a schema of very many tables gets as its first answer.

    Raises:
        InvalidArgumentsError: `cursor` is not one of ours.
    """
    chosen = [table for table in schema.tables if _fits(table, tables)]
    if not tables and cursor is None and detail != "names" and len(chosen) >= MAP_FROM:
        return Page(_map(schema, rows or {}), None, len(chosen))
    others = [] if tables else schema.others
    entries: list[_Entry] = [(key(table), partial(_table, table, detail, schema.dialect)) for table in chosen]
    entries += [(key(other), partial(_other, other, detail)) for other in others]
    return _fill(_after(sorted(entries, key=_place), cursor), schema, detail, limit_chars, len(chosen))


def _fill(entries: Iterator[_Entry], schema: Schema, detail: Detail, limit: int, total: int) -> Page:
    lines = [f"-- {LEGEND[schema.dialect]}"] if detail != "names" and schema.dialect in LEGEND else []
    room, last = limit - sum(map(len, lines)), None
    for place, make in entries:
        block = make()
        if last is not None and len(block) > room:
            return Page("\n".join(lines), json.dumps(last), total)
        lines.append(block)
        room, last = room - len(block) - 1, place
    return Page("\n".join(lines), None, total)


def _place(entry: _Entry) -> tuple[bool, Key]:
    """Tables come first."""
    return entry[0][0] != "table", entry[0]


def _table(table: Table, detail: Detail, dialect: str) -> str:
    if detail == "names":
        return clean(table.qualified)
    return full_table(table, dialect) if detail == "full" else outline_table(table)


def _other(other: Other, detail: Detail) -> str:
    return other_line(other, full=detail == "full")


def _after(entries: list[_Entry], cursor: str | None) -> Iterator[_Entry]:
    if cursor is None:
        return iter(entries)
    last = _key_of(cursor)
    return (entry for entry in entries if _place(entry) > (last[0] != "table", last))


def _key_of(cursor: str) -> Key:
    try:
        parts: Any = json.loads(cursor)
    except ValueError:
        parts = None
    if not isinstance(parts, list) or len(parts) != 4 or not all(isinstance(part, str) for part in parts):  # noqa: PLR2004  a Key
        raise InvalidArgumentsError("That cursor is not one of ours.", hint="Read again from the start.")
    kind, schema, name, table = parts
    return kind, schema, name, table


def _fits(table: Table, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(table.qualified, g) or fnmatchcase(table.name, g) for g in globs)


def _map(schema: Schema, rows: Mapping[str, int]) -> str:
    """Where things are in a schema that nobody wants to read whole."""
    places = Counter(table.schema for table in schema.tables)
    kinds = Counter((other.schema, other.kind) for other in schema.others)
    how = 'Narrow with `tables`, for example ["public.order*"]; `detail: names` lists every name.'
    lines = [f"-- {len(schema.tables)} tables are too many for one answer, so this is a map. {how}"]
    for name, count in places.most_common(_MOST):
        more = "".join(f", {n} {kind}" for (place, kind), n in sorted(kinds.items()) if place == name)
        lines.append(f"schema {clean(name)}: {count} tables{more}")
    if len(places) > _MOST:
        lines.append(f"… and {len(places) - _MOST} more schemas")
    if rows:
        lines.append(f"most rows (estimated): {_told(Counter(rows))}")
    wide = Counter({table.qualified: len(table.columns) for table in schema.tables})
    lines.append(f"most columns: {_told(wide)}")
    hubs = Counter(
        (constraint.refers_to or "").partition("(")[0]
        for table in schema.tables
        for constraint in table.constraints
        if constraint.kind == "foreign_key"
    )
    lines.append(f"most referred to by foreign keys: {_told(hubs)}")
    return "\n".join(lines)


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{clean(name)} ({count})" for name, count in counts.most_common(_MOST) if count) or "none"
