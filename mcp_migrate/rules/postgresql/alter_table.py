"""What does each part of an ALTER TABLE do?"""

from __future__ import annotations

from collections.abc import Callable

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.postgresql import kinds
from mcp_migrate.rules.postgresql.add_column import add_column
from mcp_migrate.rules.postgresql.add_constraint import add_constraint
from mcp_migrate.rules.postgresql.cascade import readers, words_of
from mcp_migrate.rules.postgresql.column_type import change_type
from mcp_migrate.rules.postgresql.columns import is_null, is_steady
from mcp_migrate.rules.postgresql.names import full, is_system, member, name_of
from mcp_migrate.rules.postgresql.not_null import drop_not_null, set_not_null
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.partitions import attach, detach, inherit
from mcp_migrate.rules.postgresql.privileges import OWNER, ROW_SECURITY
from mcp_migrate.rules.postgresql.reading import Reading
from mcp_migrate.rules.postgresql.table_settings import SETTINGS, alter_constraint, setting

_MANUAL = "https://www.postgresql.org/docs/current/sql-altertable.html"
ALTER_NEW = rule(
    "alter-new-table",
    "A change to a table this plan made",
    "additive",
    "Changes {object}, made here.",
    rationale="Nobody else can have data in it, or wait for it, yet.",
    source=_MANUAL,
    flags=("CREATE TABLE items (id integer);\nALTER TABLE items ALTER COLUMN id SET NOT NULL",),
    passes=("ALTER TABLE users ALTER COLUMN name SET NOT NULL",),
)
COMPUTED_DEFAULT = rule(
    "set-computed-default",
    "A default that is computed",
    "breaking",
    "The new default of {object} is computed for each row: inserts that rely on it are rejected when that fails.",
    of="column",
    rationale="A default that fails for some row or day rejects the insert.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name SET DEFAULT (1 / 0)",),
    passes=("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",),
)
SET_DEFAULT = rule(
    "set-default",
    "A new default",
    "additive",
    "Changes what new rows get in {object}.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="Only later inserts see it; no row is written.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",),
    passes=("ALTER TABLE users ALTER COLUMN name DROP DEFAULT",),
)
DROP_DEFAULT = rule(
    "drop-default",
    "A default taken away",
    "breaking",
    "Old code that does not name {object} no longer gets its default.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="Inserts that rely on the default get a null, or fail.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name DROP DEFAULT",),
    passes=("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",),
)
VALIDATE = rule(
    "validate-constraint",
    "A constraint checked on old rows",
    "additive",
    "Checks the rows of {object} while others go on reading and writing.",
    "SHARE UPDATE EXCLUSIVE",
    scans=True,
    rationale="The scan takes a weak lock; what is found wrong fails the statement and changes nothing.",
    source=_MANUAL,
    flags=("ALTER TABLE users VALIDATE CONSTRAINT positive",),
    passes=("ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)",),
)
DROP_CONSTRAINT = rule(
    "drop-constraint",
    "A constraint taken away",
    "breaking",
    "What the constraint {name} of {object} kept true is no longer kept{cascade}.",
    "ACCESS EXCLUSIVE",
    rationale="Wrong rows come in unnoticed; putting it back needs every row to fit.",
    source=_MANUAL,
    flags=("ALTER TABLE users DROP CONSTRAINT users_pkey",),
    passes=("ALTER TABLE users VALIDATE CONSTRAINT positive",),
)
DROP_COLUMN = rule(
    "drop-column",
    "A column and its data taken away",
    "destructive breaking",
    "Drops {object} with everything in it{cascade}; code that names it fails.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="The values are gone, and code that still names the column fails.",
    source=_MANUAL,
    flags=("ALTER TABLE users DROP COLUMN email", "ALTER TABLE users DROP email CASCADE"),
    passes=("ALTER TABLE users ALTER COLUMN email DROP NOT NULL",),
)


def alter_table(node: Tree, context: Context) -> list[Finding]:
    table, where, kind = node.relation, full(node.relation), member("ObjectType", node.objtype)
    if kind == "OBJECT_TYPE":
        return kinds.change_attributes(node, context)
    if kind != "OBJECT_TABLE" or is_system(name_of(table)):
        return _not_a_table(node, kind, where, context)
    findings = Reading.of(node, context).findings()
    for command in node.cmds:
        findings += _command(command.alter_table_cmd, table, where, context)
    return findings


