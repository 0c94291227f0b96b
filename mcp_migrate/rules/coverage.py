"""Which checks do other tools make, and what answers each here? Data; the text of the page is made in `docs`.

One check a line: what it is called and what it looks for, in our words, then ``=`` and the ids of our rules, or
``left`` and the reason by its key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LEFT = {
    "charset": "which character set a team uses is its own choice; a change of one is judged like any other",
    "code": "it is about the source of a migration, and here the SQL that it sends is judged",
    "design": "how a new table is best made: nothing that exists is lost, blocked or broken by it",
    "folder": "it is about the order of files; the planner takes the order from Alembic's own history",
    "limits": "the server sets lock and statement timeouts itself, for each target (`limits`)",
    "names": "how things are called is for the team that owns them",
    "own": "who may change which object is told by scopes, not by a rule",
    "queries": "it is about how fast or how well written a query is, and a migration is no report",
    "rows": "how many rows are concerned is counted on the target and shown to the reviewer",
    "run": "a plan is frozen, runs once and is on the record, so it need not be written to be run again",
    "style": "nothing is lost, blocked or broken either way",
}
SOURCES = {
    "Atlas": "https://atlasgo.io/lint/analyzers",
    "strong_migrations": "https://github.com/ankane/strong_migrations",
    "squawk": "https://squawkhq.com/docs/rules",
    "eugene": "https://kaveland.no/eugene/hints.html",
    "django-migration-linter": "https://github.com/3YOURMIND/django-migration-linter",
    "alembic-migration-linter": "https://pypi.org/project/alembic-migration-linter/",
    "pgfence": "https://github.com/flvmnt/pgfence",
    "Bytebase": "https://docs.bytebase.com/sql-review/review-rules",
}

_ATLAS = """
BC101 a table renamed = rename
BC102 a column renamed = rename
CD101 a foreign key dropped = drop-constraint
DS101 a schema dropped = drop-schema drop-database
DS102 a table dropped = drop-table
DS103 a column dropped = drop-column
MF101 a unique index on a column in use = create-unique-index add-constraint
MF102 an index made unique = create-unique-index add-constraint
MF103 a new column that must be filled = add-required-column
MF104 nulls shut out = set-not-null
PG101 an index made without CONCURRENTLY = create-index create-unique-index
PG102 an index dropped without CONCURRENTLY = drop-index
PG103 CONCURRENTLY in a transaction = create-index-concurrently drop-index-concurrently
PG104 a primary key that stops everyone = add-constraint
PG105 a unique constraint that stops everyone = add-constraint
PG110 columns in an order that wastes space = left design
PG301 a type whose change rewrites the table = change-column-type convert-column-type
PG302 a volatile default on a new column = add-column-rewrite
PG303 NOT NULL that scans the table = set-not-null
PG304 a primary key on columns with nulls = add-constraint
PG305 a CHECK that scans the table = add-constraint
MY101 a new column that must be filled = add-required-column
MY102 REFERENCES behind a column, which older servers ignore = add-constrained-column
MY110 MY111 MY112 an enum value removed, moved or put between = change-column-type
MY113 more enum values than fit = copy-column-type change-column-type
MY120 MY121 MY122 a set value removed, moved or put between = change-column-type
MY123 more set values than fit = copy-column-type change-column-type
NM101 to NM106 names that break the convention = left names
LT101 nulls shut out without a default = set-not-null rebuild-table
naming, by the team's pattern = left names
non-linear files of migrations = left folder
"""
_STRONG = """
removing a column = drop-column
changing the type of a column = change-column-type convert-column-type copy-column-type
renaming a column, a table or a schema = rename
creating a table with force = drop-table
adding an auto-incrementing column = add-column-rewrite add-copied-column
adding a stored generated column = add-column-rewrite add-copied-column
adding a column with a volatile default = add-column-rewrite
adding a check constraint = add-constraint
executing SQL directly = not-understood
backfilling data = update-rows
adding an index non-concurrently = create-index
removing an index non-concurrently = drop-index
adding a reference = references-existing-table add-foreign-key
adding a foreign key = add-foreign-key
adding a unique constraint = add-constraint
adding an exclusion constraint = add-constraint
adding a json column, which cannot be compared = left design
setting NOT NULL on an existing column = set-not-null
using change_column_null with a default value = update-rows set-not-null
adding a column with a default value, on old servers = add-column-rewrite
more than three columns in a plain index = left queries
timeouts for locks and statements = left limits
"""
_SQUAWK = """
adding-field-with-default = add-column-rewrite
adding-foreign-key-constraint = add-foreign-key
adding-not-nullable-field = set-not-null
adding-required-field = add-required-column
adding-serial-primary-key-field = add-constrained-column add-column-rewrite
ban-add-composite-attribute = add-attribute
ban-add-enum-value = add-enum-value
ban-alter-database-options = outside
ban-alter-domain-with-add-constraint = restrict-domain
ban-alter-extension = outside
ban-alter-function-options = not-understood
ban-alter-generated-expression = set-expression
ban-alter-identity = change-identity
ban-alter-policy-condition, ban-alter-policy-roles, ban-create-policy = outside
ban-alter-role-options = privileges
ban-alter-row-level-security = row-security
ban-alter-sequence-values = alter-sequence restart-sequence
ban-alter-system-options = outside
ban-alter-view-options = not-understood
ban-char-field = left design
ban-concurrent-index-creation-in-transaction = create-index-concurrently
ban-create-domain-with-constraint = left design
ban-detach-inheritance = change-inheritance
ban-disable-trigger = switch-trigger
ban-drop-column = drop-column
ban-drop-constraint = drop-constraint
ban-drop-database = drop-database
ban-drop-default = drop-default
ban-drop-domain = drop-domain
ban-drop-extension = drop-extension
ban-drop-function, ban-drop-trigger = drop-code
ban-drop-generated-expression = drop-expression
ban-drop-index = drop-index drop-index-concurrently
ban-drop-not-null = drop-not-null
ban-drop-policy = drop-guard
ban-drop-schema = drop-schema
ban-drop-sequence = drop-sequence
ban-drop-table = drop-table
ban-drop-type = drop-type
ban-drop-view = drop-view
ban-duplicate-column-assignments = update-rows
ban-new-write-restriction = add-constraint add-constraint-not-valid set-not-null create-unique-index
ban-replace-view-function = not-understood
ban-replica-identity = replica-identity
ban-revoke = privileges
ban-set-default = set-default
ban-set-schema = set-schema
ban-truncate-cascade = truncate
ban-uncommitted-transaction, transaction-nesting = not-understood
changing-column-type = change-column-type convert-column-type
constraint-missing-not-valid = add-constraint add-foreign-key
disallowed-unique-constraint = add-constraint
identifier-too-long = left names
prefer-bigint-over-int, prefer-bigint-over-smallint, prefer-identity = left design
prefer-repack = vacuum-full cluster
prefer-robust-stmts = left run
prefer-text-field, prefer-timestamptz = left design
renaming-column, renaming-table, renaming-object = rename
require-concurrent-index-creation = create-index create-unique-index
require-concurrent-index-deletion = drop-index
require-concurrent-partition-detach = detach-partition
require-concurrent-reindex = reindex reindex-index
require-enum-value-ordering = left style
require-lock-timeout, require-statement-timeout, require-timeout-settings = left limits
require-table-schema = left names
syntax-error = not-understood
"""
_EUGENE = """
E1 a constraint that is validated at once = add-constraint add-foreign-key
E2 NOT NULL that is checked at once = set-not-null
E3 a new json column = left design
E4 more statements behind a lock that stops everyone = left limits
E5 a type change that rewrites = change-column-type convert-column-type
E6 an index on a table in use = create-index create-unique-index
E7 a unique constraint = add-constraint
E8 an exclusion constraint = add-constraint
E9 a strong lock without a timeout = left limits
E10 a table or index rewritten under a strong lock = rewrite-table vacuum-full cluster reindex
E11 a serial or a stored generated column = add-column-rewrite
W12 several ALTER TABLE where one will do = left style
W13 an enum created = create-enum
W14 a primary key on an index = constraint-using-index
"""
_DJANGO = """
NOT_NULL = add-required-column set-not-null
DROP_COLUMN = drop-column
DROP_TABLE = drop-table
RENAME_COLUMN, RENAME_TABLE = rename
ALTER_COLUMN = change-column-type set-not-null drop-default
ADD_UNIQUE = create-unique-index add-constraint
CREATE_INDEX = create-index
DROP_INDEX = drop-index
REINDEX = reindex
"""
_PYTHON = """
RUNPYTHON and RUNSQL, whether they can be reversed = left run
RUNPYTHON, how its arguments and variables are called = left code
"""
_PGFENCE = """
ADD COLUMN: NOT NULL, generated, volatile defaults = add-required-column add-column-rewrite add-constrained-column
ADD CONSTRAINT: all kinds, NOT VALID, VALIDATE = add-constraint add-constraint-not-valid validate-constraint
ALTER COLUMN: type, NOT NULL, default = change-column-type widen-column-type set-not-null drop-not-null set-default
ALTER TYPE ... ADD VALUE = add-enum-value
data types that are poor choices = left design
CREATE INDEX, DROP INDEX = create-index create-index-concurrently drop-index drop-index-concurrently
DROP, TRUNCATE, DELETE = drop-table drop-schema drop-column truncate delete-rows
ATTACH, DETACH PARTITION = attach-partition detach-partition detach-partition-concurrently
IF EXISTS, IF NOT EXISTS = left run
REFRESH MATERIALIZED VIEW = refresh-materialized-view refresh-materialized-view-concurrently
REINDEX = reindex reindex-index reindex-concurrently
RENAME = rename
triggers made, dropped or switched = not-understood drop-code switch-trigger
timeouts and names of the session = left limits
CONCURRENTLY in a transaction = create-index-concurrently drop-index-concurrently
"""
_BYTEBASE = """
column.add-not-null-require-default, column.set-default-for-not-null = add-required-column
column.auto-increment-must-integer, -must-unsigned, column.current-time-count-limit = left design
column.auto-increment-initial-value = set-auto-increment
column.comment, table.comment, system.comment.length = left style
column.default-disallow-volatile = add-column-rewrite
column.disallow-change, column.disallow-change-type = change-column-type copy-column-type forget-column-attribute
column.disallow-changing-order = copy-column-type
column.disallow-drop, column.disallow-drop-in-index = drop-column
column.disallow-set-charset, table.disallow-set-charset = convert-charset convert-charset-utf8mb4
column.maximum-character-length, -varchar-length, column.no-null, column.require-default = left design
column.required, column.type-disallow-list, table.text-fields-total-length = left design
column.require-charset, table.require-charset, system.charset.allowlist and the same for collations = left charset
database.drop-empty-database = drop-database
engine.mysql.use-innodb = change-engine
index.create-concurrently = create-index create-unique-index
index.key-number-limit, total-number-limit, no-duplicate-column, not-redundant, table.no-duplicate-index = left queries
index.pk-type-limit, primary-key-type-allowlist, type-allow-list, type-no-blob = left design
naming rules = left names
schema.backward-compatibility = drop-table drop-column drop-view rename add-constraint change-column-type
statement.add-check-not-valid = add-constraint
statement.add-foreign-key-not-valid = add-foreign-key
statement.add-column-without-position = add-copied-column
statement.affected-row-limit, insert.row-limit, table.limit-size = left rows
statement.check-set-role-variable = session-rights
statement.create-specify-schema = left names
statement.disallow-add-column-with-default = add-column-rewrite
statement.disallow-add-not-null = set-not-null add-required-column
statement.disallow-commit = not-understood
statement.disallow-cross-db-queries, object-owner-check, table.disallow-ddl, table.disallow-dml = left own
statement.disallow-limit, disallow-order-by, insert.must-specify-column, merge-alter-table = left style
statement.disallow-mix-in-ddl, disallow-mix-in-dml, maximum-statements-in-transaction = left style
statement.disallow-offline-ddl, advice.online-migration = rebuild-table copy-column-type create-blocking-index
statement.disallow-on-del-cascade = add-cascading-foreign-key
statement.disallow-rm-tbl-cascade = drop-table truncate
statement.dml-dry-run, prior-backup-check = left rows
statement.insert.disallow-order-by-rand and rules on joins, plans, filesort and WHERE = left queries
statement.max-execution-time = left limits
statement.non-transactional = create-index-concurrently drop-database
statement.require-algorithm-option, require-lock-option = create-blocking-index copy-column-type
statement.select.no-select-all, where.no-leading-wildcard-like = left queries
statement.where.require = delete-rows update-rows
system.event, function, procedure: disallow-create = not-understood
system.function.disallowed-list = not-understood
system.view.disallow-create = create-view
table.disallow-partition, table.no-foreign-key, table.require-pk = left design
table.disallow-trigger = not-understood
table.drop-naming-convention = drop-table
"""
_TABLES = {
    "Atlas": _ATLAS,
    "strong_migrations": _STRONG,
    "squawk": _SQUAWK,
    "eugene": _EUGENE,
    "django-migration-linter": _DJANGO + _PYTHON.lstrip(),
    "alembic-migration-linter": _DJANGO,
    "pgfence": _PGFENCE,
    "Bytebase": _BYTEBASE,
}


class Row(NamedTuple):
    """One check of one tool: the ids of our rules, or why it is left."""

    tool: str
    check: str
    rules: tuple[str, ...]
    left: str | None = None


def rows() -> Iterator[Row]:
    """Every check of every tool, in the order of `SOURCES`."""
    for tool, table in _TABLES.items():
        for line in table.strip().splitlines():
            check, _, answer = line.partition(" = ")
            first, *words = answer.split()
            yield Row(tool, check, (), LEFT[words[0]]) if first == "left" else Row(tool, check, (first, *words))
