"""How do the rows that the catalogs gave become a schema?

Columns come in groups of what is alike, and one value stands for all of a group: of 12,000 columns in 1,000 tables
some hundreds are different, and neither the wire, nor this, nor the fingerprint handles the others one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mcp_migrate.dialects.postgresql import definitions
from mcp_migrate.dialects.postgresql.definitions import WIDTH, Key, Keys, place
from mcp_migrate.dialects.postgresql.viewtext import as_newer_servers_write
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.schema.model import Column, Constraint, ConstraintKind, Index, Other, Schema, Table

_T = TypeVar("_T")
Row = tuple[Any, ...]
Grants = Mapping[tuple[str, int, int], tuple[str, ...]]
"""By catalog, number and column."""
Define = Callable[[list[int]], Mapping[int, str | None]]
"""What the server writes as the definitions of these indexes."""

_KINDS = {"r": "table", "p": "partitioned", "f": "foreign"}
_CONSTRAINTS: Mapping[str, ConstraintKind] = {
    "p": "primary_key",
    "f": "foreign_key",
    "u": "unique",
    "c": "check",
    "x": "exclusion",
}
_UNQUALIFIED_SINCE = 160_000


@dataclass(frozen=True, slots=True)
class Rows:
    """What each query of the catalogs gives, in the order in which it is needed; each is read once."""

    columns: Iterable[Row]
    grants: Iterable[Row]
    defaults: Iterable[Row]
    comments: Iterable[Row]
    details: Iterable[Row]
    constraints: Iterable[Row]
    classes: Iterable[Row]
    indexes: Iterable[Row]
    tables: Iterable[Row]
    others: Iterable[Row]


def build(rows: Rows, server_version: int, define: Define) -> Schema:
    """The schema.

    Raises:
        TargetUnreachableError: something was dropped while it was read.
    """
    keys = _keys(rows.columns)
    grants = {(row[0], row[1], row[2]): tuple(row[3]) for row in rows.grants}
    columns = _columns(keys, rows, grants)
    constraints = _listed((row[0], _constraint(keys, *row)) for row in rows.constraints)
    parts = _Parts(grants, columns, constraints, _listed(_indexes(keys, rows, define)))
    tables, others = list(rows.tables), list(rows.others)
    return Schema(
        dialect="postgresql",
        tables=tuple([parts.table(*row) for row in tables]),
        others=tuple([parts.other(*row, server_version=server_version) for row in others]),
        unseen=tuple(_unseen(tables, others)),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Columns, constraints and indexes by relation."""

    grants: Grants
    columns: Mapping[int, list[Column]]
    constraints: Mapping[int, list[Constraint]]
    indexes: Mapping[int, list[Index]]

    def table(self, *facts: Any) -> Table:
        oid, schema, name, kind, options, comment, owner, _hidden = facts
        return Table(
            schema,
            name,
            tuple(self.columns.get(oid, ())),
            tuple(self.constraints.get(oid, ())),
            tuple(self.indexes.get(oid, ())),
            kind=_KINDS[kind],
            options=tuple(options),
            comment=comment,
            owner=owner,
            grants=self.grants.get(("pg_class", oid, 0), ()),
        )

    def other(self, *facts: Any, server_version: int) -> Other:
        catalog, oid, relation, kind, schema, name, definition, options, owner, table, comment = facts
        text = _known(definition, f"{kind} {schema}.{name}")
        if kind in {"view", "materialized_view"}:
            text = as_newer_servers_write(text) if server_version < _UNQUALIFIED_SINCE else text
        return Other(
            kind,
            schema,
            name,
            text,
            table,
            columns=tuple(self.columns.get(relation, ())) if relation else (),
            options=tuple(options or ()),
            comment=comment,
            owner=owner,
            grants=self.grants.get((catalog, oid, 0), ()),
        )


def _keys(groups: Iterable[Row]) -> dict[int, Key]:
    """The columns by their places, with nothing of what only some of them have."""
    found: dict[int, Key] = {}
    for name, spelt, kind, nullable, identity, generated, collation, options, type_, collated, places in groups:
        column = Column(
            name,
            kind,
            nullable,
            identity=identity,
            generated=generated,
            collation=collation,
            options=tuple(options or ()),
        )
        found.update(dict.fromkeys(places, Key(column, spelt, type_, collated)))
    return found


