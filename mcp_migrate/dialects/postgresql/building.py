"""How do the rows that the catalogs gave become a schema?

Columns come in groups of what is alike, and one value stands for all of a group: of 12,000 columns in 1,000 tables
some hundreds are different, and neither the wire, nor this, nor the fingerprint handles the others one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from mcp_migrate.dialects.postgresql import definitions
from mcp_migrate.dialects.postgresql.definitions import WIDTH, Key, Keys, place
from mcp_migrate.dialects.postgresql.expressions import Which, alike, spelt
from mcp_migrate.dialects.postgresql.viewtext import as_newer_servers_write
from mcp_migrate.errors import Action, TargetUnreachableError
from mcp_migrate.schema.model import Column, Constraint, ConstraintKind, Index, Other, Schema, Table

_T = TypeVar("_T")
Row = tuple[Any, ...]
Grants = Mapping[tuple[str, int, int], tuple[str, ...]]
"""By catalog, number and column."""
Spelt = Mapping[Which, str | None]
"""The texts of expressions."""

_KINDS = {"r": "table", "p": "partitioned", "f": "foreign"}
_CONSTRAINTS: Mapping[str, ConstraintKind] = {
    "p": "primary_key",
    "f": "foreign_key",
    "u": "unique",
    "c": "check",
    "x": "exclusion",
}
_NO_REMARK: tuple[None, tuple[str, ...], None] = (None, (), None)
_Facts = tuple[str | None, str | None, tuple[str, ...], tuple[str, ...]]
"""Default, comment, options and grants of a column."""
_NOTHING: tuple[None, tuple[str, ...], tuple[str, ...]] = (None, (), ())
_UNQUALIFIED_SINCE = 160_000


_FIRST = ("columns", "expressions", "constraints", "remarks", "kinds")
_THEN = ("classes", "indexes", "details", "defaults", "comments", "tables", "others")
"""Constraints take us longer than the server, which answers much else meanwhile: neither waits for long."""


class Catalogs(Protocol):
    """The named queries of the catalogs. They are answered in the order in which they were asked."""

    def ask(self, name: str, *values: Any) -> None:
        """Ask, and go on."""

    def rows(self, name: str) -> Iterator[Row]:
        """Wait for the answer; it is given once."""


def build(catalogs: Catalogs, server_version: int) -> Schema:
    """The schema.

    Raises:
        TargetUnreachableError: something was dropped while it was read.
    """
    for name in _FIRST:
        catalogs.ask(name)
    keys, granted = _keys(catalogs.rows("columns"))
    groups = alike(catalogs.rows("expressions"), keys)
    catalogs.ask("written", [group[0][0] for group in groups], [group[0][1] for group in groups])
    catalogs.ask("grants", granted)
    for name in _THEN:
        catalogs.ask(name)
    expressions = spelt(groups, {(kind, number): text for kind, number, text in catalogs.rows("written")})
    constraints = _listed(_constraints(keys, catalogs, expressions))
    indexes = _listed(_indexes(keys, catalogs, expressions))
    grants = {(row[0], row[1], row[2]): tuple(row[3]) for row in catalogs.rows("grants")}
    columns = _columns(keys, catalogs, grants, expressions)
    parts = _Parts(grants, columns, indexes, constraints)
    tables, others = list(catalogs.rows("tables")), list(catalogs.rows("others"))
    return Schema(
        dialect="postgresql",
        tables=tuple([parts.table(*row) for row in tables]),
        others=tuple([parts.other(*row, server_version=server_version) for row in others]),
        unseen=tuple(_unseen(tables, others)),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Columns by their places, constraints and indexes by relation."""

    grants: Grants
    columns: Mapping[int, Column]
    indexes: Mapping[int, list[Index]]
    constraints: Mapping[int, list[Constraint]]

    def table(self, *facts: Any) -> Table:
        oid, last, schema, name, kind, options, comment, owner, _hidden = facts
        return Table(
            schema,
            name,
            self._columns(oid, last),
            tuple(self.constraints.get(oid, ())),
            tuple(self.indexes.get(oid, ())),
            kind=_KINDS[kind],
            options=tuple(options),
            comment=comment,
            owner=owner,
            grants=self.grants.get(("pg_class", oid, 0), ()),
        )

    def other(self, *facts: Any, server_version: int) -> Other:
        catalog, oid, relation, last, kind, schema, name, definition, options, owner, table, comment = facts
        text = definitions.as_restored(_known(definition, f"{kind} {schema}.{name}"))
        if kind in {"view", "materialized_view"}:
            text = as_newer_servers_write(text) if server_version < _UNQUALIFIED_SINCE else text
        return Other(
            kind,
            schema,
            name,
            text,
            table,
            columns=self._columns(relation, last) if relation else (),
            options=tuple(options or ()),
            comment=comment,
            owner=owner,
            grants=self.grants.get((catalog, oid, 0), ()),
        )

    def _columns(self, relation: int, last: int) -> tuple[Column, ...]:
        """Those of a relation in their order; of the numbers up to the `last` some were dropped."""
        places = range(place(relation, 1), place(relation, last) + 1)
        return tuple([column for where in places if (column := self.columns.get(where)) is not None])


