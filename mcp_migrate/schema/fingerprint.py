"""Are two schemas the same, whoever read them and in whatever order?

Everything of the model counts, owners and grants too. `without_access` leaves those out, for a comparison with a
database that other roles made: names of roles belong to a server, not to a history of revisions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any

from mcp_migrate.model import digest
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

Key = tuple[str, str, str, str]
"""What tells an object from all others: kind, schema, name, and the table it belongs to."""

_Part = Column | Constraint | Index
_ABOUT_ACCESS = frozenset({"default_privileges"})
_TEXTS = frozenset({"options", "grants"})
_PARTS = frozenset({"columns", "constraints", "indexes"})
_SHORT = 16
_AMBIGUOUS = frozenset('." ')


def fingerprint(schema: Schema) -> str:
    """One hash of everything in the model; order, also of columns, does not matter."""
    return digest({"dialect": schema.dialect, "objects": sorted([*key(o), hashed] for o, hashed in _hashed(schema))})


def shape(schema: Schema) -> str:
    """The fingerprint that plans are held to: without owners and grants, which a scratch database does not have."""
    return fingerprint(without_access(schema))


def fingerprints(schema: Schema) -> dict[str, str]:
    """A hash for each object, by ``kind schema.name``, so that a drift is named in one comparison."""
    return {f"{key(thing)[0]} {label(thing)}": hashed for thing, hashed in _hashed(schema)}


def short_fingerprints(schema: Schema) -> dict[str, str]:
    """As `fingerprints`, in 64 bits each: enough to name what an equal fingerprint of the whole would not have."""
    return {name: hashed[:_SHORT] for name, hashed in fingerprints(schema).items()}


def without_access(schema: Schema) -> Schema:
    """The schema without owners and grants."""
    tables = (replace(t, owner=None, grants=(), columns=_unowned(t.columns)) for t in schema.tables)
    others = (replace(o, owner=None, grants=(), columns=_unowned(o.columns)) for o in schema.others)
    return replace(
        schema, tables=tuple(tables), others=tuple(other for other in others if other.kind not in _ABOUT_ACCESS)
    )


def key(thing: Table | Other) -> Key:
    """No two objects of one schema share it."""
    if isinstance(thing, Table):
        return ("table", thing.schema, thing.name, "")
    return (thing.kind, thing.schema, thing.name, thing.table or "")


def label(thing: Table | Other) -> str:
    """``schema.name``, quoted where a dot or a space in it could pass for another object."""
    _kind, schema, name, table = key(thing)
    where = f" on {table}" if table else ""
    return f"{_part(schema)}.{_part(name)}{where}" if schema else f"{_part(name)}{where}"


def facts(part: Table | Other | _Part) -> dict[str, Any]:
    """What counts of one object: each field that is not at its default."""
    counted = _counted_of(part)
    pairs = zip(counted.names, counted.defaults, counted.values(part), strict=True)
    return {name: _plain(part, name, value) for name, default, value in pairs if value != default}


def _plain(part: Table | Other | _Part, name: str, value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    if isinstance(part, Constraint) and name == "columns":
        return list(value)
    return sorted(value) if name in _TEXTS else sorted(map(facts, value), key=repr)


def _hashed(schema: Schema) -> Iterator[tuple[Table | Other, str]]:
    seen: dict[int, str] = {}
    things: tuple[Table | Other, ...] = (*schema.tables, *schema.others)
    for thing in things:
        yield thing, hashlib.sha256(_written(thing, seen).encode()).hexdigest()


def _written(part: Table | Other | _Part, seen: dict[int, str]) -> str:
    """What counts of one object, in one way only: its fields in their order, up to the last that is not at its default.

    Its parts have lines of their own behind it. Half of the time that canonical JSON took. `ascii`, since what
    `repr` escapes changes with Python's Unicode. `seen` keeps columns by their identity: only these are shared.
    """
    counted = _counted_of(part)
    told, parts = list(counted.values(part)), []
    while told[-1] == counted.defaults[len(told) - 1]:
        told.pop()
    for place in counted.texts:
        if place < len(told):
            told[place] = sorted(told[place])
    for place in counted.parts:
        if place < len(told):
            parts += sorted([seen.get(id(one)) or _line(one, seen) for one in told[place]])
            told[place] = len(told[place])
    return "\n".join([f"{type(part).__name__}{told!a}", *parts])


def _line(part: _Part, seen: dict[int, str]) -> str:
    text = _written(part, seen)
    if isinstance(part, Column):
        seen[id(part)] = text
    return text


@dataclass(frozen=True, slots=True)
class _Counted:
    """The fields of a class that count; the order of texts and parts does not."""

    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    values: attrgetter[tuple[Any, ...]]
    texts: tuple[int, ...]
    parts: tuple[int, ...]


def _counted_of(part: Table | Other | _Part) -> _Counted:
    kind: Any = type(part)  # as Any, for cache() takes what is hashable, and mypy has classes not to be
    return _counted(kind)


@cache
def _counted(kind: type[Any]) -> _Counted:
    every = [f for f in fields(kind) if f.metadata.get("counted", True)]
    names = tuple(f.name for f in every)
    return _Counted(
        names,
        tuple(... if f.default is MISSING else f.default for f in every),
        attrgetter(*names),
        tuple(n for n, name in enumerate(names) if name in _TEXTS),
        tuple(n for n, name in enumerate(names) if name in _PARTS and kind is not Constraint),
    )


def _unowned(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(replace(c, grants=()) if c.grants else c for c in columns)


def _part(name: str) -> str:
    return name if not _AMBIGUOUS & set(name) else '"' + name.replace('"', '""') + '"'
