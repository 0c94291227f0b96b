"""What would have to change to turn one schema into another?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.model import Effect
from mcp_migrate.schema.fingerprint import constraint_key
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

_ADDS, _DROPS, _ALTERS = (Effect.ADDITIVE,), (Effect.DESTRUCTIVE,), (Effect.UNKNOWN,)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `effects` are coarse: what a statement really does is judged when there is one."""

    kind: str
    object: str
    before: str | None
    after: str | None
    effects: tuple[Effect, ...]
    confidence: float = 1.0


def diff(before: Schema, after: Schema) -> tuple[Change, ...]:
    """The changes from `before` to `after`; none exactly when their fingerprints are equal."""
    return (*_tables(before, after), *_others(before, after))


def _tables(before: Schema, after: Schema) -> Iterator[Change]:
    old = {table.qualified: table for table in before.tables}
    new = {table.qualified: table for table in after.tables}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change("drop_table", name, _columns(old[name]), None, _DROPS)
        elif name not in old:
            yield Change("add_table", name, None, _columns(new[name]), _ADDS)
        else:
            yield from _table(old[name], new[name])


def _table(old: Table, new: Table) -> Iterator[Change]:
    where = old.qualified
    for attribute in ("kind", "options", "comment"):
        was, now = getattr(old, attribute), getattr(new, attribute)
        if (sorted(was), sorted(now)) != (sorted(now), sorted(was)) if attribute == "options" else was != now:
            yield Change("alter_table", where, f"{attribute} {was}", f"{attribute} {now}", _ALTERS)
    yield from _parts("column", where, {c.name: c for c in old.columns}, {c.name: c for c in new.columns})
    yield from _parts("constraint", where, _by_key(old), _by_key(new))
    yield from _parts("index", where, {i.name: i for i in old.indexes}, {i.name: i for i in new.indexes})


def _by_key(table: Table) -> dict[str, Constraint]:
    return {constraint_key(constraint): constraint for constraint in table.constraints}


def _parts(kind: str, where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        was = _told(old[name]) if name in old else None
        now = _told(new[name]) if name in new else None
        if was == now:
            continue
        if now is None:
            yield Change(f"drop_{kind}", f"{where}.{name}", was, None, _DROPS)
        elif was is None:
            yield Change(f"add_{kind}", f"{where}.{name}", None, now, _ADDS)
        else:
            yield Change(f"alter_{kind}", f"{where}.{name}", was, now, _ALTERS)


def _others(before: Schema, after: Schema) -> Iterator[Change]:
    old, new = ({(o.kind, o.qualified, o.table or ""): o for o in s.others} for s in (before, after))
    for key in sorted(old.keys() | new.keys()):
        kind, name, _table_name = key
        if key not in new:
            yield Change(f"drop_{kind}", name, old[key].definition, None, _DROPS)
        elif key not in old:
            yield Change(f"add_{kind}", name, None, new[key].definition, _ADDS)
        elif old[key].definition != new[key].definition:
            yield Change(f"alter_{kind}", name, old[key].definition, new[key].definition, _ALTERS)


def _columns(table: Table) -> str:
    return ", ".join(_told(column) for column in table.columns)


def _told(part: Column | Constraint | Index | Other) -> str:
    if not isinstance(part, Column):
        valid = "" if getattr(part, "valid", True) else " INVALID"
        unique = "UNIQUE " if getattr(part, "unique", False) else ""
        return f"{getattr(part, 'kind', 'index')} {unique}{part.definition}{valid}"
    facts = [part.name, part.type, "NULL" if part.nullable else "NOT NULL"]
    for name in ("default", "identity", "generated", "collation", "comment"):
        value = getattr(part, name)
        if value is not None:
            facts.append(f"{name} {value}")
    return " ".join(facts)
