"""Are two schemas the same, whoever read them and in whatever order?

Everything of the model counts, owners and grants too. `without_access` leaves those out, for a comparison with a
database that other roles made: names of roles belong to a server, not to a history of revisions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any

from mcp_migrate.model import canonical, digest
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

Key = tuple[str, str, str, str]
"""What tells an object from all others: kind, schema, name, and the table it belongs to."""

_Part = Column | Constraint | Index
_ABOUT_ACCESS = frozenset({"default_privileges"})
_TEXTS = frozenset({"options", "grants"})
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


def facts(part: Table | Other | _Part, seen: dict[int, Any] | None = None) -> dict[str, Any]:
    """What counts of one object: each field that is not at its default.

    `seen` keeps the facts of columns by their identity: many tables have columns that are one value.
    """
    kind: Any = type(part)
    names, defaults, values = _counted(kind)
    found = {}
    for name, default, value in zip(names, defaults, values(part), strict=True):
        if value is not default and value != default:
            found[name] = _plain(kind, name, value, {} if seen is None else seen) if type(value) is tuple else value
    return found


def _plain(kind: type[Any], name: str, value: tuple[Any, ...], seen: dict[int, Any]) -> list[Any]:
    if kind is Constraint and name == "columns":
        return list(value)
    if name in _TEXTS:
        return sorted(value)
    return sorted((_once(item, seen) for item in value), key=_place)


def _once(part: _Part, seen: dict[int, Any]) -> dict[str, Any]:
    found = seen.get(id(part))
    if found is None:
        found = seen[id(part)] = facts(part)
    return found


def _place(told: dict[str, Any]) -> tuple[Any, ...]:
    """Where a part stands in a list: names are unique but for constraints, of which some have none."""
    name = told["name"]
    return (name is None, name or "", told.get("kind", ""), told.get("definition", ""), *told.get("columns", ()))


def _hashed(schema: Schema) -> Iterator[tuple[Table | Other, str]]:
    seen: dict[int, Any] = {}
    things: tuple[Table | Other, ...] = (*schema.tables, *schema.others)
    for thing in things:
        yield thing, _hash(facts(thing, seen))


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


@cache
def _counted(kind: type[Any]) -> tuple[tuple[str, ...], tuple[Any, ...], attrgetter[tuple[Any, ...]]]:
    every = [f for f in fields(kind) if f.metadata.get("counted", True)]
    names = tuple(f.name for f in every)
    return names, tuple(... if f.default is MISSING else f.default for f in every), attrgetter(*names)


def _unowned(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(replace(c, grants=()) if c.grants else c for c in columns)


def _part(name: str) -> str:
    return name if not _AMBIGUOUS & set(name) else '"' + name.replace('"', '""') + '"'
