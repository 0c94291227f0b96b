"""What does renaming or moving do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, sentences, unknown
from mcp_migrate.rules.postgresql.names import doubts, full, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree

RENAME = rule(
    "rename",
    "Another name for something in use",
    "breaking",
    "Renames {object} to {new}: code that uses the old name fails.",
    "ACCESS EXCLUSIVE",
    rationale="Code that uses the old name fails at once.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users RENAME TO people",),
    passes=("ALTER TABLE users ADD COLUMN x integer",),
)
RENAME_NEW = rule(
    "rename-new-object",
    "Another name in or for a table this plan made",
    "additive",
    "Renames {object}, which this plan made, to {new}.",
    rationale="No code can know the old name yet.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("CREATE TABLE t (a integer);\nALTER TABLE t RENAME TO u",),
    passes=("ALTER TABLE users RENAME TO people",),
)
MOVE = rule(
    "set-schema",
    "Moved to another schema",
    "breaking",
    "Moves {object} to the schema {new}: code that uses the old name fails.",
    "ACCESS EXCLUSIVE",
    rationale="Code that uses the old name fails at once.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users SET SCHEMA attic",),
    passes=("ALTER TABLE users RENAME TO people",),
)
_WHOLE = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE"})
_PARTS = frozenset({"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"})
_KINDS = ("table", "view", "index", "sequence", "enum", "domain", "materialized view")


def rename(node: Tree, context: Context) -> list[Finding]:
    kind = member("ObjectType", node.rename_type)
    if kind not in _WHOLE | _PARTS or is_system(name_of(node.relation)):
        context.made.clear()
        return [found(RENAME, new=node.newname)] if kind in _NAMED else [unknown("this renaming is not on the list")]
    table = node.relation
    name = full(table) if kind in _WHOLE else f"{full(table)}.{node.subname}"
    ours = kind != "OBJECT_INDEX" and context.made.has("table", name_of(table))
    if kind in _PARTS:
        context.made.change(table.relname)
    elif kind in _WHOLE:
        _forget(table.relname, node.newname, context)
    which = RENAME_NEW if ours else RENAME
    odd = doubts([node.newname], context) + (doubts(name_of(table), context) if not ours else [])
    return [found(which, name, *_new(kind, table, node.newname), object=name, new=node.newname), *sentences(odd)]


_NAMED = frozenset({"OBJECT_SCHEMA", "OBJECT_TYPE", "OBJECT_DOMAIN"})


def _new(kind: str, table: Tree, newname: str) -> list[str]:
    """The new name is touched too: a scope must cover where a table goes."""
    schema = full(table).rpartition(".")[0]
    return [f"{schema}.{newname}" if kind in _WHOLE else f"{full(table)}.{newname}"]


def _forget(old: str, new: str, context: Context) -> None:
    for bare in (old, new):
        context.made.change(bare, moved=True)
    for kind in _KINDS:
        context.made.forget(kind, old)
        context.made.forget(kind, new)


def move(node: Tree, context: Context) -> list[Finding]:
    context.made.clear()
    context.made.change(node.relation.relname, moved=True)
    if not node.relation.relname:
        return [unknown("moving this is not on the list")]
    name = full(node.relation)
    odd = sentences([*doubts(name_of(node.relation), context), *doubts([node.newschema], context)])
    return [found(MOVE, name, f"{node.newschema}.{node.relation.relname}", object=name, new=node.newschema), *odd]
