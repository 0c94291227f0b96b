"""Which SQL keeps rows of a PostgreSQL database and puts them back?

Values of types that a plan may drop (enums, domains, types of extensions) are kept as text; those that PostgreSQL
itself has, as they are. Comparing is by text: not every type has an equality.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcp_migrate.dialects.guards import orphaned
from mcp_migrate.dialects.keeper import Loss, Readd, Texts
from mcp_migrate.dialects.postgresql import cascading, parking, silencing
from mcp_migrate.dialects.postgresql.parking import UNDO
from mcp_migrate.dialects.postgresql.reader import MANIFEST
from mcp_migrate.dialects.preserving import SqlKeeper
from mcp_migrate.model import Kept
from mcp_migrate.schema.model import Column, Schema, Table

_COLUMNS = (
    "key text NOT NULL, place text PRIMARY KEY, source text NOT NULL, columns text NOT NULL, method text NOT NULL,"
    " rows bigint NOT NULL, size bigint, kept_at timestamptz NOT NULL, until timestamptz NOT NULL"
)


class PostgresKeeper(SqlKeeper):
    """The texts for PostgreSQL, in a schema of ours."""

    overriding = " OVERRIDING SYSTEM VALUE"

    def place(self, key: str, n: int) -> str:
        """A table in our schema."""
        return f"{UNDO}.u_{key}_{n}"

    def beside(self, place: str) -> str:
        """The second place."""
        return f"{place}_new"

    def fixed(self, column: Column) -> bool:
        """An UPDATE may write an identity column only where it is made BY DEFAULT."""
        return column.identity == "ALWAYS"

    def finds(self, table: Table) -> str:  # noqa: ARG002  all alike
        """By its place in the file of its partition; good for one statement and no longer."""
        return "(t.tableoid::text || t.ctid::text)"

    def silenced(self, table: Table, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]] | str:
        """Triggers are switched off in the same transaction, and each is then what it was."""
        return silencing.silenced(table, schema)

    def copied(self, alias: str, column: Column) -> str:
        """As text where the type is not PostgreSQL's own."""
        return f"{alias}.{self.quote(column.name)}" + ("::text" if _foreign(column) else "")

    def compared(self, alias: str, column: Column) -> str:
        """As text, whatever its type is now."""
        return f"{alias}.{self.quote(column.name)}::text"

    def thawed(self, kept: str, column: Column) -> str:
        """In the type it had."""
        return f"{kept}::{column.type}" if _foreign(column) else kept

    def same(self, one: str, other: str, column: Column | None = None) -> str:  # noqa: ARG002  all alike
        """By text."""
        return f"{one}::text IS NOT DISTINCT FROM {other}::text"

    def whole(self, alias: str, columns: Sequence[Column]) -> str:
        """The row as text."""
        return f"ROW({', '.join(f'{alias}.{self.quote(column.name)}' for column in columns)})::text"

    def lock(self, table: Table) -> tuple[str, ...]:
        """Readers go on; nobody writes between the copy and the loss."""
        return (f"LOCK TABLE {self.named(table)} IN SHARE ROW EXCLUSIVE MODE",)

    def along(self, schema: Schema, tables: Sequence[str], namespace: str | None) -> str | None:
        """By what the schema shows."""
        return cascading.along(schema, tables, namespace)

    def parked(self, loss: Loss, *, key: str, n: int, schema: Schema) -> tuple[Texts, ...] | str:
        """In our schema, or under a hidden name."""
        return parking.parked(loss, key=key, n=n, schema=schema, orphans=self._orphans)

    def remade(self, statements: Sequence[str], loss: Loss) -> tuple[int, ...]:
        """By PostgreSQL's own grammar."""
        return parking.remade(statements, loss)

    def _orphans(self, loss: Loss, place: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
        return orphaned(self, loss, place, names=names)

    def counters(self, loss: Loss, *, key: str, n: int) -> Texts | None:
        """How far the sequences that belong to the columns have counted."""
        counted = [c for c in loss.columns if c.identity or (c.default or "").startswith("nextval(")]
        if loss.kind not in {"table", "columns", "emptied"} or not counted:
            return None
        place = self.place(key, n)
        owned = [f"pg_get_serial_sequence({self._literal(loss.table)}, {_text(c.name)})::regclass" for c in counted]
        now = ", ".join(f"pg_sequence_last_value({name}) AS o{i}" for i, name in enumerate(owned, 1))
        back = (
            f"SELECT setval({name}, greatest(u.o{i}, pg_sequence_last_value({name}))) FROM {place} AS u "  # noqa: S608  quoted
            f"WHERE u.o{i} IS NOT NULL AND {name} IS NOT NULL"
            for i, name in enumerate(owned, 1)
        )
        return Texts(place, "counter", (f"CREATE TABLE {place} AS SELECT {now}",), back=tuple(back))

    def counter(self, loss: Loss, place: str) -> Texts:
        """The last number, and whether it was given out."""
        kept = f"CREATE TABLE {place} AS SELECT last_value AS o1, is_called AS o2 FROM {self.named(loss.table)}"  # noqa: S608  quoted
        back = f"SELECT setval({self._literal(loss.table)}, u.o1, u.o2) FROM {place} AS u"  # noqa: S608  quoted
        return Texts(place, "counter", (kept,), back=(back,))

    def opening(self, *, present: bool) -> tuple[str, ...]:
        """Our schema, in which only its owner may look, and the manifest.

        Who asks for a schema needs the right to make one, even if it is there: an admin can make it once instead.
        """
        schema = () if present else (f"CREATE SCHEMA IF NOT EXISTS {UNDO}",)
        return (*schema, f"CREATE TABLE IF NOT EXISTS {MANIFEST} ({_COLUMNS})")

    def noted(self, kept: Kept, *, key: str, seconds: float, rows: int | None = None) -> str:
        """One line of it."""
        texts = [key, kept.place, kept.table, ", ".join(kept.columns), kept.method]
        given = ", ".join(map(_text, texts))
        size = f"pg_total_relation_size({_text(kept.place)}::regclass)"
        until = f"now() + interval '{seconds:.0f} seconds'"
        if kept.ends is not None:
            known = size if kept.place.startswith(f"{UNDO}.") else "NULL"
            return f"INSERT INTO {MANIFEST} SELECT {given}, {rows or 0}, {known}, now(), {until}"
        return f"INSERT INTO {MANIFEST} SELECT {given}, count(*), {size}, now(), {until} FROM {kept.place}"  # noqa: S608  quoted

    def spent(self, key: str, places: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
        """The tables and their lines."""
        both = [name for place, second in places for name in (place, *([self.beside(place)] if second else []))]
        drops = tuple(f"DROP TABLE {name}" for name in both)
        return (*drops, f"DELETE FROM {MANIFEST} WHERE key = {_text(key)}")  # noqa: S608  quoted

    def removed(self, key: str, place: str) -> tuple[str, ...]:
        """What removes one place and its line; of a column that was parked, the line."""
        line = f"DELETE FROM {MANIFEST} WHERE place = {_text(place)} AND key = {_text(key)}"  # noqa: S608  quoted
        if parking.hidden_column(key, place):
            return (line,)
        return (f"DROP TABLE IF EXISTS {place}", f"DROP TABLE IF EXISTS {self.beside(place)}", line)

    def sets(self, sql: str) -> tuple[str, frozenset[str]] | None:
        """By PostgreSQL's own grammar; a WITH can write to other tables, so there is none."""
        import postgast

        try:
            statements = postgast.parse(sql).stmts
        except (postgast.PgQueryError, ValueError):
            return None
        node = statements[0].stmt if len(statements) == 1 else None
        if node is None or node.WhichOneof("node") not in {"update_stmt", "insert_stmt"}:
            return None
        update = node.WhichOneof("node") == "update_stmt"
        changed = node.update_stmt if update else node.insert_stmt
        assigned = changed.target_list if update else changed.on_conflict_clause.target_list
        if changed.HasField("with_clause"):
            return None
        place = f"{changed.relation.schemaname or 'public'}.{changed.relation.relname}"
        return place, frozenset(target.res_target.name for target in assigned)

    def readd(self, statements: Sequence[str], table: Table, column: Column | None) -> Readd | None:
        """An ADD COLUMN that takes no null and says no value: nulls are taken until the values are back."""
        if column is None:
            return next((Readd(at, 1, (sql,), ()) for at, sql in enumerate(statements) if _makes(sql, table)), None)
        for at, sql in enumerate(statements):
            if (parts := _nullable(sql, table, column)) is not None:
                last = f"ALTER TABLE {self.named(table)} ALTER COLUMN {self.quote(column.name)} SET NOT NULL"
                return Readd(at, 1, (parts,), (last,))
        return None

    def _literal(self, table: Table) -> str:
        return _text(self.named(table))


def _makes(sql: str, table: Table) -> bool:
    """Whether a statement makes this table so that it can take rows: a partitioned one waits for its partitions."""
    import postgast

    try:
        statements = postgast.parse(sql).stmts
    except (postgast.PgQueryError, ValueError):
        return False
    node = statements[0].stmt if len(statements) == 1 else None
    if node is None or node.WhichOneof("node") != "create_stmt" or node.create_stmt.HasField("partspec"):
        return False
    relation = node.create_stmt.relation
    return (relation.schemaname or "public", relation.relname) == (table.schema, table.name)


def _nullable(sql: str, table: Table, column: Column) -> str | None:
    import postgast

    try:
        tree = postgast.parse(sql)
    except (postgast.PgQueryError, ValueError):
        return None
    node = tree.stmts[0].stmt.alter_table_stmt if len(tree.stmts) == 1 else None
    if node is None or len(node.cmds) != 1 or node.relation.relname != table.name:
        return None
    added = node.cmds[0].alter_table_cmd.def_.column_def if hasattr(node.cmds[0].alter_table_cmd, "def_") else None
    added = added if added is not None else getattr(node.cmds[0].alter_table_cmd, "def").column_def
    kinds = [postgast.pg_query_pb2.ConstrType.Name(each.constraint.contype) for each in added.constraints]
    if (node.relation.schemaname or "public", added.colname) != (table.schema, column.name) or kinds != [
        "CONSTR_NOTNULL"
    ]:
        return None
    del added.constraints[:]
    return str(postgast.deparse(tree))


def _foreign(column: Column) -> bool:
    """Whether a type is not PostgreSQL's own: only those are written with their schema."""
    return "." in column.type.partition("(")[0]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
