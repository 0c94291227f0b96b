"""What would have to change to turn one schema into another?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mcp_migrate.model import Effect
from mcp_migrate.schema.fingerprint import facts, key
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table
from mcp_migrate.schema.text import clean, cut

_Part = Column | Constraint | Index
_LONGEST = 4_000
_PARTS = frozenset({"columns", "constraints", "indexes"})
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
    changes = (*_dialect(before, after), *_tables(before, after), *_others(before, after))
    return tuple(_shown(change) for change in changes)


def _shown(change: Change) -> Change:
    """What a database says is data: it reaches reviewers and agents without characters that command or hide."""
    before, after = (text if text is None else cut(clean(text), _LONGEST) for text in (change.before, change.after))
    return replace(change, object=clean(change.object), before=before, after=after)


def _dialect(before: Schema, after: Schema) -> Iterator[Change]:
    if before.dialect != after.dialect:
        yield Change("alter_database", "dialect", before.dialect, after.dialect, _ALTERS)


def _tables(before: Schema, after: Schema) -> Iterator[Change]:
    old, new = ({key(table): table for table in schema.tables} for schema in (before, after))
    for place in sorted(old.keys() | new.keys()):
        if place not in new:
            yield Change("drop_table", old[place].qualified, _columns(old[place]), None, _DROPS)
        elif place not in old:
            yield Change("add_table", new[place].qualified, None, _columns(new[place]), _ADDS)
        elif _differ(old[place], new[place]):
            yield from _table(old[place], new[place])


def _differ(old: Table | Other | _Part, new: Table | Other | _Part) -> bool:
    """Whether what counts differs. Values that are equal as they stand, as most are, need no closer look."""
    return old != new and facts(old) != facts(new)


def _table(old: Table, new: Table) -> Iterator[Change]:
    where, was, now = old.qualified, facts(old), facts(new)
    for name in sorted((was.keys() | now.keys()) - _PARTS):
        if was.get(name) != now.get(name):
            yield Change("alter_table", where, f"{name} {was.get(name)}", f"{name} {now.get(name)}", _ALTERS)
    yield from _parts("column", where, _keyed(old.columns), _keyed(new.columns))
    yield from _parts("constraint", where, _keyed(old.constraints), _keyed(new.constraints))
    yield from _parts("index", where, _keyed(old.indexes), _keyed(new.indexes))


def _keyed(parts: Iterable[_Part]) -> dict[tuple[str, int], _Part]:
    """By name, or by text where the name was generated; twins are counted."""
    twins: Counter[str] = Counter()
    keyed: dict[tuple[str, int], _Part] = {}
    for part in sorted(parts, key=lambda part: repr(facts(part))):
        name = part.definition if isinstance(part, Constraint) and part.name is None else str(part.name)
        keyed[name, twins[name]] = part
        twins[name] += 1
    return keyed


def _parts(
    kind: str, where: str, old: Mapping[tuple[str, int], _Part], new: Mapping[tuple[str, int], _Part]
) -> Iterator[Change]:
    for place in sorted(old.keys() | new.keys()):
        thing = f"{where}.{place[0]}"
        if place not in new:
            yield Change(f"drop_{kind}", thing, _told(old[place]), None, _DROPS)
        elif place not in old:
            yield Change(f"add_{kind}", thing, None, _told(new[place]), _ADDS)
        elif _differ(old[place], new[place]):
            yield Change(f"alter_{kind}", thing, _told(old[place]), _told(new[place]), _ALTERS)


def _others(before: Schema, after: Schema) -> Iterator[Change]:
    old, new = ({key(other): other for other in schema.others} for schema in (before, after))
    for place in sorted(old.keys() | new.keys()):
        kind = place[0]
        if place not in new:
            yield Change(f"drop_{kind}", old[place].qualified, old[place].definition, None, _DROPS)
        elif place not in old:
            yield Change(f"add_{kind}", new[place].qualified, None, new[place].definition, _ADDS)
        elif _differ(old[place], new[place]):
            was, now = old[place], new[place]
            yield Change(f"alter_{kind}", was.qualified, was.definition, now.definition, _ALTERS)


def _columns(table: Table) -> str:
    return ", ".join(_told(column) for column in table.columns)


def _told(part: _Part) -> str:
    if isinstance(part, Constraint):
        return f"{part.kind} {part.definition}"
    if isinstance(part, Index):
        return f"index {'UNIQUE ' if part.unique else ''}{part.definition}{'' if part.valid else ' INVALID'}"
    words = [part.name, part.type, "NULL" if part.nullable else "NOT NULL"]
    for name in ("default", "identity", "generated", "collation", "comment"):
        value = getattr(part, name)
        if value is not None:
            words.append(f"{name} {value}")
    return " ".join([*words, *sorted(part.options)])
