"""Is this really the movement of Alembic's version table? The planner compared its text; here its shape is checked."""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import rule
from mcp_migrate.rules.postgresql.columns import kind_of
from mcp_migrate.rules.postgresql.names import is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Parsed, Tree
from mcp_migrate.rules.postgresql.reading import Reading

ALEMBIC_VERSION = rule(
    "alembic-version",
    "Alembic's own bookkeeping",
    "",
    "Moves Alembic's version table.",
    rationale="Alembic notes which revision the database is at; nothing else is in that table.",
    source="https://alembic.sqlalchemy.org/en/latest/tutorial.html",
    flags=("UPDATE alembic_version SET version_num = 'b2' WHERE alembic_version.version_num = 'a1'",),
    passes=("DELETE FROM alembic_version WHERE version_num = (SELECT name FROM users)",),
)


def is_version_step(parsed: Parsed, context: Context) -> bool:
    """One INSERT, UPDATE, DELETE, CREATE TABLE or DROP TABLE of one table, with nothing else in it."""
    if parsed.kind == "drop_stmt":
        return _drops_one_table(parsed.node)
    if parsed.kind not in {"insert_stmt", "update_stmt", "delete_stmt", "create_stmt"}:
        return False
    node = parsed.node
    if parsed.kind == "create_stmt" and not all(_is_plain(element) for element in node.table_elts):
        return False
    if context.made.acts_on(node.relation.relname):  # a trigger of this plan would run with it
        return False
    reading = Reading.of(node, Context(None, functions=context.functions))
    return not (reading.findings() or reading.relations or reading.writes or is_system(name_of(node.relation)))


def _drops_one_table(node: Tree) -> bool:
    table = member("ObjectType", node.remove_type) == "OBJECT_TABLE"
    return table and len(node.objects) == 1 and member("DropBehavior", node.behavior) == "DROP_RESTRICT"


def _is_plain(element: Tree) -> bool:
    """A column that is not null, or the primary key."""
    inner = [c.constraint for c in element.column_def.constraints]
    own = [element.constraint] if element.HasField("constraint") else []
    return all(kind_of(c) in {"CONSTR_NOTNULL", "CONSTR_NULL", "CONSTR_PRIMARY"} for c in (*inner, *own))
