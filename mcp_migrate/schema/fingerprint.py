"""Are two schemas the same, whoever read them and in whatever order?"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from mcp_migrate.model import digest
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

Key = tuple[str, str, str, str]
"""What tells an object from all others: kind, schema, name, and the table it belongs to."""

_ANY_ORDER = frozenset({"options", "columns", "constraints", "indexes"})
_AMBIGUOUS = frozenset('." ')


def fingerprint(schema: Schema) -> str:
    """One hash of everything in the model; order, also of columns, does not matter."""
    objects: list[Table | Other] = [*schema.tables, *schema.others]
    hashes = sorted([*key(thing), digest(facts(thing))] for thing in objects)
    return digest({"dialect": schema.dialect, "objects": hashes})


def object_fingerprints(schema: Schema) -> dict[str, str]:
    """A hash for each object, by ``kind schema.name``, so that a drift can be named."""
    objects: list[Table | Other] = [*schema.tables, *schema.others]
    return {f"{key(thing)[0]} {label(thing)}": digest(facts(thing)) for thing in objects}


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


def facts(part: Table | Column | Constraint | Index | Other) -> dict[str, Any]:
    """What counts of one object: each field that is not at its default."""
    kind: Any = type(part)
    found = {}
    for name, default in _counted(kind):
        value = getattr(part, name)
        if value is not default and value != default:
            found[name] = _plain(part, name, value) if isinstance(value, tuple) else value
    return found


def _plain(part: object, name: str, value: tuple[Any, ...]) -> list[Any]:
    plain = [item if isinstance(item, str) else facts(item) for item in value]
    free = name in _ANY_ORDER and not isinstance(part, Constraint)
    return sorted(plain, key=repr) if free else plain  # fields come in one order, so equal facts have one repr


@cache
def _counted(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    every = [f for f in fields(kind) if f.metadata.get("counted", True)]
    return tuple((f.name, f.default) if f.default is not MISSING else (f.name, ...) for f in every)


def _part(name: str) -> str:
    return name if not _AMBIGUOUS & set(name) else '"' + name.replace('"', '""') + '"'
