"""Is this really a statement that keeps undo data, or puts it back? By its shape, in PostgreSQL's own grammar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mcp_migrate.model import Statement
from mcp_migrate.rules import keeping
from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.postgresql import moving
from mcp_migrate.rules.postgresql.names import full, member
from mcp_migrate.rules.postgresql.parser import Parsed, Tree

_UNDO = "mcp_migrate_undo"
_WRITES = frozenset(
    {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "create_table_as_stmt", "create_stmt", "drop_stmt"}
)
_CALLED = frozenset(
    "count now row_number pg_total_relation_size pg_get_serial_sequence pg_sequence_last_value setval".split()
)
_KEEPS = frozenset("create_stmt create_table_as_stmt alter_table_stmt delete_stmt insert_stmt".split())
_SWITCHES = frozenset("AT_DisableTrig AT_EnableTrig AT_EnableReplicaTrig AT_EnableAlwaysTrig".split())
_LOCK = 6  # SHARE ROW EXCLUSIVE

KEEP = replace(
    keeping.KEEP,
    lock="SHARE ROW EXCLUSIVE",
    flags=("CREATE TABLE mcp_migrate_undo.u_a_1 AS SELECT t.id AS k1, t.name AS o1 FROM public.users AS t",),
    passes=(
        "CREATE TABLE kept AS SELECT id FROM users",
        "CREATE TABLE mcp_migrate_undo.u_a_1 AS SELECT pg_read_file('x') AS o1",
    ),
)
PUT_BACK = replace(
    keeping.PUT_BACK,
    lock="ROW EXCLUSIVE",
    flags=("UPDATE public.users AS t SET name = u.o1 FROM mcp_migrate_undo.u_a_1 AS u WHERE u.k1 = t.id",),
    passes=("UPDATE users SET name = 'x'", "DELETE FROM users"),
)
NOTED = replace(
    keeping.NOTED,
    flags=("DROP TABLE mcp_migrate_undo.u_a_1",),
    passes=("DROP TABLE IF EXISTS users", "DROP TABLE IF EXISTS mcp_migrate_undo.u_a_1 CASCADE"),
)
PARK = replace(
    keeping.PARK,
    lock="ACCESS EXCLUSIVE",
    flags=(
        "ALTER TABLE public.u_a_1 SET SCHEMA mcp_migrate_undo",
        "ALTER TABLE users RENAME COLUMN name TO _mcp_migrate_undo_a_1_1",
    ),
    passes=("ALTER TABLE users SET SCHEMA attic", "ALTER TABLE users RENAME COLUMN name TO called"),
)
FETCH = replace(
    keeping.FETCH,
    lock="ACCESS EXCLUSIVE",
    flags=(
        "ALTER TABLE mcp_migrate_undo.u_a_1 SET SCHEMA public",
        "ALTER TABLE users RENAME COLUMN _mcp_migrate_undo_a_1_1 TO name",
    ),
    passes=("ALTER TABLE users RENAME COLUMN name TO called",),
)
SILENCE = replace(
    keeping.SILENCE,
    lock="SHARE ROW EXCLUSIVE",
    flags=("ALTER TABLE public.users DISABLE TRIGGER watch",),
    passes=("ALTER TABLE public.users DISABLE TRIGGER ALL", "ALTER TABLE public.users DISABLE RULE keep"),
)


def ours(statement: Statement, parsed: Parsed) -> list[Finding] | None:
    """What is said of a statement that the planner put in; None where it is none of those we write."""
    if statement.kind not in {"preserve", "restore"} or not _plain(parsed):
        return None
    if (moved := moving.moved(statement.kind, parsed)) is not None:
        which = PARK if statement.kind == "preserve" else FETCH
        return [found(which, *moved, object=", ".join(moved) or "a part of the same")]
    read = tuple(dict.fromkeys(_relations(parsed.node)))
    if statement.kind == "preserve":
        if not _keeps(parsed):
            return None
        return [found(KEEP, *read)] if read else [found(NOTED)]
    return [found(NOTED)] if _spent(statement, parsed) else _put_back(parsed)


def _plain(parsed: Parsed) -> bool:
    """Nothing in it writes beside the statement itself, or calls what we do not call."""
    nodes = list(_nodes(parsed.node))
    called = [node.func_call.funcname[-1].string.sval for node in nodes if node.WhichOneof("node") == "func_call"]
    known = all(name in _CALLED for name in called)
    return known and not any(node.WhichOneof("node") in _WRITES for node in nodes)


def _keeps(parsed: Parsed) -> bool:
    node = parsed.node
    if parsed.kind == "create_schema_stmt":
        return bool(node.schemaname == _UNDO and not node.schema_elts)
    if parsed.kind == "lock_stmt":
        return bool(node.mode == _LOCK)
    return parsed.kind in _KEEPS and _is_ours(_written(parsed))


def _spent(statement: Statement, parsed: Parsed) -> bool:
    node = parsed.node
    if parsed.kind == "drop_stmt":
        names = [[part.string.sval for part in each.list.items] for each in node.objects]
        table = member("ObjectType", node.remove_type) == "OBJECT_TABLE"
        plain = member("DropBehavior", node.behavior) == "DROP_RESTRICT"
        return table and plain and all(name[:-1] == [_UNDO] for name in names)
    if parsed.kind == "delete_stmt":
        return _is_ours(node.relation)
    return parsed.kind == "select_stmt" and statement.guard is not None


def _switches(parsed: Parsed) -> bool:
    """Triggers by their names, and nothing else: ALL would be those that hold foreign keys too."""
    commands = [node.alter_table_cmd for node in parsed.node.cmds] if parsed.kind == "alter_table_stmt" else []
    return bool(commands) and all(member("AlterTableType", each.subtype) in _SWITCHES for each in commands)


def _put_back(parsed: Parsed) -> list[Finding] | None:
    """It takes what it writes from a place of ours, or has triggers be silent meanwhile."""
    if _switches(parsed):
        return [found(SILENCE, full(parsed.node.relation))]
    places = [each.range_var for each in _nodes(parsed.node) if each.WhichOneof("node") == "range_var"]
    if not any(map(_is_ours, places)):
        return None
    if parsed.kind in {"insert_stmt", "update_stmt", "delete_stmt"}:
        return [found(PUT_BACK, full(parsed.node.relation))]
    counted = _counted(parsed.node) if parsed.kind == "select_stmt" else None
    return [found(PUT_BACK, counted)] if counted else None


def _counted(node: Tree) -> str | None:
    """The table whose counter is set, or the sequence that is none of a table's."""
    for each in _nodes(node):
        called = each.func_call.funcname[-1].string.sval if each.WhichOneof("node") == "func_call" else ""
        named = called == "setval" and each.func_call.args[0].WhichOneof("node") == "a_const"
        if named or called.startswith("pg_get_"):
            name = each.func_call.args[0].a_const.sval.sval
            return ".".join(part.strip('"').replace('""', '"') for part in name.split('"."'))
    return None


def _written(parsed: Parsed) -> Tree:
    return parsed.node.into.rel if parsed.kind == "create_table_as_stmt" else parsed.node.relation


def _is_ours(relation: Tree) -> bool:
    return bool(relation.schemaname == _UNDO)


def _relations(node: Tree) -> Iterator[str]:
    """The tables of others that are named."""
    for each in _nodes(node):
        if each.WhichOneof("node") == "range_var" and not _is_ours(each.range_var):
            yield full(each.range_var)


def _nodes(node: Tree) -> Iterator[Tree]:
    """Every node below, in the order of the text."""
    for field, value in node.ListFields():
        if field.message_type is None:
            continue
        for child in value if field.is_repeated else (value,):
            if child.DESCRIPTOR.name == "Node":
                yield child
            yield from _nodes(child)
