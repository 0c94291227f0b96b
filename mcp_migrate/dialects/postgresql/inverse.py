"""Which statements take a PostgreSQL schema back to what was read before?

In an order that needs no CASCADE: what looks at tables goes first and comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from mcp_migrate.dialects.postgresql import remake
from mcp_migrate.dialects.postgresql.reader import quote, quoted
from mcp_migrate.schema import without_access
from mcp_migrate.schema.fingerprint import key
from mcp_migrate.schema.model import Column, Constraint, Index, Other, Schema, Table

_Part = TypeVar("_Part", Constraint, Index)
_ON_TABLES = frozenset({"trigger", "rule", "policy"})
_NAMED_IN = {"OBJECT_COLUMN": "subname", "OBJECT_TABCONSTRAINT": "subname"}
_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE"})


class PostgresInverter:
    """The texts for PostgreSQL."""

    def renamed_back(self, sql: str) -> str | None:
        """The same statement with its two names exchanged."""
        import postgast

        try:
            tree = postgast.parse(sql)
        except (postgast.PgQueryError, ValueError):
            return None
        node = tree.stmts[0].stmt if len(tree.stmts) == 1 else None
        if node is None or node.WhichOneof("node") != "rename_stmt":
            return None
        rename = node.rename_stmt
        kind = postgast.pg_query_pb2.ObjectType.Name(rename.rename_type)
        if kind in _NAMED_IN:
            rename.subname, rename.newname = rename.newname, rename.subname
        elif kind in _RELATIONS:
            rename.relation.relname, rename.newname = rename.newname, rename.relation.relname
        elif kind == "OBJECT_TYPE":
            last = rename.object.list.items[-1].string
            last.sval, rename.newname = rename.newname, last.sval
        else:
            return None
        return str(postgast.deparse(tree))

    def statements(self, now: Schema, then: Schema) -> tuple[str, ...]:
        """What came goes, what went comes, what is still there is changed back."""
        return tuple(_Inverse(without_access(now), without_access(then)).texts())


class _Inverse:
    """The differences of two schemas, by name."""

    def __init__(self, now: Schema, then: Schema) -> None:
        was, are = ({key(other): other for other in schema.others} for schema in (then, now))
        self._come = [other for place, other in are.items() if was.get(place) != other]
        self._gone = [other for place, other in was.items() if are.get(place) != other]
        self._replaced = frozenset(was.keys() & are.keys())
        old, new = ({table.qualified: table for table in schema.tables} for schema in (then, now))
        self._made = [table for name, table in new.items() if name not in old]
        self._lost = [table for name, table in old.items() if name not in new]
        self._both = [(new[name], table) for name, table in old.items() if name in new and new[name] != table]
        self._sequences = {other.qualified for other in then.others if other.kind == "sequence"}

    def texts(self) -> Iterator[str]:
        yield from (_dropped(other) for kind in reversed(remake.AFTER_TABLES) for other in _of(kind, self._come))
        yield from self._taken_off()
        yield from (
            sql
            for kind in remake.BEFORE_TABLES
            for other in _of(kind, self._gone)
            if kind in {"function", "procedure"} or key(other) not in self._replaced
            for sql in remake.other_texts(other)
        )
        yield from (sql for table in self._lost for sql in remake.table_texts(table, self._sequences))
        yield from (sql for now, then in self._both for sql in self._columns(now, then))
        yield from self._put_on()
        yield from (sql for kind in remake.AFTER_TABLES for o in _of(kind, self._gone) for sql in remake.other_texts(o))
        yield from (
            _dropped(other)
            for kind in reversed(remake.BEFORE_TABLES)
            for other in _of(kind, self._come)
            if key(other) not in self._replaced
        )

    def _taken_off(self) -> Iterator[str]:
        """Constraints and indexes that came, references before the keys they need; then tables and columns."""
        off = [(now, c) for now, then in self._both for c in _more(now.constraints, then.constraints)]
        for table, constraint in sorted(off, key=lambda pair: pair[1].kind != "foreign_key"):
            yield f"ALTER TABLE {_name(table)} DROP CONSTRAINT {quoted(constraint.name or '')}"
        for now, then in self._both:
            for index in _more(now.indexes, then.indexes):
                yield f"DROP INDEX {quoted(now.schema, index.name)}"
        if self._made:
            yield f"DROP TABLE {', '.join(map(_name, self._made))}"
        for now, then in self._both:
            for column in now.columns:
                if then.column(column.name) is None:
                    yield f"ALTER TABLE {_name(now)} DROP COLUMN {quoted(column.name)}"

    def _put_on(self) -> Iterator[str]:
        """Constraints and indexes that went, references last."""
        on = [(then, c) for now, then in self._both for c in _more(then.constraints, now.constraints)]
        on += [(table, constraint) for table in self._lost for constraint in table.constraints]
        references = [pair for pair in on if pair[1].kind == "foreign_key"]
        for table, constraint in (pair for pair in on if pair not in references):
            yield from remake.constraint_texts(table, constraint)
        for now, then in [*self._both, *((None, table) for table in self._lost)]:
            for index in _more(then.indexes, now.indexes if now else ()):
                yield index.definition
                yield from remake.comment_text("INDEX", quoted(then.schema, index.name), index.comment)
        for table, constraint in references:
            yield from remake.constraint_texts(table, constraint)

    def _columns(self, now: Table, then: Table) -> Iterator[str]:
        name = _name(then)
        if now.comment != then.comment:
            yield from remake.comment_text("TABLE", name, then.comment, always=True)
        for column in then.columns:
            found = now.column(column.name)
            if found is None:
                yield from self._added(then, column)
            elif found != column:
                yield from _changed(f"ALTER TABLE {name} ALTER COLUMN {quoted(column.name)}", found, column)
            if found is not None and found.comment != column.comment:
                where = f"{name}.{quoted(column.name)}"
                yield from remake.comment_text("COLUMN", where, column.comment, always=True)

    def _added(self, table: Table, column: Column) -> Iterator[str]:
        sequence = remake.serial_of(table, column, self._sequences)
        if sequence:
            yield f"CREATE SEQUENCE {quote(sequence)} AS {column.type}"
        yield f"ALTER TABLE {_name(table)} ADD COLUMN {remake.column_text(column)}"
        if sequence:
            yield f"ALTER SEQUENCE {quote(sequence)} OWNED BY {_name(table)}.{quoted(column.name)}"
        yield from remake.comment_text("COLUMN", f"{_name(table)}.{quoted(column.name)}", column.comment)


def _changed(alter: str, now: Column, then: Column) -> Iterator[str]:
    retyped = now.type != then.type
    if now.default is not None and (retyped or then.default != now.default):
        yield f"{alter} DROP DEFAULT"
    if retyped:
        yield f"{alter} TYPE {then.type} USING {alter.rpartition(' ALTER COLUMN ')[2]}::{then.type}"
    if then.default is not None and (retyped or then.default != now.default):
        yield f"{alter} SET DEFAULT {then.default}"
    if now.nullable != then.nullable:
        yield f"{alter} {'DROP' if then.nullable else 'SET'} NOT NULL"
    for option in then.options:
        if option not in now.options:
            yield from remake.column_option(alter, option)


def _more(parts: Iterable[_Part], others: Iterable[_Part]) -> Iterator[_Part]:
    """Those that the others have not, or not so."""
    there = set(others)
    return (part for part in parts if part not in there)


def _of(kind: str, others: Iterable[Other]) -> Iterator[Other]:
    return (other for other in others if other.kind == kind)


def _dropped(other: Other) -> str:
    what = remake.COMMENTED.get(other.kind, other.kind.upper())
    if other.kind in _ON_TABLES:
        return f"DROP {what} {quoted(other.name)} ON {quote(other.table or '')}"
    return f"DROP {what} {remake.called(other)}"


def _name(table: Table) -> str:
    return quoted(table.schema, table.name)