def _keys(groups: Iterable[Row]) -> tuple[dict[int, Key], bool]:
    """The columns by their places, with nothing of what only some have; whether something was granted on any."""
    found: dict[int, Key] = {}
    granted = False
    for name, quoted, kind, nullable, identity, generated, collation, options, type_, collated, places, acl in groups:
        column = Column(
            name,
            kind,
            nullable,
            identity=identity,
            generated=generated,
            collation=collation,
            options=tuple(options or ()),
        )
        found.update(dict.fromkeys(places, Key(column, quoted, type_, collated)))
        granted |= acl
    return found, granted


def _columns(keys: Keys, catalogs: Catalogs, grants: Grants, expressions: Spelt) -> dict[int, Column]:
    """The columns by their places, whole."""
    alike: dict[Any, Column] = {}
    found = {where: key.column for where, key in keys.items()}
    for where, facts in _more(catalogs, grants, expressions).items():
        column = found.get(where)
        if column is not None:
            which = (id(column), facts)
            found[where] = alike.get(which) or alike.setdefault(which, _whole(column, facts))
    return found


def _more(catalogs: Catalogs, grants: Grants, expressions: Spelt) -> dict[int, _Facts]:
    """Default, comment, options and grants of the columns that have one of these, by their places."""
    details = _details(catalogs.rows("details"), grants)
    found: dict[int, _Facts] = {}
    for text, places in catalogs.rows("defaults"):
        found.update(dict.fromkeys(places, (text, *_NOTHING)))
    found.update((where, (text, *_NOTHING)) for (kind, where), text in expressions.items() if kind == "generated")
    for where, comment in catalogs.rows("comments"):
        found[where] = (found[where][0] if where in found else None, comment, (), ())
    rights = {place(number, column): granted for (of, number, column), granted in grants.items() if column}
    for where in details.keys() | rights.keys():
        default, comment, *_ = found.get(where) or (None, *_NOTHING)
        told, of_sequence = details.get(where, ((), ()))
        found[where] = (default, comment, told, (*of_sequence, *rights.get(where, ())))
    return found


def _whole(column: Column, facts: _Facts) -> Column:
    default, comment, options, grants = facts
    if column.generated is not None:
        expression = definitions.as_restored(_known(default, f"column {column.name}"))
        default, generated = None, column.generated + expression
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


