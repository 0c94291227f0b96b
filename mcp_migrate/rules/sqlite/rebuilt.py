"""A table was made again: what is different from the table it was?"""

from __future__ import annotations

from collections.abc import Iterator

from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.sqlite import rebuilds, table
from mcp_migrate.rules.sqlite.copying import Copy
from mcp_migrate.rules.sqlite.facts import Column, Facts

_KEEPS = frozenset({("INTEGER", "NUMERIC"), ("NUMERIC", "INTEGER")})
"""Column affinities that keep the same values; only a CAST tells them apart."""


def differences(where: str, old: Facts, new: Facts, copy: Copy) -> Iterator[Finding]:
    """What a table that was copied into a new one of the same name has lost and won. `where` is ``main.name``."""
    kept = {filled.column.lower(): name for name, filled in copy.filled.items() if filled.column}
    yield from _columns(where, old, new, copy, kept)
    yield from _constraints(where, old, new, kept)
    yield from _clauses(where, old, new, kept)


def _columns(where: str, old: Facts, new: Facts, copy: Copy, kept: dict[str, str]) -> Iterator[Finding]:
    before = {column.name.lower(): column for column in old.columns}
    for column in old.columns:
        if column.name.lower() not in kept and not (column.hidden and _still(column, new)):
            yield found(table.DROP_COLUMN, f"{where}.{column.name}")
    for column in new.columns:
        filled = copy.filled.get(column.name.lower())
        source = before.get(filled.column.lower()) if filled and filled.column else None
        if source is None and column.hidden and _still(column, old):
            continue
        if source is None:
            yield _added(where, column)
            continue
        if source.name.lower() != column.name.lower():
            first = f"{where}.{source.name}"
            yield found(table.RENAME, first, f"{where}.{column.name}", object=first, new=column.name)
        yield from _changed(where, source, column, filled.cast if filled else None, number=old.number)


def _still(column: Column, other: Facts) -> bool:
    """Whether a column that is computed is there as well; how it is computed is a clause."""
    return any(c.name.lower() == column.name.lower() and c.hidden for c in other.columns)


def _added(where: str, column: Column) -> Finding:
    name = f"{where}.{column.name}"
    if not column.fills_itself:
        return found(table.REQUIRED, name)
    return found(table.RESTRICTED if column.hidden else table.ADD_COLUMN, name)


def _changed(where: str, old: Column, new: Column, cast: str | None, *, number: str) -> Iterator[Finding]:
    name = f"{where}.{new.name}"
    if old.type.upper() != new.type.upper() or cast:
        which = rebuilds.RETYPE if _keeps(old, new, cast) else rebuilds.CHANGE_TYPE
        yield found(which, name, old=old.type or "no type", new=new.type or "no type")
    if new.required and not old.required and number != old.name.lower():
        yield found(rebuilds.SET_NOT_NULL, name)
    if old.required and not new.required and number != old.name.lower():
        yield found(rebuilds.DROP_NOT_NULL, name)
    if (old.default or "") != (new.default or ""):
        gone = new.default is None or new.default.upper() == "NULL"
        yield found(rebuilds.DROP_DEFAULT if gone else rebuilds.SET_DEFAULT, name)


def _keeps(old: Column, new: Column, cast: str | None) -> bool:
    if cast and (cast, old.affinity) != ("TEXT", "TEXT"):
        return False
    same = old.affinity == new.affinity or (old.affinity, new.affinity) in _KEEPS
    return same or (new.affinity == "BLOB" and not cast)


def _constraints(where: str, old: Facts, new: Facts, kept: dict[str, str]) -> Iterator[Finding]:
    fresh = {c.name.lower() for c in new.columns} - set(kept.values())
    if _renamed(old.key, kept) != new.key:
        if old.key:
            yield found(rebuilds.DROP_CONSTRAINT, where, what="the primary key")
        if new.key:
            yield found(rebuilds.ADD_CONSTRAINT, where, what="a primary key")
    if bool(old.number) != bool(new.number) and _renamed(old.key, kept) == new.key:
        yield found(rebuilds.OTHER_OPTION, where, what="how rows are numbered")
    uniques = {_renamed(key, kept): key for key in old.uniques}
    for columns in sorted(uniques.keys() - new.uniques):
        if set(uniques[columns]) <= set(kept):  # with its columns it goes as well
            yield found(rebuilds.DROP_CONSTRAINT, where, what=f"UNIQUE ({', '.join(columns)})")
    for columns in sorted(new.uniques - uniques.keys()):
        if not _empty(columns, fresh, new):
            yield found(rebuilds.ADD_CONSTRAINT, where, what=f"UNIQUE ({', '.join(columns)})")
    yield from _references(where, old, new, kept)
    if old.options != new.options:
        yield found(rebuilds.OTHER_OPTION, where, what=" and ".join(old.options + new.options))


def _references(where: str, old: Facts, new: Facts, kept: dict[str, str]) -> Iterator[Finding]:
    fresh = {c.name.lower() for c in new.columns} - set(kept.values())
    before = {(",".join(_renamed(tuple(r[0].split(",")), kept)), *r[1:]): r for r in old.references}
    for reference in sorted(before.keys() - new.references):
        if set(before[reference][0].split(",")) <= set(kept):
            yield found(rebuilds.DROP_CONSTRAINT, where, what=_told(reference))
    for reference in sorted(new.references - before.keys()):
        if not _empty(tuple(reference[0].split(",")), fresh, new):
            yield found(rebuilds.ADD_CONSTRAINT, where, what=_told(reference))


def _told(reference: tuple[str, ...]) -> str:
    acts = [
        f" ON {on} {act}" for on, act in zip(("UPDATE", "DELETE"), reference[3:], strict=True) if act != "NO ACTION"
    ]
    return f"the foreign key ({reference[0]}) to {reference[1]}{''.join(acts)}"


def _empty(columns: tuple[str, ...], fresh: set[str], new: Facts) -> bool:
    """Whether one of the columns is new and null in each row, also in those old code writes."""
    return any(c.default is None and c.name.lower() in fresh and c.name.lower() in columns for c in new.columns)


def _renamed(columns: tuple[str, ...], kept: dict[str, str]) -> tuple[str, ...]:
    return tuple(kept.get(name, name) for name in columns)


def _clauses(where: str, old: Facts, new: Facts, kept: dict[str, str]) -> Iterator[Finding]:
    words = {before.upper(): after.upper() for before, after in kept.items()}
    before = {tuple(words.get(word, word) for word in clause): n for clause, n in old.clauses.items()}
    gone = {name.lower() for name in old.names} - kept.keys()
    for clause in sorted(before.keys() | new.clauses.keys()):
        if before.get(clause, 0) == new.clauses.get(clause, 0) or clause[0].lower() in gone:
            continue
        which = rebuilds.LOST_CLAUSE if before.get(clause, 0) > new.clauses.get(clause, 0) else rebuilds.NEW_CLAUSE
        yield found(which, where, what=" ".join(word for word in clause if word))
