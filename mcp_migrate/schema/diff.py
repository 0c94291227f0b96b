"""What would have to change to turn one schema into another, as a person would say it?"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate.schema.changes import Change, Place, safe
from mcp_migrate.schema.columns import column_changes, is_required, only
from mcp_migrate.schema.columns import told as told_column
from mcp_migrate.schema.fingerprint import facts, key
from mcp_migrate.schema.model import Other, Schema, Table
from mcp_migrate.schema.objects import object_changes
from mcp_migrate.schema.options import option_changes
from mcp_migrate.schema.pairing import Pairing, pair
from mcp_migrate.schema.parts import constraint_changes, index_changes, moved
from mcp_migrate.schema.parts import told as told_part

__all__ = ["Change", "diff"]

_PARTS = frozenset({"name", "schema", "columns", "constraints", "indexes", "options"})
_KINDS = {"comment": "change_comment", "owner": "change_owner", "grants": "change_grants"}


def diff(before: Schema, after: Schema) -> tuple[Change, ...]:
    """The changes from `before` to `after`; none exactly when their fingerprints are equal."""
    if before == after:
        return ()
    pairing = pair(before, after)
    changes = [*_dialect(before, after), *_tables(after.dialect, pairing), *_others(after.dialect, pairing)]
    return tuple(safe(change) for change in moved(changes, after.dialect))


def _dialect(before: Schema, after: Schema) -> Iterator[Change]:
    if before.dialect != after.dialect:
        yield Place(after.dialect).change("alter_database", "dialect", before.dialect, after.dialect)


def _tables(dialect: str, pairing: Pairing) -> Iterator[Change]:
    for table in sorted(pairing.tables.gone, key=key):
        yield Place(dialect, table.qualified).change("drop_table", table.qualified, _whole(table), None)
    for table in sorted(pairing.tables.come, key=key):
        yield Place(dialect, table.qualified).change("add_table", table.qualified, None, _whole(table))
    for old, new, sure in sorted(pairing.tables.same, key=lambda pair: key(pair[0])):
        if _differ(old, new):
            yield from _table(dialect, old, new, sure, pairing)


def _table(dialect: str, old: Table, new: Table, sure: float, pairing: Pairing) -> Iterator[Change]:
    place, where, names = Place(dialect, old.qualified), new.qualified, pairing.names_for(new)
    if old.name != new.name:
        yield place.renamed("rename_table", old.qualified, new.qualified, sure)
    elif old.schema != new.schema:
        otherwise = f"drop_table {old.qualified} and add_table {new.qualified} (additive, breaking, destructive)"
        yield place.change(
            "move_table", old.qualified, old.qualified, new.qualified, confidence=sure, otherwise=otherwise
        )
    was, now = facts(old), facts(new)
    for name in sorted((was.keys() | now.keys()) - _PARTS):
        before, after = only(getattr(old, name), getattr(new, name))
        if before != after:
            yield place.change(_KINDS.get(name, "alter_table"), where, before, after)
    yield from option_changes(place, where, old.options, new.options, names)
    yield from _columns(place, where, new, pairing)
    yield from constraint_changes(place, where, old.constraints, new.constraints, names)
    yield from index_changes(place, where, old.indexes, new.indexes, names)


def _columns(place: Place, where: str, new: Table, pairing: Pairing) -> Iterator[Change]:
    columns, names = pairing.columns[key(new)], pairing.names_for(new)
    for column in columns.gone:
        yield place.change("drop_column", f"{where}.{column.name}", told_column(column), None)
    for column in columns.come:
        impact = "add_required_column" if is_required(column) else None
        yield place.change("add_column", f"{where}.{column.name}", None, told_column(column), impact=impact)
    for old, now, sure in columns.same:
        if old.name != now.name:
            yield place.renamed("rename_column", f"{where}.{old.name}", f"{where}.{now.name}", sure)
        if old != now:
            yield from column_changes(place, f"{where}.{now.name}", old, now, names)


def _others(dialect: str, pairing: Pairing) -> Iterator[Change]:
    others = pairing.others
    for other in sorted(others.gone, key=key):
        place = Place(dialect, other.table)
        yield place.change(f"drop_{other.kind}", other.qualified, other.definition, None)
    for other in sorted(others.come, key=key):
        place = Place(dialect, other.table)
        yield place.change(f"add_{other.kind}", other.qualified, None, other.definition)
    for old, new, sure in sorted(others.same, key=lambda pair: key(pair[0])):
        if _differ(old, new):
            yield from object_changes(Place(dialect, new.table), old, new, sure, pairing.names_in(new))


def _whole(table: Table) -> str:
    """A table as one line: columns, then constraints, then indexes."""
    parts = [told_column(column) for column in table.columns]
    parts += [told_part(constraint) for constraint in table.constraints]
    parts += [told_part(index) for index in table.indexes]
    return ", ".join(parts)


def _differ(old: Table | Other, new: Table | Other) -> bool:
    return old is not new and old != new and (key(old) != key(new) or facts(old) != facts(new))