def _constraints(keys: Keys, catalogs: Catalogs, expressions: Spelt) -> Iterator[tuple[int, Constraint]]:
    remarks = {row[0]: row[1:] for row in catalogs.rows("remarks")}
    for number, relation, kind, name, on, written, *refers, inherited in catalogs.rows("constraints"):
        columns = _at(keys, relation, on or ())
        definition, options, comment = remarks.get(number, _NO_REMARK)
        text = definition or written or _text(keys, kind, columns, refers) or expressions.get(("check", number))
        if text is None:
            raise _gone(f"constraint {name}")
        text = definitions.as_restored(text)
        names = tuple([key.column.name for key in columns])
        options = ("inherited", *options) if inherited else tuple(options)
        yield relation, Constraint(_CONSTRAINTS[kind], name, names, text, refers[1], options, comment)


def _text(keys: Keys, kind: str, columns: list[Key], refers: list[Any]) -> str | None:
    """The definition of a key or a reference that is not special."""
    if kind in "pu":
        return definitions.key(kind, columns)
    other, table, of_other, update, delete = refers
    if kind != "f" or table.isdigit():  # a number, unquoted: the table is gone
        return None
    return definitions.foreign_key(columns, table, _at(keys, other, of_other), update, delete)


def _at(keys: Keys, relation: int, numbers: Iterable[int]) -> list[Key]:
    """The columns of a relation with these numbers; expressions have the number 0."""
    first = relation * WIDTH
    return [key for number in numbers if (key := keys.get(first + number)) is not None]


def _indexes(keys: Keys, catalogs: Catalogs, expressions: Spelt) -> Iterator[tuple[int, Index]]:
    usual: dict[int, int] = dict(catalogs.rows("classes"))
    found = list(catalogs.rows("indexes"))
    written = {row[1]: _definition(keys, usual, expressions, *row[:12]) for row in found}
    unwritten = [number for number, definition in written.items() if definition is None]
    if unwritten:
        catalogs.ask("definitions", unwritten)
        written.update(dict(catalogs.rows("definitions")))
    for relation, number, name, *_facts, unique, valid, options, comment in found:
        definition = definitions.as_restored(_known(written[number], f"index {name}"))
        yield relation, Index(name, definition, unique, valid, options=tuple(options or ()), comment=comment)


def _definition(keys: Keys, usual: Mapping[int, int], expressions: Spelt, *facts: Any) -> str | None:
    """The definition of an index; None where only the server knows it."""
    relation, number, name, spelled, table, definition, on, classes, collations, orders, partial, unique = facts
    if definition is not None:
        return str(definition)
    predicate = _known(expressions.get(("predicate", number)), f"index {name}") if partial else None
    said = list(zip(classes, collations, orders, strict=True))
    index_keys = definitions.index_keys(_at(keys, relation, on), said, usual)
    if index_keys is None:
        return None
    return definitions.index(spelled, table, index_keys, unique=unique, predicate=predicate)


def _known(definition: str | None, what: str) -> str:
    """The server writes definitions as things are now, not as they were when the reading began."""
    if definition is None:
        raise _gone(what)
    return definition


def _gone(what: str) -> TargetUnreachableError:
    return changed(f"{what} is gone")


def changed(what: str) -> TargetUnreachableError:
    """The error for a schema that another session changes in this moment."""
    sentence = f"The schema was changed while it was read: {what}."
    return TargetUnreachableError(sentence, hint="Make the same call again.").then(Action.AGAIN)


def _unseen(tables: Iterable[Row], others: Iterable[Row]) -> Iterator[str]:
    for row in tables:
        if row[-1]:
            yield f"rows of {row[2]}.{row[3]}: {row[-1]}"
    for row in others:
        if row[4] == "user_mapping":
            yield f"options of the user mapping {row[6]}: they may hold a password"
        if row[4] == "subscription":
            yield f"connection of the subscription {row[6]}: it may hold a password"


def _listed(pairs: Iterable[tuple[int, _T]]) -> dict[int, list[_T]]:
    found: dict[int, list[_T]] = {}
    for relation, part in pairs:
        found.setdefault(relation, []).append(part)
    return found
