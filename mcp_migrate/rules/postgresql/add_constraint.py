"""What does ALTER TABLE … ADD CONSTRAINT do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule, unknown
from mcp_migrate.rules.postgresql.columns import acts, foreign_keys, kind_of
from mcp_migrate.rules.postgresql.names import name_of
from mcp_migrate.rules.postgresql.not_null import learn
from mcp_migrate.rules.postgresql.parser import Tree, copy, enum, new, render

ADD_TO_NEW = rule(
    "constrain-new-table",
    "A constraint on a table this plan made",
    "additive",
    "Constrains {object}, which this plan made.",
    rationale="There is no row to check and nobody to wait.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("CREATE TABLE items (id integer);\nALTER TABLE items ADD UNIQUE (id)",),
    passes=("ALTER TABLE users ADD UNIQUE (email)",),
)
NOT_VALID = rule(
    "add-constraint-not-valid",
    "A constraint that old rows are not checked against",
    "breaking blocking",
    "Constrains new rows of {object} at once and may reject what old code writes; old rows are not looked at, so it"
    " takes only a moment.",
    "ACCESS EXCLUSIVE",
    rationale="The lock is short; validate later, without stopping anyone.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE orders ADD CONSTRAINT pos CHECK (total > 0) NOT VALID",),
    passes=("ALTER TABLE orders ADD CONSTRAINT pos CHECK (total > 0)",),
)
ADD_CONSTRAINT = rule(
    "add-constraint",
    "A constraint that old rows are checked against",
    "blocking breaking",
    "Every row of {object} is checked while writers wait; it fails where one does not fit, and may reject what old"
    " code writes.",
    "ACCESS EXCLUSIVE",
    scans=True,
    rationale="The scan, or the building of an index, holds the strongest lock.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE orders ADD CONSTRAINT pos CHECK (total > 0)", "ALTER TABLE users ADD UNIQUE (email)"),
    passes=("ALTER TABLE orders ADD CONSTRAINT pos CHECK (total > 0) NOT VALID",),
)
CASCADES = rule(
    "add-cascading-foreign-key",
    "A foreign key that changes or deletes rows",
    "breaking",
    "From now on deleting or changing rows that {object} points to changes its rows too.",
    "SHARE ROW EXCLUSIVE",
    rationale="A delete somewhere else now reaches these rows.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",),
    passes=("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id)",),
)
USING_INDEX = rule(
    "constraint-using-index",
    "A constraint on an index that is there",
    "breaking",
    "Makes the index {index} of {object} a constraint; the index is not built again.{nulls}",
    "ACCESS EXCLUSIVE",
    rationale="A unique index made concurrently before spares the build under the lock; a primary key shuts nulls out.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users ADD CONSTRAINT one UNIQUE USING INDEX one_email",),
    passes=("ALTER TABLE users ADD CONSTRAINT one UNIQUE (email)",),
)
FOREIGN_KEY = rule(
    "add-foreign-key",
    "A foreign key that old rows are checked against",
    "blocking breaking",
    "Every row of {object} is checked while writers of both tables wait; it fails where one does not fit, and may"
    " reject what old code writes.",
    "SHARE ROW EXCLUSIVE",
    scans=True,
    rationale="Both tables take no writes until the last row is checked.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id)",),
    passes=("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",),
)
FOREIGN_NOT_VALID = rule(
    "add-foreign-key-not-valid",
    "A foreign key that old rows are not checked against",
    "breaking blocking",
    "Constrains new rows of {object} at once and may reject what old code writes; old rows are not looked at, so it"
    " takes only a moment.",
    "SHARE ROW EXCLUSIVE",
    rationale="The lock is short; validate later, without stopping anyone.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",),
    passes=("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id)",),
)
_KNOWN = frozenset("CONSTR_CHECK CONSTR_FOREIGN CONSTR_UNIQUE CONSTR_PRIMARY CONSTR_NOTNULL CONSTR_EXCLUSION".split())
_LATER = frozenset({"CONSTR_CHECK", "CONSTR_FOREIGN", "CONSTR_NOTNULL"})


def add_constraint(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    constraint = getattr(command, "def").constraint
    kind = kind_of(constraint)
    if kind not in _KNOWN:
        return [unknown("this kind of constraint is not looked into", where)]
    learn(constraint, table, context)
    foreign = [constraint] if kind == "CONSTR_FOREIGN" else []
    findings = list(foreign_keys(foreign, name_of(table), context))
    if context.made.has("table", name_of(table)):
        return [found(ADD_TO_NEW, where), *findings]
    if foreign and acts(constraint):
        context.made.clear()
        findings.append(found(CASCADES, where))
    if constraint.indexname:
        nulls = " Rows are scanned for nulls where the columns may hold them." if kind == "CONSTR_PRIMARY" else ""
        return [found(USING_INDEX, where, index=constraint.indexname, nulls=nulls), *findings]
    if kind in _LATER and constraint.skip_validation:
        return [found(FOREIGN_NOT_VALID if foreign else NOT_VALID, where), *findings]
    cascades = [f for f in findings if f.rule is CASCADES]
    objects = dict.fromkeys(name for f in findings for name in f.objects if name != where)
    return [
        found(
            FOREIGN_KEY if foreign else ADD_CONSTRAINT, where, *objects, object=where, safer=_later(constraint, table)
        ),
        *cascades,
    ]


def _later(constraint: Tree, table: Tree) -> str | None:
    """The same in two steps: new rows first, old rows without stopping anyone."""
    if kind_of(constraint) not in _LATER or not constraint.conname:
        return None
    added = copy(constraint)
    added.skip_validation, added.initially_valid = True, False
    first = render("alter_table_stmt", _alter(table, "AT_AddConstraint", constraint=added))
    second = render("alter_table_stmt", _alter(table, "AT_ValidateConstraint", name=constraint.conname))
    return f"{first};\n{second};" if first and second else None


def _alter(table: Tree, subtype: str, *, name: str = "", constraint: Tree | None = None) -> Tree:
    statement = new("AlterTableStmt")
    statement.objtype = enum("ObjectType").Value("OBJECT_TABLE")
    statement.relation.CopyFrom(table)
    command = statement.cmds.add().alter_table_cmd
    command.subtype = enum("AlterTableType").Value(subtype)
    command.behavior = enum("DropBehavior").Value("DROP_RESTRICT")
    command.name = name
    if constraint is not None:
        getattr(command, "def").constraint.CopyFrom(constraint)
    return statement
