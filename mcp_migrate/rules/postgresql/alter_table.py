"""What does each part of an ALTER TABLE do?"""

from __future__ import annotations

from collections.abc import Callable

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.postgresql.add_column import add_column
from mcp_migrate.rules.postgresql.add_constraint import add_constraint
from mcp_migrate.rules.postgresql.column_type import change_type
from mcp_migrate.rules.postgresql.columns import is_null, is_steady
from mcp_migrate.rules.postgresql.names import full, is_system, member, name_of
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.privileges import OWNER, ROW_SECURITY
from mcp_migrate.rules.postgresql.reading import Reading

ALTER_NEW = rule("alter-new-table", "A change to a table this plan made", "additive", "Changes {object}, made here.")
COMPUTED_DEFAULT = rule(
    "set-computed-default",
    "A default that is computed",
    "breaking",
    "The new default of {object} is computed for each row: inserts that rely on it are rejected when that fails.",
)
SET_DEFAULT = rule(
    "set-default", "A new default", "additive", "Changes what new rows get in {object}.", "ACCESS EXCLUSIVE"
)
DROP_DEFAULT = rule(
    "drop-default",
    "A default taken away",
    "breaking",
    "Old code that does not name {object} no longer gets its default.",
    "ACCESS EXCLUSIVE",
)
DROP_NOT_NULL = rule(
    "drop-not-null",
    "Nulls let in",
    "breaking",
    "Code that reads {object} may now meet nulls.",
    "ACCESS EXCLUSIVE",
)
SET_NOT_NULL = rule(
    "set-not-null",
    "Nulls shut out",
    "blocking breaking",
    "Every row is checked while nobody can use the table, and old code that writes nulls to {object} fails.",
    "ACCESS EXCLUSIVE",
)
VALIDATE = rule(
    "validate-constraint",
    "A constraint checked on old rows",
    "additive",
    "Checks the rows of {object} while others go on reading and writing.",
    "SHARE UPDATE EXCLUSIVE",
)
DROP_CONSTRAINT = rule(
    "drop-constraint",
    "A constraint taken away",
    "breaking",
    "What the constraint {name} of {object} kept true is no longer kept{cascade}.",
    "ACCESS EXCLUSIVE",
)
DROP_COLUMN = rule(
    "drop-column",
    "A column and its data taken away",
    "destructive breaking",
    "Drops {object} with everything in it{cascade}; code that names it fails.",
    "ACCESS EXCLUSIVE",
)


def alter_table(node: Tree, context: Context) -> list[Finding]:
    table = node.relation
    where = full(table)
    if member("ObjectType", node.objtype) != "OBJECT_TABLE" or is_system(name_of(table)):
        kinds = {member("AlterTableType", c.alter_table_cmd.subtype) for c in node.cmds}
        owner = [found(OWNER, where)] if "AT_ChangeOwner" in kinds else []
        other = [unknown("only tables of users are looked into", where)] if kinds != {"AT_ChangeOwner"} else []
        return [*owner, *other]
    findings = Reading.of(node, context).findings()
    for command in node.cmds:
        findings += _command(command.alter_table_cmd, table, where, context)
    return findings


def _command(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    kind = member("AlterTableType", command.subtype)
    handler = _HANDLERS.get(kind)
    if handler is None:
        what = "".join(f" {c.lower()}" if c.isupper() else c for c in kind.removeprefix("AT_"))
        return [unknown(f"the change{what} is not on the list", where)]
    return handler(command, table, where, context)


def _simple(on_new: str, command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name = f"{where}.{command.name}"
    if context.made.has("table", name_of(table)):
        return [found(ALTER_NEW, name)]
    return [found({"drop": DROP_NOT_NULL, "set": SET_NOT_NULL}[on_new], name)]


def _drop_not_null(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    return _simple("drop", command, table, where, context)


def _set_not_null(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    return _simple("set", command, table, where, context)


def _default(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name = f"{where}.{command.name}"
    if context.made.has("table", name_of(table)):
        return [found(SET_DEFAULT, name)]
    default = getattr(command, "def")
    if not command.HasField("def") or is_null(default):
        return [found(DROP_DEFAULT, name)]
    return [found(SET_DEFAULT, name), *([] if is_steady(default) else [found(COMPUTED_DEFAULT, name)])]


def _validate(_command: Tree, _table: Tree, where: str, _context: Context) -> list[Finding]:
    return [found(VALIDATE, where)]


def _cascade(command: Tree) -> str:
    return (
        ", and by CASCADE all that depends on it" if member("DropBehavior", command.behavior) == "DROP_CASCADE" else ""
    )


def _drop_constraint(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    cascade = _cascade(command)
    if context.made.has("table", name_of(table)) and not cascade:
        return [found(ALTER_NEW, where)]
    return [found(DROP_CONSTRAINT, where, name=command.name, cascade=cascade)]


def _drop_column(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    cascade = _cascade(command)
    if context.made.has("table", name_of(table)) and not cascade:
        return [found(ALTER_NEW, f"{where}.{command.name}")]
    return [found(DROP_COLUMN, f"{where}.{command.name}", cascade=cascade)]


def _owner(_command: Tree, _table: Tree, where: str, _context: Context) -> list[Finding]:
    return [found(OWNER, where)]


def _row_security(_command: Tree, _table: Tree, where: str, _context: Context) -> list[Finding]:
    return [found(ROW_SECURITY, where)]


_HANDLERS: dict[str, Callable[[Tree, Tree, str, Context], list[Finding]]] = {
    "AT_AddColumn": add_column,
    "AT_AddConstraint": add_constraint,
    "AT_AlterColumnType": change_type,
    "AT_ChangeOwner": _owner,
    "AT_ColumnDefault": _default,
    "AT_DropColumn": _drop_column,
    "AT_DropConstraint": _drop_constraint,
    "AT_DropNotNull": _drop_not_null,
    "AT_SetNotNull": _set_not_null,
    "AT_ValidateConstraint": _validate,
    "AT_EnableRowSecurity": _row_security,
    "AT_DisableRowSecurity": _row_security,
    "AT_ForceRowSecurity": _row_security,
    "AT_NoForceRowSecurity": _row_security,
}