def _not_a_table(node: Tree, kind: str, where: str, context: Context) -> list[Finding]:
    commands = [member("AlterTableType", c.alter_table_cmd.subtype) for c in node.cmds]
    findings = [found(OWNER, where)] if "AT_ChangeOwner" in commands else []
    rest = set(commands) - {"AT_ChangeOwner"}
    if kind in _STORED and rest and rest <= _TUNED and not is_system(name_of(node.relation)):
        shown = {SETTINGS[command] for command in sorted(rest)}
        return [*findings, *(found(which, where) for which in shown), *Reading.of(node, context).findings()]
    return [*findings, *([unknown("only tables of users are looked into", where)] if rest else [])]


def _command(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    kind = member("AlterTableType", command.subtype)
    if kind in _PLAIN_ON_NEW and context.made.has("table", name_of(table)):
        return [found(ALTER_NEW, f"{where}.{command.name}" if command.name else where)]
    handler = _HANDLERS.get(kind)
    if handler is None:
        what = "".join(f" {c.lower()}" if c.isupper() else c for c in kind.removeprefix("AT_"))
        return [unknown(f"the change{what} is not on the list", where)]
    return handler(command, table, where, context)


def _default(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name = f"{where}.{command.name}"
    if context.made.has("table", name_of(table)):
        return [found(SET_DEFAULT, name)]
    default = getattr(command, "def")
    if not command.HasField("def") or is_null(default):
        return [found(DROP_DEFAULT, name)]
    return [found(SET_DEFAULT, name), *([] if is_steady(default) else [found(COMPUTED_DEFAULT, name)])]


def _validate(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    context.made.validate(name_of(table), command.name)
    return [found(VALIDATE, where)]


def _cascade(command: Tree) -> str:
    return (
        ", and by CASCADE all that depends on it" if member("DropBehavior", command.behavior) == "DROP_CASCADE" else ""
    )


def _drop_constraint(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    cascade = _cascade(command)
    context.made.change(table.relname)
    if context.made.has("table", name_of(table)) and not cascade:
        return [found(ALTER_NEW, where)]
    return [found(DROP_CONSTRAINT, where, name=command.name, cascade=cascade)]


def _type(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    findings = change_type(command, table, where, context)
    return [found(ALTER_NEW, f"{where}.{command.name}")] if context.made.has("table", name_of(table)) else findings


def _drop_column(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name, cascade = f"{where}.{command.name}", _cascade(command)
    views = readers(where, context) if cascade else ()
    context.made.change(table.relname)
    if context.made.has("table", name_of(table)) and not cascade:
        return [found(ALTER_NEW, name)]
    return [found(DROP_COLUMN, name, *views, object=name, cascade=words_of(views) if cascade else "")]


def _owner(_command: Tree, _table: Tree, where: str, _context: Context) -> list[Finding]:
    return [found(OWNER, where)]


def _row_security(_command: Tree, _table: Tree, where: str, _context: Context) -> list[Finding]:
    return [found(ROW_SECURITY, where)]


_STORED = frozenset({"OBJECT_INDEX", "OBJECT_MATVIEW"})
_TUNED = frozenset(
    "AT_SetRelOptions AT_ResetRelOptions AT_SetStatistics AT_SetOptions AT_ResetOptions AT_ClusterOn".split()
)
_PLAIN_ON_NEW = frozenset(
    "AT_SetNotNull AT_DropNotNull AT_SetLogged AT_SetUnLogged AT_AddIdentity AT_SetIdentity AT_DropIdentity"
    " AT_ReplicaIdentity AT_AlterConstraint AT_SetStorage AT_SetCompression AT_ValidateConstraint"
    " AT_DropExpression".split()
)
"""On a table this plan made these are nothing to anyone."""
_HANDLERS: dict[str, Callable[[Tree, Tree, str, Context], list[Finding]]] = {
    **dict.fromkeys(SETTINGS, setting),
    "AT_AddInherit": inherit,
    "AT_DropInherit": inherit,
    "AT_AlterConstraint": alter_constraint,
    "AT_AttachPartition": attach,
    "AT_DetachPartition": detach,
    "AT_DetachPartitionFinalize": detach,
    "AT_AddColumn": add_column,
    "AT_AddConstraint": add_constraint,
    "AT_AlterColumnType": _type,
    "AT_ChangeOwner": _owner,
    "AT_ColumnDefault": _default,
    "AT_DropColumn": _drop_column,
    "AT_DropConstraint": _drop_constraint,
    "AT_DropNotNull": drop_not_null,
    "AT_SetNotNull": set_not_null,
    "AT_ValidateConstraint": _validate,
    "AT_EnableRowSecurity": _row_security,
    "AT_DisableRowSecurity": _row_security,
    "AT_ForceRowSecurity": _row_security,
    "AT_NoForceRowSecurity": _row_security,
}
