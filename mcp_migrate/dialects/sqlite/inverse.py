"""Which statements take a SQLite schema back to what was read before, each object in the exact text that made it?

A table that changed is made anew as Alembic's batch mode does it, for SQLite alters little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mcp_migrate.dialects.sqlite.spelling import body, quote
from mcp_migrate.schema.fingerprint import key
from mcp_migrate.schema.model import Column, Other, Schema, Table

_TEMPORARY = "_alembic_tmp_"


class SqliteInverter:
    """The texts for SQLite."""

    def renamed_back(self, sql: str) -> str | None:
        """By a second reader of SQL."""
        import sqlglot
        from sqlglot import exp

        try:
            tree: Any = sqlglot.parse_one(sql, read="sqlite")
        except (sqlglot.errors.SqlglotError, RecursionError):
            return None
        action = tree.args["actions"][0] if isinstance(tree, exp.Alter) and tree.args.get("actions") else None
        if isinstance(action, exp.AlterRename):
            return f"ALTER TABLE {quote(action.this.name)} RENAME TO {quote(tree.this.name)}"
        if isinstance(action, exp.RenameColumn):
            names = quote(action.args["to"].name), quote(action.this.name)
            return f"ALTER TABLE {quote(tree.this.name)} RENAME COLUMN {names[0]} TO {names[1]}"
        return None

    def statements(self, now: Schema, then: Schema) -> tuple[str, ...]:
        """What came goes, what went comes, what is still there is made anew."""
        return tuple(_texts(now, then))


def _texts(now: Schema, then: Schema) -> Iterator[str]:
    old, new = ({table.name: table for table in schema.tables} for schema in (then, now))
    both = [(new[name], table) for name, table in old.items() if name in new and _facts(new[name]) != _facts(table)]
    anew = {table.name for found, table in both if not _alters(found, table)}
    was, are = ({key(o): o for o in schema.others} for schema in (then, now))
    for place, other in are.items():
        if _differ(other, was.get(place)) or _names(other, anew):
            yield f"DROP {other.kind.upper()} {quote(other.name)}"
    for found, table in both:
        yield from (f"DROP INDEX {quote(index.name)}" for index in _more(found.indexes, table.indexes))
    yield from (f"DROP TABLE {quote(name)}" for name in new if name not in old)
    lost = [table for name, table in old.items() if name not in new]
    yield from (table.definition or "" for table in lost)
    for found, table in both:
        yield from _anew(found, table) if table.name in anew else _altered(found, table)
    for table in [*(table for _, table in both), *lost]:
        there = () if table.name in anew or table.name not in new else new[table.name].indexes
        yield from (index.text or "" for index in _more(table.indexes, there))
    for place, other in was.items():
        if _differ(other, are.get(place)) or _names(other, anew):
            yield other.text or ""


def _differ(one: Other, other: Other | None) -> bool:
    return other is None or one.definition != other.definition


def _names(other: Other, tables: Iterable[str]) -> bool:
    """Whether a view or trigger may name one of these: SQLite renames nothing while one looks at what is not there."""
    return any(name.lower() in (other.text or "").lower() for name in tables)


def _facts(table: Table) -> tuple[object, ...]:
    return (set(table.columns), set(table.constraints), set(table.indexes), set(table.options))


def _more(parts: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Those that the others have not, or not so."""
    there = [(part.name, part.definition, part.unique) for part in others]
    return [part for part in parts if (part.name, part.definition, part.unique) not in there]


def _alters(now: Table, then: Table) -> bool:
    """Whether SQLite can drop and add what differs: columns that no constraint names, and that rows may lack."""
    came, went = _beside(now, then), _beside(then, now)
    kept, was = ({c for c in table.columns if c not in beside} for table, beside in ((now, came), (then, went)))
    same = (kept, set(now.constraints), set(now.options)) == (was, set(then.constraints), set(then.options))
    return same and not any(c.generated for c in came) and all(map(_may_be_added, went))


def _beside(table: Table, other: Table) -> list[Column]:
    """The columns that the other has not."""
    return [column for column in table.columns if other.column(column.name) is None]


def _may_be_added(column: Column) -> bool:
    plain = column.default is None or ("(" not in column.default and not column.default.startswith("CURRENT"))
    return column.nullable and plain and not column.generated and column.collation is None


def _altered(now: Table, then: Table) -> Iterator[str]:
    for column in reversed(_beside(now, then)):
        yield f"ALTER TABLE {quote(then.name)} DROP COLUMN {quote(column.name)}"
    for column in _beside(then, now):
        default = "" if column.default is None else f" DEFAULT {column.default}"
        yield f"ALTER TABLE {quote(then.name)} ADD COLUMN {quote(column.name)} {column.type}".rstrip() + default


def _anew(now: Table, then: Table) -> Iterator[str]:
    """The table as it was made, with the rows of now."""
    temporary = quote(_TEMPORARY + then.name)
    stays = [c.name for c in then.columns if not c.generated and (n := now.column(c.name)) and not n.generated]
    names = ", ".join(map(quote, stays))
    yield f"CREATE TABLE {temporary} {body(then.definition or '')}"
    yield f"INSERT INTO {temporary} ({names}) SELECT {names} FROM {quote(then.name)}"  # noqa: S608  quoted
    yield f"DROP TABLE {quote(then.name)}"
    yield f"ALTER TABLE {temporary} RENAME TO {quote(then.name)}"
