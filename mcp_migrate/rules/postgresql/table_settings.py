"""Which parts of an ALTER TABLE change how a table is kept, and what does each take? A table of them."""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, Rule, found, rule, unknown
from mcp_migrate.rules.postgresql.names import member
from mcp_migrate.rules.postgresql.parser import Tree

_MANUAL = "https://www.postgresql.org/docs/current/sql-altertable.html"
_ALL, _OTHER_DDL, _WRITERS = "ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE ROW EXCLUSIVE"

TUNE = rule(
    "tune-table",
    "Storage settings of a table",
    "additive",
    "Tunes how {object} is kept; reads and writes go on.",
    _OTHER_DDL,
    rationale="Fill factor, statistics and autovacuum settings change no row and no answer.",
    source=_MANUAL,
    flags=(
        "ALTER TABLE users SET (fillfactor = 70)",
        "ALTER TABLE users ALTER COLUMN name SET STATISTICS 500",
        "ALTER TABLE users SET (autovacuum_vacuum_scale_factor = 0.01)",
    ),
    passes=("ALTER TABLE users SET UNLOGGED",),
)
STORAGE = rule(
    "set-column-storage",
    "How a column's new values are stored",
    "additive",
    "Changes how new values of {object} are stored; old ones stay as they are.",
    _ALL,
    of="column",
    rationale="Only a mark is written, under a short lock.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name SET STORAGE EXTERNAL",),
    passes=("ALTER TABLE users ALTER COLUMN name SET STATISTICS 500",),
)
REWRITE_TABLE = rule(
    "rewrite-table",
    "A table written anew",
    "blocking",
    "Copies every row of {object} to new files while nobody can use the table.",
    _ALL,
    scans=True,
    rewrites=True,
    rationale="Another table space or SET LOGGED copies the whole table under the strongest lock.",
    source=_MANUAL,
    flags=("ALTER TABLE users SET LOGGED",),
    passes=("ALTER TABLE users SET (fillfactor = 70)",),
)
UNLOGGED = rule(
    "set-unlogged",
    "A table that a crash empties",
    "breaking blocking",
    "Copies every row of {object} while nobody can use it; from then on a crash empties it and replicas lack it.",
    _ALL,
    scans=True,
    rewrites=True,
    rationale="An unlogged table is truncated after a crash and is not replicated.",
    source=_MANUAL,
    flags=("ALTER TABLE users SET UNLOGGED",),
    passes=("ALTER TABLE users SET LOGGED",),
)
TRIGGERS = rule(
    "switch-trigger",
    "Triggers switched on or off",
    "privilege breaking",
    "Switches triggers of {object}: what they checked, kept or recorded changes.",
    _WRITERS,
    rationale="Triggers guard and audit rows; ALL includes those that hold foreign keys.",
    source=_MANUAL,
    flags=("ALTER TABLE users DISABLE TRIGGER ALL", "ALTER TABLE audited ENABLE REPLICA TRIGGER watch"),
    passes=("ALTER TABLE users CLUSTER ON by_email",),
)
RULES = rule(
    "switch-rule",
    "A rewrite rule switched on or off",
    "privilege breaking",
    "Switches a rule of {object}: statements on it come to mean something else.",
    _ALL,
    rationale="A rule replaces what a statement does.",
    source=_MANUAL,
    flags=("ALTER TABLE users DISABLE RULE keep",),
    passes=("ALTER TABLE users DISABLE TRIGGER watch",),
)
REPLICA = rule(
    "replica-identity",
    "What replicas know a row by",
    "breaking",
    "Changes what logical replicas know rows of {object} by: with too little, updates and deletes fail.",
    _ALL,
    rationale="A published table without an identity rejects updates and deletes.",
    source=_MANUAL,
    flags=("ALTER TABLE users REPLICA IDENTITY NOTHING",),
    passes=("ALTER TABLE users CLUSTER ON by_email",),
)
TYPED = rule(
    "typed-table",
    "A table tied to a type, or freed",
    "breaking",
    "Ties {object} to a composite type, or frees it: changes of the type change the table.",
    _ALL,
    source=_MANUAL,
    rationale="A typed table follows its type.",
    flags=("ALTER TABLE users NOT OF",),
    passes=("ALTER TABLE users CLUSTER ON by_email",),
)
IDENTITY = rule(
    "change-identity",
    "How a column numbers its rows",
    "breaking",
    "Changes how {object} gets its numbers: inserts that rely on the old way may fail or repeat a number.",
    _ALL,
    of="column",
    rationale="ALWAYS rejects numbers that old code sends; without identity they must be sent; a restart repeats them.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",),
    passes=("ALTER TABLE users ALTER COLUMN id SET STATISTICS 100",),
)
EXPRESSION = rule(
    "set-expression",
    "A generated column computed another way",
    "destructive breaking blocking",
    "Computes {object} anew for every row while nobody can use the table; the old values are lost.",
    _ALL,
    of="column",
    scans=True,
    rewrites=True,
    rationale="Stored values are overwritten (PostgreSQL 17 and later).",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name SET EXPRESSION AS (lower(email))",),
    passes=("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",),
)
PLAIN_COLUMN = rule(
    "drop-expression",
    "A generated column made plain",
    "breaking",
    "{object} keeps its values and is no longer computed: new rows get nothing there.",
    _ALL,
    of="column",
    undo="no",
    rationale="Code that relied on the computed value now has to write it.",
    source=_MANUAL,
    flags=("ALTER TABLE users ALTER COLUMN name DROP EXPRESSION",),
    passes=("ALTER TABLE users ALTER COLUMN name DROP NOT NULL",),
)
ALTER_CONSTRAINT = rule(
    "alter-constraint",
    "When or whether a constraint is checked",
    "breaking",
    "Changes when, or whether, the constraint {name} of {object} is checked.",
    _ALL,
    rationale="A deferred check fails at commit; one that is not enforced keeps nothing true.",
    source=_MANUAL,
    flags=("ALTER TABLE orders ALTER CONSTRAINT fk DEFERRABLE INITIALLY DEFERRED",),
    passes=("ALTER TABLE orders VALIDATE CONSTRAINT fk",),
)
_COLUMN = {
    "AT_SetStatistics": TUNE,
    "AT_SetOptions": TUNE,
    "AT_ResetOptions": TUNE,
    "AT_SetStorage": STORAGE,
    "AT_SetCompression": STORAGE,
    "AT_AddIdentity": IDENTITY,
    "AT_SetIdentity": IDENTITY,
    "AT_DropIdentity": IDENTITY,
    "AT_SetExpression": EXPRESSION,
    "AT_DropExpression": PLAIN_COLUMN,
}
_TABLE = {
    "AT_SetRelOptions": TUNE,
    "AT_ResetRelOptions": TUNE,
    "AT_ClusterOn": TUNE,
    "AT_DropCluster": TUNE,
    "AT_SetLogged": REWRITE_TABLE,
    "AT_SetUnLogged": UNLOGGED,
    "AT_SetTableSpace": REWRITE_TABLE,
    "AT_SetAccessMethod": REWRITE_TABLE,
    "AT_AddOf": TYPED,
    "AT_DropOf": TYPED,
    "AT_ReplicaIdentity": REPLICA,
    "AT_EnableRule": RULES,
    "AT_EnableAlwaysRule": RULES,
    "AT_EnableReplicaRule": RULES,
    "AT_DisableRule": RULES,
} | dict.fromkeys(
    (
        "AT_EnableTrig AT_EnableAlwaysTrig AT_EnableReplicaTrig AT_DisableTrig AT_EnableTrigAll AT_DisableTrigAll"
        " AT_EnableTrigUser AT_DisableTrigUser"
    ).split(),
    TRIGGERS,
)
SETTINGS: dict[str, Rule] = _COLUMN | _TABLE
"""What each kind of change is, by its name in the grammar."""


def setting(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    kind = member("AlterTableType", command.subtype)
    which = SETTINGS[kind]
    if kind in {"AT_SetExpression", "AT_DropExpression"}:
        context.made.change(table.relname)
    name = f"{where}.{command.name}" if kind in _COLUMN and command.name else where
    strange = kind == "AT_SetAccessMethod" and command.name not in {"heap", ""}
    return [found(which, name), *([unknown("only the access method heap is looked into", where)] if strange else [])]


def alter_constraint(command: Tree, _table: Tree, where: str, _context: Context) -> list[Finding]:
    return [found(ALTER_CONSTRAINT, where, name=getattr(command, "def").atalter_constraint.conname)]