def _columns(keys: Keys, rows: Rows, grants: Grants) -> dict[int, list[Column]]:
    """The columns of each relation in order, whole."""
    more = _more(rows, grants)
    alike: dict[Any, Column] = {}
    found: dict[int, list[Column]] = {}
    for where in sorted(keys):
        column = keys[where].column
        facts = more.get(where)
        if facts is not None:
            which = (id(column), facts)
            column = alike.get(which) or alike.setdefault(which, _whole(column, facts))
        found.setdefault(where // WIDTH, []).append(column)
    return found


def _more(rows: Rows, grants: Grants) -> dict[int, tuple[Any, ...]]:
    """Default, comment, options and grants of the columns that have one of these, by their places."""
    defaults = {where: text for text, places in rows.defaults for where in places}
    comments: dict[int, str] = dict(rows.comments)
    details = _details(rows.details, grants)
    rights = {place(number, column): granted for (of, number, column), granted in grants.items() if column}
    nothing: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    found = {}
    for where in defaults.keys() | comments.keys() | details.keys() | rights.keys():
        told, of_sequence = details.get(where, nothing)
        found[where] = (defaults.get(where), comments.get(where), told, (*of_sequence, *rights.get(where, ())))
    return found


def _whole(column: Column, facts: tuple[Any, ...]) -> Column:
    default, comment, options, grants = facts
    if column.generated is not None:
        default, generated = None, column.generated + _known(default, f"column {column.name}")
    else:
        generated = None
    return replace(
        column,
        default=default,
        generated=generated,
        comment=comment,
        options=(*column.options, *options),
        grants=grants,
    )


def _details(rows: Iterable[Row], grants: Grants) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Options and grants of columns that come from sequences of theirs, and from constraints, by their places."""
    found: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for relation, number, sequence, told in rows:
        rights = tuple(f"sequence: {grant}" for grant in grants.get(("pg_class", sequence, 0), ()))
        if told or rights:
            where = place(relation, number)
            before = found.get(where, ((), ()))
            found[where] = ((*before[0], *told), (*before[1], *rights))
    return found


def _constraint(keys: Keys, *facts: Any) -> Constraint:
    relation, kind, name, on, definition, other, refers, of_other, update, delete, options, comment = facts
    columns = _at(keys, relation, on or ())
    if definition is None and kind in "pu":
        definition = definitions.key(kind, columns)
    elif definition is None and kind == "f" and not refers.isdigit():  # a number, unquoted: the table is gone
        definition = definitions.foreign_key(columns, refers, _at(keys, other, of_other), update, delete)
    return Constraint(
        _CONSTRAINTS[kind],
        name,
        tuple([key.column.name for key in columns]),
        _known(definition, f"constraint {name}"),
        refers,
        tuple(options),
        comment,
    )


def _at(keys: Keys, relation: int, numbers: Iterable[int]) -> list[Key]:
    """The columns of a relation with these numbers; expressions have the number 0."""
    first = place(relation, 0)
    return [keys[first + number] for number in numbers if first + number in keys]


def _indexes(keys: Keys, rows: Rows, define: Define) -> Iterator[tuple[int, Index]]:
    usual: dict[int, int] = dict(rows.classes)
    found = list(rows.indexes)
    written = {row[1]: _definition(keys, usual, *row[:13]) for row in found}
    unwritten = [number for number, definition in written.items() if definition is None]
    written.update(define(unwritten) if unwritten else {})
    for relation, number, name, *_facts, unique, valid, options, comment in found:
        definition = _known(written[number], f"index {name}")
        yield relation, Index(name, definition, unique, valid, options=tuple(options), comment=comment)


def _definition(keys: Keys, usual: Mapping[int, int], *facts: Any) -> str | None:
    """The definition of an index; None where only the server knows it."""
    relation, _, name, spelt, table, definition, on, classes, collations, orders, partial, predicate, unique = facts
    if definition is not None:
        return str(definition)
    if partial:
        predicate = _known(predicate, f"index {name}")
    said = list(zip(classes, collations, orders, strict=True))
    spelt_keys = definitions.index_keys(_at(keys, relation, on), said, usual)
    if spelt_keys is None:
        return None
    return definitions.index(spelt, table, spelt_keys, unique=unique, predicate=predicate)


def _known(definition: str | None, what: str) -> str:
    """The server writes definitions as things are now, not as they were when the reading began."""
    if definition is None:
        raise changed(f"{what} is gone")
    return definition


def changed(what: str) -> TargetUnreachableError:
    """The error for a schema that another session changes in this moment."""
    return TargetUnreachableError(
        f"The schema was changed while it was read: {what}.", hint="Make the same call again."
    )


def _unseen(tables: Iterable[Row], others: Iterable[Row]) -> Iterator[str]:
    for row in tables:
        if row[-1]:
            yield f"rows of {row[1]}.{row[2]}: {row[-1]}"
    for row in others:
        if row[3] == "user_mapping":
            yield f"options of the user mapping {row[5]}: they may hold a password"
        if row[3] == "subscription":
            yield f"connection of the subscription {row[5]}: it may hold a password"


def _listed(pairs: Iterable[tuple[int, _T]]) -> dict[int, list[_T]]:
    found: dict[int, list[_T]] = {}
    for relation, part in pairs:
        found.setdefault(relation, []).append(part)
    return found
