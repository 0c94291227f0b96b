"""What changed in one column?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mcp_migrate.schema.changes import Change, Place
from mcp_migrate.schema.fingerprint import facts
from mcp_migrate.schema.model import Column
from mcp_migrate.schema.renames import Names, follows
from mcp_migrate.schema.types import direction, rewrites

_KINDS = {
    "identity": "change_identity",
    "generated": "change_generated",
    "collation": "change_collation",
    "comment": "change_comment",
    "grants": "change_grants",
    "options": "change_column_options",
}
"""The kind of change for each field of a column; what is not here and not handled below is `alter_column`."""

_HANDLED = frozenset({"name", "type", "nullable", "default"})


def column_changes(place: Place, thing: str, old: Column, new: Column, names: Names) -> Iterator[Change]:
    """Each aspect by itself; what only follows from a rename is none."""
    yield from _type(place, thing, old, new, names)
    if old.nullable != new.nullable:
        kind = "drop_not_null" if new.nullable else "set_not_null"
        yield place.change(kind, thing, _null(old), _null(new))
    if old.default != new.default and not follows(old.default, new.default, names):
        kind = "drop_default" if new.default is None else "set_default"
        yield place.change(kind, thing, old.default, new.default)
    was, now = facts(old), facts(new)
    for name in sorted((was.keys() | now.keys()) - _HANDLED):
        before, after = only(getattr(old, name), getattr(new, name))
        if before != after and not follows(before, after, names):
            yield place.change(_KINDS.get(name, "alter_column"), thing, before, after)


def only(old: object, new: object) -> tuple[str | None, str | None]:
    """Both sides as text; of lists only what the other side does not have, because their order is nothing."""
    if not isinstance(old, tuple) or not isinstance(new, tuple):
        return _text(old), _text(new)
    was, now = Counter(map(str, old)), Counter(map(str, new))
    gone, come = (", ".join(sorted(side.elements())) or None for side in (was - now, now - was))
    return gone, come


def told(column: Column) -> str:
    """A column as one line."""
    words = [column.name, column.type, _null(column)]
    for name in ("default", "identity", "generated", "collation", "comment"):
        value = getattr(column, name)
        if value is not None:
            words.append(f"{name} {value}")
    return " ".join([*words, *sorted(column.options)])


def is_required(column: Column) -> bool:
    """Whether rows that exist have nothing to put there."""
    return not column.nullable and column.default is None and column.identity is None and column.generated is None


def _type(place: Place, thing: str, old: Column, new: Column, names: Names) -> Iterator[Change]:
    if old.type == new.type or follows(old.type, new.type, names):
        return
    way = direction(old.type, new.type)
    impact = "widen_type_rewriting" if way == "widen" and rewrites(old.type, new.type) else None
    kind = "change_type" if way == "change" else f"{way}_type"
    yield place.change(kind, thing, old.type, new.type, impact=impact)


def _null(column: Column) -> str:
    return "NULL" if column.nullable else "NOT NULL"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
