"""How do the rows that the catalogs gave become a schema?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from mcp_migrate.dialects.postgresql.viewtext import as_newer_servers_write
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.schema.model import Column, Constraint, ConstraintKind, Index, Other, Schema, Table

Row = tuple[Any, ...]
Grants = Mapping[tuple[str, int, int], tuple[str, ...]]
"""By catalog, number and column."""

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
    """What each query of the catalogs gave."""

    tables: list[Row]
    others: list[Row]
    columns: list[Row]
    details: list[Row]
    constraints: list[Row]
    indexes: list[Row]
    grants: list[Row]


def build(rows: Rows, server_version: int) -> Schema:
    """The schema.

    Raises:
        TargetUnreachableError: something was dropped while it was read.
    """
    grants = {(row[0], row[1], row[2]): tuple(row[3]) for row in rows.grants}
    columns = _columns(rows, grants)
    parts = _Parts(grants, columns, _grouped(rows.constraints), _grouped(rows.indexes))
    return Schema(
        dialect="postgresql",
        tables=tuple(parts.table(*row) for row in rows.tables),
        others=tuple(parts.other(*row, server_version=server_version) for row in rows.others),
        unseen=tuple(_unseen(rows)),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Columns, constraints and indexes by relation."""

    grants: Grants
    columns: Mapping[int, dict[int, Column]]
    constraints: Mapping[int, list[Row]]
    indexes: Mapping[int, list[Row]]

    def table(self, *facts: Any) -> Table:
        oid, schema, name, kind, options, comment, owner, _hidden = facts
        columns = self.columns.get(oid, {})
        return Table(
            schema,
            name,
            tuple(columns.values()),
            tuple(_constraint(columns, *row) for row in self.constraints.get(oid, [])),
            tuple(_index(*row) for row in self.indexes.get(oid, [])),
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
            columns=tuple(self.columns.get(relation, {}).values()) if relation else (),
            options=tuple(options or ()),
            comment=comment,
            owner=owner,
            grants=self.grants.get((catalog, oid, 0), ()),
        )


def _columns(rows: Rows, grants: Grants) -> dict[int, dict[int, Column]]:
    """The columns of each relation by their numbers, in order. Columns that are alike are one value."""
    details = _details(rows.details, grants)
    alike: dict[Row, Column] = {}
    found: dict[int, dict[int, Column]] = {}
    for row in sorted(rows.columns, key=itemgetter(0, 1)):
        relation, number, *facts, options = row
        told, rights = details.get((relation, number), ((), ()))
        rights += grants.get(("pg_class", relation, number), ())
        fields = (*facts, (*(options or ()), *told), rights)
        column = alike.get(fields)
        if column is None:
            column = alike[fields] = Column(*fields)
        found.setdefault(relation, {})[number] = column
    return found


def _details(rows: Iterable[Row], grants: Grants) -> dict[tuple[int, int], tuple[tuple[str, ...], tuple[str, ...]]]:
    """Options and grants of columns that come from sequences of theirs, and from constraints."""
    found: dict[tuple[int, int], tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for relation, number, sequence, told in rows:
        rights = tuple(f"sequence: {grant}" for grant in grants.get(("pg_class", sequence, 0), ()))
        before = found.get((relation, number), ((), ()))
        found[relation, number] = ((*before[0], *told), (*before[1], *rights))
    return found


def _constraint(by_number: Mapping[int, Column], *facts: Any) -> Constraint:
    kind, name, on, definition, refers, options, comment = facts
    columns = tuple(by_number[number].name for number in on or () if number in by_number)
    return Constraint(
        _CONSTRAINTS[kind], name, columns, _known(definition, f"constraint {name}"), refers, tuple(options), comment
    )


def _index(*facts: Any) -> Index:
    name, definition, unique, valid, options, comment = facts
    return Index(name, _known(definition, f"index {name}"), unique, valid, options=tuple(options), comment=comment)


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


def _unseen(rows: Rows) -> Iterator[str]:
    for row in rows.tables:
        if row[-1]:
            yield f"rows of {row[1]}.{row[2]}: {row[-1]}"
    for row in rows.others:
        if row[3] == "user_mapping":
            yield f"options of the user mapping {row[5]}: they may hold a password"
        if row[3] == "subscription":
            yield f"connection of the subscription {row[5]}: it may hold a password"


def _grouped(rows: Iterable[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row[1:])
    return groups
