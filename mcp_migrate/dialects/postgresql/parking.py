"""Which SQL takes a PostgreSQL table or column out of the way instead of destroying it, and brings it back?

A table goes to our schema, where nobody but the role that applies may look, with its indexes and sequences; a column
gets a name that no reader of schemas sees. The statement that drops it then meets a stand-in. What would reach out of
what is parked (foreign keys) or keep others waiting (not null, constraints and indexes of the column) is taken off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.dialects.postgresql import remake
from mcp_migrate.dialects.postgresql.reader import quoted
from mcp_migrate.schema.model import Column, Index, Schema, Table
from mcp_migrate.schema.pairing import refers

UNDO = "mcp_migrate_undo"
HIDDEN = "_mcp_migrate_undo_"
STAND_IN = "_mcp_migrate_undo"
_PLAIN_INDEX = re.compile(
    r"CREATE (?:UNIQUE )?INDEX .* USING \w+ \((?P<keys>[\w\", ]+)\)(?: INCLUDE \((?P<more>[^)]*)\))?"
)
_USERS_OWN = re.compile(r'(?:::|\b)"?\w+"?\."?\w+"?')
Orphans = Callable[[Loss, str, dict[str, str]], Iterable[tuple[str, str]]]
"""The guards for foreign keys of what was parked, in a place ``u`` where its columns are called so."""

_OF_TABLES = frozenset({"alter_table_stmt", "create_stmt"})


def parked(loss: Loss, *, key: str, n: int, schema: Schema, orphans: Orphans) -> tuple[Texts, ...] | str:
    """The texts for a table, or for each column; or why it cannot be parked."""
    table = loss.table
    others = [o.kind for o in schema.others if o.table == table.qualified or _publishes(o.kind, o.definition, table)]
    whole = loss.kind == "table"
    if table.kind != "table" or any("child of" in option for option in table.options):
        return f"{table.qualified} is no plain table"
    if in_the_way := [kind for kind in others if whole or kind in {"statistics", "publication"}]:
        return f"a {in_the_way[0]} looks at {table.qualified}"
    leaning = [column.name for column in (table.columns if whole else loss.columns) if _leans(column)]
    if leaning:
        return f"{table.qualified}.{leaning[0]} needs something that can be dropped: a type or function of the users'"
    if whole:
        return _table(loss, f"u_{key}_{n}", orphans)
    found = [_column(loss, column, f"{HIDDEN}{key}_{n}_{i}", orphans) for i, column in enumerate(loss.columns, 1)]
    return next((each for each in found if isinstance(each, str)), tuple(t for t in found if isinstance(t, Texts)))


def remade(statements: Sequence[str], loss: Loss) -> tuple[int, ...]:
    """Where a way back makes the thing again, the statement that makes it first; none where nothing plain does."""
    parsed = [_parsed(sql) for sql in statements]
    if loss.kind == "table":
        first = [at for at, node in enumerate(parsed) if node is not None and _is(node, "create_stmt", loss.table)]
        rest = [at for at, node in enumerate(parsed) if node is not None and _concerns(node, loss.table)]
        return (first[0], *(at for at in rest if at != first[0])) if len(first) == 1 else ()
    [column] = loss.columns
    found = [at for at, node in enumerate(parsed) if node is not None and _adds(node, loss.table, column)]
    return tuple(found) if len(found) == 1 else ()


def hidden_column(key: str, place: str) -> str | None:
    """The column that was parked under this key, if the place is one: the manifest is no leave to drop others."""
    name = place.rpartition(".")[2]
    numbers = name.removeprefix(f"{HIDDEN}{key}_").split("_")
    ours = name.startswith(f"{HIDDEN}{key}_") and key.isalnum() and len(numbers) == 2  # noqa: PLR2004  loss and column
    return name if ours and all(number.isdecimal() for number in numbers) else None


def _table(loss: Loss, name: str, orphans: Orphans) -> tuple[Texts, ...] | str:
    table = loss.table
    place, here = f"{UNDO}.{name}", quoted(table.schema, table.name)
    away = [c for c in table.constraints if c.kind == "foreign_key" and refers(c, table) != table.qualified]
    if any(c.name is None for c in table.constraints):
        return f"a constraint of {table.qualified} has no name"
    indexes = [index.name for index in table.indexes]
    indexes += [str(c.name) for c in table.constraints if c.kind in {"primary_key", "unique", "exclusion"}]
    names = [("INDEX", each, f"{name}_i{i}") for i, each in enumerate(indexes, 1)]
    names += [("SEQUENCE", each, f"{name}_s{i}") for i, each in enumerate(_sequences(table), 1)]
    before = (
        *(f"ALTER TABLE {here} DROP CONSTRAINT IF EXISTS {quoted(str(c.name))}" for c in away),
        *(f"ALTER {what} IF EXISTS {quoted(table.schema, was)} RENAME TO {now}" for what, was, now in names),
        f"ALTER TABLE {here} RENAME TO {name}",
        f"ALTER TABLE {quoted(table.schema, name)} SET SCHEMA {UNDO}",
        f"CREATE TABLE {here} ({STAND_IN} integer)",
    )
    instead = (
        f"ALTER TABLE {place} SET SCHEMA {quoted(table.schema)}",
        f"ALTER TABLE {quoted(table.schema, name)} RENAME TO {quoted(table.name)}",
        *(f"ALTER {what} IF EXISTS {quoted(table.schema, now)} RENAME TO {quoted(was)}" for what, was, now in names),
    )
    back = tuple(sql for c in away for sql in remake.constraint_texts(table, c))
    there = (f"SELECT 1 FROM {place} WHERE false", f"what was parked of {table.qualified} is not there any more")  # noqa: S608  ours
    guards = (there, *orphans(loss, place, {each.name: f"u.{quoted(each.name)}" for each in table.columns}))
    return (Texts(place, "parked", before, back=back, guards=guards, instead=instead, ends=f"DROP TABLE {place}"),)


def _column(loss: Loss, column: Column, hidden: str, orphans: Orphans) -> Texts | str:
    table = loss.table
    here, name = quoted(table.schema, table.name), quoted(column.name)
    if column.identity or column.generated or (column.default or "").startswith("nextval("):
        return f"the database itself makes the values of {table.qualified}.{column.name}"
    constraints = [c for c in table.constraints if column.name in c.columns]
    if any(c.kind == "primary_key" or c.name is None for c in constraints):
        return f"{table.qualified} loses what tells its rows apart"
    indexes = [(index, _keys(index)) for index in table.indexes if column.name in index.definition]
    if any(keys is None for _index, keys in indexes):
        return f"an index of {table.qualified} holds an expression"
    off = [index.name for index, keys in indexes if keys and column.name in keys]
    before = (
        *(f"ALTER TABLE {here} DROP CONSTRAINT IF EXISTS {quoted(str(c.name))}" for c in constraints),
        *(f"DROP INDEX IF EXISTS {quoted(table.schema, each)}" for each in off),
        f"ALTER TABLE {here} RENAME COLUMN {name} TO {hidden}",
        *(() if column.nullable else (f"ALTER TABLE {here} ALTER COLUMN {hidden} DROP NOT NULL",)),
        f"ALTER TABLE {here} ADD COLUMN {name} integer",
    )
    needed = () if column.nullable else (f"ALTER TABLE {here} ALTER COLUMN {name} SET NOT NULL",)
    empty = f"SELECT 1 FROM {here} WHERE {hidden} IS NULL" + (" AND false" if column.nullable else "")  # noqa: S608  quoted
    since = f"rows that were written since have no value for {table.qualified}.{column.name}, which may not be empty"
    gone = f"what was parked of {table.qualified}.{column.name} is not there any more"
    instead = (f"ALTER TABLE {here} RENAME COLUMN {hidden} TO {name}", *needed)
    ends = f"ALTER TABLE {here} DROP COLUMN {hidden}"
    guards = ((empty, gone if column.nullable else since), *orphans(loss, here, {column.name: f"u.{hidden}"}))
    return Texts(f"{here}.{hidden}", "parked", before, guards=guards, instead=instead, ends=ends)


def _sequences(table: Table) -> Iterator[str]:
    """The sequences that go with the table, by the names that PostgreSQL gives them."""
    for column in table.columns:
        if column.identity or (column.default or "").startswith("nextval("):
            yield f"{table.name}_{column.name}_seq"


def _leans(column: Column) -> bool:
    """Whether it needs what users can drop: that would be in the way of a later plan."""
    default = "" if (column.default or "").startswith("nextval(") else column.default or ""
    texts = (column.type, default.partition("'")[0], default.rpartition("'")[2], column.generated or "")
    return column.collation is not None or any(_USERS_OWN.search(text) for text in texts)


def _publishes(kind: str, definition: str, table: Table) -> bool:
    return kind == "publication" and table.name in definition


def _keys(index: Index) -> set[str] | None:
    """The columns of an index; None where it has more than columns."""
    found = _PLAIN_INDEX.fullmatch(index.definition)
    if found is None:
        return None
    parts = [*found["keys"].split(","), *(found["more"] or "").split(",")]
    return {part.strip().split(" ")[0].strip('"') for part in parts if part.strip()}


def _parsed(sql: str) -> Any:
    import postgast

    try:
        statements = postgast.parse(sql).stmts
    except (postgast.PgQueryError, ValueError):
        return None
    return statements[0].stmt if len(statements) == 1 else None


def _is(node: Any, kind: str, table: Table) -> bool:
    if node.WhichOneof("node") != kind:
        return False
    relation = getattr(node, kind).relation
    return (relation.schemaname or "public", relation.relname) == (table.schema, table.name)


def _concerns(node: Any, table: Table) -> bool:
    """Whether it makes a part of the table, which comes back with it."""
    if any(_is(node, kind, table) for kind in _OF_TABLES):
        return True
    kind = node.WhichOneof("node")
    if kind == "index_stmt":
        return _is(node, kind, table) and node.index_stmt.idxname in {index.name for index in table.indexes}
    if kind == "comment_stmt":
        names = [item.string.sval for item in node.comment_stmt.object.list.items]
        return names[:2] == [table.schema, table.name] or names[:1] == [table.name]
    owned = set(_sequences(table))
    if kind == "create_seq_stmt":
        return node.create_seq_stmt.sequence.relname in owned
    return kind == "alter_seq_stmt" and node.alter_seq_stmt.sequence.relname in owned


def _adds(node: Any, table: Table, column: Column) -> bool:
    """Whether it adds this column and nothing beside it."""
    import postgast

    if not _is(node, "alter_table_stmt", table) or len(node.alter_table_stmt.cmds) != 1:
        return False
    command = node.alter_table_stmt.cmds[0].alter_table_cmd
    added = getattr(command, "def").column_def
    types = postgast.pg_query_pb2
    kinds = {types.ConstrType.Name(each.constraint.contype) for each in added.constraints}
    adds = types.AlterTableType.Name(command.subtype) == "AT_AddColumn" and added.colname == column.name
    return adds and kinds <= {"CONSTR_NOTNULL", "CONSTR_NULL", "CONSTR_DEFAULT"}
