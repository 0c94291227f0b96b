"""What does ALTER TABLE … ADD COLUMN do?"""

from __future__ import annotations

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql.columns import acts, column, foreign_keys
from mcp_migrate.rules.postgresql.names import name_of
from mcp_migrate.rules.postgresql.parser import Tree
from mcp_migrate.rules.postgresql.reading import Reading

ADD_COLUMN = rule(
    "add-column",
    "A new column that no row has to be written for",
    "additive",
    "Adds {object}; rows are not rewritten and old code may go on not knowing it.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="A constant default is kept once for all old rows.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users ADD COLUMN nick text", "ALTER TABLE users ADD COLUMN n integer DEFAULT 3"),
    passes=("ALTER TABLE users ADD COLUMN n bigserial",),
)
REWRITE = rule(
    "add-column-rewrite",
    "A new column with another value in each row",
    "additive blocking",
    "Adds {object} with a value computed for each row: the table is rewritten and nobody can use it meanwhile.",
    "ACCESS EXCLUSIVE",
    of="column",
    scans=True,
    rewrites=True,
    rationale="A value that differs by row is written into each row under the strongest lock.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()",),
    passes=("ALTER TABLE users ADD COLUMN seen timestamptz DEFAULT now()",),
)
REQUIRED = rule(
    "add-required-column",
    "A new column that must be filled",
    "breaking",
    "Adds {object}, which must not be null and has no default: it fails where there are rows, and old code can no"
    " longer insert.",
    "ACCESS EXCLUSIVE",
    of="column",
    rationale="There is no value for old rows, nor for code that does not know the column.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users ADD COLUMN code text NOT NULL",),
    passes=("ALTER TABLE users ADD COLUMN code text NOT NULL DEFAULT ''",),
)
RESTRICTED = rule(
    "add-constrained-column",
    "A new column with a constraint",
    "breaking blocking",
    "Adds {object} with a constraint that is checked on each row and may reject what old code writes.",
    "ACCESS EXCLUSIVE",
    of="column",
    scans=True,
    rationale="The check or index is made under the strongest lock, and later writes must pass it.",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    flags=("ALTER TABLE users ADD COLUMN code text UNIQUE",),
    passes=("ALTER TABLE users ADD COLUMN code text",),
)


def add_column(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    new = column(getattr(command, "def").column_def)
    name = f"{where}.{new.name}"
    if context.made.has("table", name_of(table)):
        return [found(ADD_COLUMN, name), *foreign_keys(new.foreign, name_of(table), context)]
    _distrust(new.foreign, context)
    written = new.filled or Reading.of(getattr(command, "def"), context).fresh
    which = REWRITE if written else ADD_COLUMN
    findings = [found(which, name), *foreign_keys(new.foreign, name_of(table), context)]
    if new.required:
        findings.append(found(REQUIRED, name))
    if new.restricts:
        findings.append(found(RESTRICTED, name))
    return findings


def _distrust(foreign: tuple[Tree, ...], context: Context) -> None:
    """Rows of a table in use may now go when rows of a new table go."""
    for constraint in foreign:
        if acts(constraint):
            context.made.clear()
