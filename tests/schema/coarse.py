"""What differs between two schemas, found the plain way: a second opinion for tests.

It pairs by name alone and knows no renames: whatever the diff says must be about the same objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.schema import Column, Constraint, Index, Schema, Table
from mcp_migrate.schema.fingerprint import facts, key

_PARTS = frozenset({"columns", "constraints", "indexes"})


def coarse(before: Schema, after: Schema) -> set[str]:
    """``add_``, ``drop_`` or ``alter_`` with the kind and name of each object that differs."""
    names = {*_compared(_by_key(before.others), _by_key(after.others))}
    old, new = _by_key(before.tables), _by_key(after.tables)
    names |= {name for name in _compared(old, new) if not name.startswith("alter_")}
    for place in old.keys() & new.keys():
        names |= set(_table(old[place], new[place]))
    return names


def _table(old: Table, new: Table) -> Iterator[str]:
    was, now = facts(old), facts(new)
    if any(was.get(name) != now.get(name) for name in (was.keys() | now.keys()) - _PARTS):
        yield f"alter_table {old.qualified}"
    for noun in ("column", "constraint", "index"):
        name = "indexes" if noun == "index" else f"{noun}s"
        sides = [_keyed(getattr(table, name)) for table in (old, new)]
        for place in sides[0].keys() | sides[1].keys():
            if (verb := _verb(sides[0].get(place), sides[1].get(place))) is not None:
                yield f"{verb}_{noun} {old.qualified}.{place[0]}"


def _compared(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[str]:
    for place in old.keys() | new.keys():
        if (verb := _verb(old.get(place), new.get(place))) is not None:
            yield f"{verb}_{place[0]} {(old.get(place) or new[place]).qualified}"


def _verb(old: Any, new: Any) -> str | None:
    if old is None or new is None:
        return "add" if old is None else "drop"
    return None if facts(old) == facts(new) else "alter"


def _by_key(things: Iterable[Any]) -> dict[Any, Any]:
    return {key(thing): thing for thing in things}


def _keyed(parts: Iterable[Column | Constraint | Index]) -> dict[tuple[str, int], Any]:
    """By name, or by text where there is none; twins are counted."""
    twins: Counter[str] = Counter()
    keyed = {}
    for part in sorted(parts, key=lambda part: repr(facts(part))):
        name = part.definition if isinstance(part, Constraint) and part.name is None else str(part.name)
        keyed[name, twins[name]] = part
        twins[name] += 1
    return keyed
