"""Is this a step of moving something aside before it is dropped, or of bringing it back? By its shape."""

from __future__ import annotations

import re

from mcp_migrate.rules.postgresql.names import full, member
from mcp_migrate.rules.postgresql.parser import Parsed, Tree

_UNDO, _STAND_IN = "mcp_migrate_undo", "_mcp_migrate_undo"
_MOVED = re.compile(r"u_[0-9a-z]+_\d+(?:_[is]\d+)?")
_HIDDEN = re.compile(r"_mcp_migrate_undo_[0-9a-z]+_\d+_\d+")
_TAKEN_OFF = frozenset({"AT_DropConstraint", "AT_DropNotNull", "AT_AddColumn"})
_PUT_ON = frozenset({"AT_AddConstraint", "AT_SetNotNull"})
_WHOLE = frozenset({"OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_SEQUENCE"})


def moved(kind: str, parsed: Parsed) -> tuple[str, ...] | None:
    """The table or column that a statement of this kind moves, or changes so that it can be moved.

    None where it is no such step, () where it names but a part, or what is called by a name of ours already.
    """
    away, node = kind == "preserve", parsed.node
    if parsed.kind == "alter_object_schema_stmt":
        ours = node.newschema == _UNDO if away else node.relation.schemaname == _UNDO
        return () if ours and _MOVED.fullmatch(node.relation.relname) else None
    if parsed.kind == "rename_stmt":
        return _renamed(node, away=away)
    if parsed.kind == "create_stmt":
        names = [element.column_def.colname for element in node.table_elts]
        return (full(node.relation),) if away and names == [_STAND_IN] else None
    if parsed.kind == "drop_stmt" and away and member("ObjectType", node.remove_type) == "OBJECT_INDEX":
        return () if len(node.objects) == 1 and _plainly(node) else None
    return _altered(node, away=away) if parsed.kind == "alter_table_stmt" else None


def _renamed(node: Tree, *, away: bool) -> tuple[str, ...] | None:
    """To a name of ours, or from one."""
    what = member("ObjectType", node.rename_type)
    if what == "OBJECT_COLUMN":
        ours = _HIDDEN.fullmatch(node.newname if away else node.subname)
        return (f"{full(node.relation)}.{node.subname if away else node.newname}",) if ours else None
    ours = _MOVED.fullmatch(node.newname if away else node.relation.relname)
    if what not in _WHOLE or not ours or node.relation.schemaname == _UNDO:
        return None
    if what != "OBJECT_TABLE":
        return ()
    return (full(node.relation) if away else f"{node.relation.schemaname}.{node.newname}",)


def _altered(node: Tree, *, away: bool) -> tuple[str, ...] | None:
    """What would reach out of it, or keep others waiting, is taken off; a stand-in takes the place of a column."""
    if node.relation.schemaname == _UNDO or len(node.cmds) != 1:
        return None
    command = node.cmds[0].alter_table_cmd
    kind = member("AlterTableType", command.subtype)
    added = getattr(command, "def")
    if kind == "AT_AddColumn" and (added.column_def.constraints or added.column_def.raw_default.WhichOneof("node")):
        return None
    if kind == "AT_AddConstraint" and member("ConstrType", added.constraint.contype) != "CONSTR_FOREIGN":
        return None
    allowed = kind in (_TAKEN_OFF if away else _PUT_ON)
    return (full(node.relation),) if allowed and _plainly(command) else None


def _plainly(node: Tree) -> bool:
    return member("DropBehavior", node.behavior) != "DROP_CASCADE"
