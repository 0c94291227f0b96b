"""What does letting nulls in, or shutting them out, do? A check that is already kept spares the scan."""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql.names import full, member, name_of, words
from mcp_migrate.rules.postgresql.parser import Tree, enum, new, parse, render

_MANUAL = "https://www.postgresql.org/docs/current/sql-altertable.html"
_CHECKED = "ALTER TABLE users ADD CONSTRAINT k CHECK (name IS NOT NULL) NOT VALID"
_SET = "ALTER TABLE users ALTER COLUMN name SET NOT NULL"
DROP_NOT_NULL = rule(
    "drop-not-null",
    "Nulls let in",
    "breaking",
    "Code that reads {object} may now meet nulls.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="Code that never met a null may fail on the first one.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name DROP NOT NULL",),
    passes=("ALTER TABLE users ALTER COLUMN name DROP DEFAULT",),
)
SET_NOT_NULL = rule(
    "set-not-null",
    "Nulls shut out",
    "blocking breaking",
    "Every row is checked while nobody can use the table, and old code that writes nulls to {object} fails.",
    "ACCESS EXCLUSIVE",
    of="column",
    scans=True,
    rationale="The scan holds the strongest lock; old code that writes nulls fails from then on.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name SET NOT NULL",),
    passes=("ALTER TABLE users ALTER COLUMN name DROP NOT NULL",),
)
SET_PROVEN = rule(
    "set-not-null-proven",
    "Nulls shut out, as a check already does",
    "additive",
    "A validated check already keeps nulls out of {object}: no row is looked at.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="PostgreSQL skips the scan where a valid CHECK (column IS NOT NULL) proves it.",
    source=_MANUAL,
    flags=(f"{_CHECKED};\nALTER TABLE users VALIDATE CONSTRAINT k;\n{_SET}",),
    passes=(f"{_CHECKED};\n{_SET}",),
)


def set_not_null(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name = f"{where}.{command.name}"
    if _proven(table, command.name, context):
        return [found(SET_PROVEN, name)]
    return [found(SET_NOT_NULL, name, safer=_steps(table, command.name))]


def drop_not_null(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    context.made.change(table.relname)
    return [found(DROP_NOT_NULL, f"{where}.{command.name}")]


def learn(constraint: Tree, table: Tree, context: Context) -> None:
    """Remember a check that says no more than that a column is not null."""
    kind = member("ConstrType", constraint.contype)
    column = only_not_null(constraint.raw_expr) if kind == "CONSTR_CHECK" else ""
    if kind == "CONSTR_NOTNULL":
        column = words(constraint.keys)[0] if len(constraint.keys) == 1 else ""
    if column and constraint.conname and constraint.is_enforced and not constraint.is_no_inherit:
        context.made.check(name_of(table), constraint.conname, column, validated=not constraint.skip_validation)


def only_not_null(expression: Tree) -> str:
    """The column of ``column IS NOT NULL``, or nothing."""
    test = expression.null_test
    fields = test.arg.column_ref.fields
    if member("NullTestType", test.nulltesttype) != "IS_NOT_NULL" or len(fields) != 1:
        return ""
    return str(fields[0].string.sval)


def _proven(table: Tree, column: str, context: Context) -> bool:
    if context.made.proves(name_of(table), column):
        return True
    known = context.shape(full(table))
    held = known.column(column) if known else None
    if known is None or held is None:
        return False
    checks = [c.definition for c in known.constraints if c.kind == "check" and c.columns == (column,)]
    return not held.nullable or any(_says_so(text, column) for text in checks)


def _says_so(definition: str, column: str) -> bool:
    """Read by PostgreSQL's own grammar; one that is not valid, or is not enforced, proves nothing."""
    parsed = parse(f"ALTER TABLE t ADD {definition}")
    if isinstance(parsed, str) or len(parsed.node.cmds) != 1:
        return False
    constraint = getattr(parsed.node.cmds[0].alter_table_cmd, "def").constraint
    kept = constraint.is_enforced and not constraint.skip_validation and not constraint.is_no_inherit
    return bool(kept) and only_not_null(constraint.raw_expr) == column


def _steps(table: Tree, column: str) -> str | None:
    """A check first, kept for new rows at once and for old ones without stopping anyone."""
    name = f"{name_of(table)[1]}_{column}_not_null"
    texts = [
        render("alter_table_stmt", step)
        for step in (
            _step(table, "AT_AddConstraint", check=(name, column)),
            _step(table, "AT_ValidateConstraint", name=name),
            _step(table, "AT_SetNotNull", name=column),
            _step(table, "AT_DropConstraint", name=name),
        )
    ]
    return "\n".join(f"{text};" for text in texts) if all(texts) else None


def _step(table: Tree, subtype: str, *, name: str = "", check: tuple[str, str] | None = None) -> Tree:
    statement = new("AlterTableStmt")
    statement.objtype = enum("ObjectType").Value("OBJECT_TABLE")
    statement.relation.CopyFrom(table)
    command = statement.cmds.add().alter_table_cmd
    command.subtype = enum("AlterTableType").Value(subtype)
    command.behavior = enum("DropBehavior").Value("DROP_RESTRICT")
    command.name = name
    if check:
        constraint = getattr(command, "def").constraint
        constraint.contype = enum("ConstrType").Value("CONSTR_CHECK")
        constraint.conname, constraint.skip_validation, constraint.is_enforced = check[0], True, True
        test = constraint.raw_expr.null_test
        test.nulltesttype = enum("NullTestType").Value("IS_NOT_NULL")
        test.arg.column_ref.fields.add().string.sval = check[1]
    return statement
