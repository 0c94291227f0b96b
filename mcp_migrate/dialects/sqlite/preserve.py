"""Which SQL keeps rows of a SQLite database and puts them back?

Values are kept without an affinity, so none is converted on the way; comparing is to the byte, whatever a column's
collation says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp_migrate.dialects.keeper import Loss, Readd, Texts
from mcp_migrate.dialects.preserving import SqlKeeper
from mcp_migrate.dialects.sqlite import parking, reader
from mcp_migrate.dialects.sqlite.spelling import folded
from mcp_migrate.model import Kept
from mcp_migrate.schema.model import Column, Schema, Table

_PREFIX = reader.MANIFEST
MANIFEST = f'main."{_PREFIX}"'
_COLUMNS = (
    '"key" TEXT NOT NULL, place TEXT PRIMARY KEY, source TEXT NOT NULL, "columns" TEXT NOT NULL, method TEXT NOT NULL,'
    ' "rows" INTEGER NOT NULL, size INTEGER, kept_at TEXT NOT NULL, until TEXT NOT NULL'
)
_COUNTERS = "main.sqlite_sequence"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class SqliteKeeper(SqlKeeper):
    """The texts for SQLite, which locks the whole file while a plan runs."""

    def place(self, key: str, n: int) -> str:
        """A table beside the user's, with a name that readers leave out."""
        return f'main."{_PREFIX}_{key}_{n}"'

    def beside(self, place: str) -> str:
        """The second place."""
        return f'{place.removesuffix(chr(34))}_new"'

    def keys(self, table: Table) -> tuple[Column, ...]:
        """A primary key may be empty here, but for the one that is the number of the row."""
        primary = next((c for c in table.constraints if c.kind == "primary_key"), None)
        if primary is not None and len(primary.columns) == 1 and "DESC" not in primary.definition:
            column = table.column(primary.columns[0])
            if column is not None and column.type.upper() == "INTEGER":
                return (column,)
        return super().keys(table)

    def texts(self, loss: Loss, *, key: str, n: int, later: bool) -> Texts | str:
        """As for others, where a row has a number."""
        if loss.kind == "exchanged" and "WITHOUT ROWID" in (loss.table.definition or "").upper():
            return f"rows of {loss.table.qualified}, whose key is written, have no number by which they could be found"
        return super().texts(loss, key=key, n=n, later=later)

    def finds(self, table: Table) -> str:
        """By the number of the row, under a name that no column has."""
        taken = {column.name.lower() for column in table.columns}
        return "t." + next(name for name in ("rowid", "_rowid_", "oid") if name not in taken)

    def copied(self, alias: str, column: Column) -> str:
        """Without the column's affinity."""
        return f"+{alias}.{self.quote(column.name)}"

    def compared(self, alias: str, column: Column) -> str:
        """As it is kept."""
        return self.copied(alias, column)

    def equal(self, one: str, other: str) -> str:
        """To the byte."""
        return f"{one} = {other} COLLATE BINARY"

    def same(self, one: str, other: str, column: Column | None = None) -> str:  # noqa: ARG002  all alike
        """To the byte, and of the same kind: ``1`` is not ``1.0``."""
        return f"({one} IS {other} COLLATE BINARY AND typeof({one}) = typeof({other}))"

    def whole(self, alias: str, columns: Sequence[Column]) -> str:
        """Each value as a literal."""
        return " || ',' || ".join(f"quote({alias}.{self.quote(column.name)})" for column in columns) or "''"

    def index(self, place: str, keys: Sequence[Column]) -> tuple[str, ...]:
        """Joins go row by row."""
        name, columns = place.removeprefix("main.").strip('"'), ", ".join(f"k{i + 1}" for i in range(len(keys)))
        return (f'CREATE UNIQUE INDEX "{name}_k" ON "{name}" ({columns})',)

    def parked(self, loss: Loss, *, key: str, n: int, schema: Schema) -> tuple[Texts, ...] | str:
        """Under a name that readers leave out."""
        return parking.parked(loss, name=f"{_PREFIX}_{key}_{n}", schema=schema)

    def remade(self, statements: Sequence[str], loss: Loss) -> tuple[int, ...]:
        """By a second reader of SQL."""
        return parking.remade(statements, loss, _made)

    def counters(self, loss: Loss, *, key: str, n: int) -> Texts | None:
        """How far an AUTOINCREMENT has counted goes with its table."""
        if loss.kind != "table" or "AUTOINCREMENT" not in (loss.table.definition or "").upper():
            return None
        place, name = self.place(key, n), _text(loss.table.name)
        counted = f"WHERE name = {name} AND EXISTS (SELECT 1 FROM {place})"  # noqa: S608  quoted
        missing = f"WHERE NOT EXISTS (SELECT 1 FROM {_COUNTERS} WHERE name = {name})"  # noqa: S608  quoted
        raised = f"UPDATE {_COUNTERS} SET seq = max(seq, (SELECT o1 FROM {place})) {counted}"  # noqa: S608  quoted
        added = f"INSERT INTO {_COUNTERS} (name, seq) SELECT {name}, u.o1 FROM {place} AS u {missing}"  # noqa: S608  quoted
        kept = f"CREATE TABLE {place} AS SELECT +seq AS o1 FROM {_COUNTERS} WHERE name = {name}"  # noqa: S608  quoted
        return Texts(place, "counter", (kept,), back=(raised, added))

    def opening(self, *, present: bool) -> tuple[str, ...]:  # noqa: ARG002  no rights to have
        """The manifest."""
        return (f"CREATE TABLE IF NOT EXISTS {MANIFEST} ({_COLUMNS})",)

    def noted(self, kept: Kept, *, key: str, seconds: float, rows: int | None = None) -> str:
        """One line of it."""
        texts = [key, kept.place, kept.table, ", ".join(kept.columns), kept.method]
        given = ", ".join(map(_text, texts))
        count = "count(*)" if kept.ends is None else str(rows or 0)
        source = f" FROM {kept.place}" if kept.ends is None else ""
        now, until = f"strftime('{_TIME}', 'now')", f"strftime('{_TIME}', 'now', '+{seconds:.0f} seconds')"
        return f"INSERT INTO {MANIFEST} SELECT {given}, {count}, NULL, {now}, {until}{source}"

    def spent(self, key: str, places: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
        """The tables and their lines."""
        both = [name for place, second in places for name in (place, *([self.beside(place)] if second else []))]
        drops = tuple(f"DROP TABLE {name}" for name in both)
        return (*drops, f"DELETE FROM {MANIFEST} WHERE \"key\" = '{key}'")  # noqa: S608  made by us

    def removed(self, key: str, place: str) -> tuple[str, ...]:
        """What removes one place and its line."""
        line = f'DELETE FROM {MANIFEST} WHERE place = {_text(place)} AND "key" = {_text(key)}'  # noqa: S608  quoted
        return (f"DROP TABLE IF EXISTS {place}", f"DROP TABLE IF EXISTS {self.beside(place)}", line)

    def folded(self, name: str) -> str:
        """Case is nothing."""
        return folded(name)

    def sets(self, sql: str) -> tuple[str, frozenset[str]] | None:
        """By a second reader of SQL; SQLite itself only tells tables and columns that are touched."""
        tree = _parsed(sql)
        from sqlglot import exp

        if not isinstance(tree, exp.Update) or not isinstance(tree.this, exp.Table):
            return None
        named = [assigned.this for assigned in tree.expressions]
        if not all(isinstance(column, exp.Column) for column in named):
            return None
        return f"main.{tree.this.name}", frozenset(column.name for column in named)

    def readd(self, statements: Sequence[str], table: Table, column: Column | None) -> Readd | None:
        """A table that is made anew with the column takes its values along, from a column added just before."""
        if column is None:
            return next(
                (Readd(at, 1, (sql,), ()) for at, sql in enumerate(statements) if _made(sql) == table.name), None
            )
        for at in range(len(statements) - 1):
            made, filled = _parsed(statements[at]), _parsed(statements[at + 1])
            if _makes(made, f"_alembic_tmp_{table.name}", column.name) and (sql := _with(filled, table, column)):
                added = f"ALTER TABLE {self.named(table)} ADD COLUMN {self.quote(column.name)} {column.type}"
                return Readd(at, 2, (added,), (statements[at], sql))
        return None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _parsed(sql: str) -> Any:
    import sqlglot

    try:
        trees = sqlglot.parse(sql, read="sqlite")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 else None


def _made(sql: str) -> str | None:
    """The table that a statement makes."""
    from sqlglot import exp

    tree = _parsed(sql)
    table = isinstance(tree, exp.Create) and tree.args.get("kind") == "TABLE" and isinstance(tree.this, exp.Schema)
    return str(tree.this.this.name) if table else None


def _makes(tree: Any, name: str, column: str) -> bool:
    from sqlglot import exp

    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema) or tree.this.this.name != name:
        return False
    return any(isinstance(part, exp.ColumnDef) and part.name == column for part in tree.this.expressions)


def _with(tree: Any, table: Table, column: Column) -> str | None:
    """An INSERT … SELECT from the table that takes one more column along."""
    from sqlglot import exp

    if not isinstance(tree, exp.Insert) or not isinstance(tree.this, exp.Schema):
        return None
    query = tree.expression
    if not isinstance(query, exp.Select) or tree.this.this.name != f"_alembic_tmp_{table.name}":
        return None
    if any(part.name == column.name for part in tree.this.expressions):
        return None
    tree.this.append("expressions", exp.to_identifier(column.name, quoted=True))
    query.append("expressions", exp.column(column.name, table=table.name, quoted=True))
    return str(tree.sql(dialect="sqlite"))
