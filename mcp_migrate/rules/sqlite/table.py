"""Which things can a SQLite statement do to tables, columns and what belongs to them, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

_ALTER = "https://sqlite.org/lang_altertable.html"
_CREATE = "https://sqlite.org/lang_createtable.html"
_INDEX = "https://sqlite.org/lang_createindex.html"
_WRITE = "WRITE"

CREATE_TABLE = rule(
    "create-table",
    "A new table",
    "additive",
    "Creates the table {object}; nothing uses it yet.",
    _WRITE,
    rationale="A table nobody knows cannot break code that is running.",
    source=_CREATE,
    flags=("CREATE TABLE items (id INTEGER PRIMARY KEY)", "CREATE TABLE items (a INTEGER) STRICT"),
    passes=("CREATE VIEW items AS SELECT 1",),
)
CREATE_VIEW = rule(
    "create-view",
    "A new view",
    "additive",
    "Makes the view {object}; nothing uses it yet.",
    _WRITE,
    of="view",
    rationale="A view holds no rows and nobody reads it yet.",
    source="https://sqlite.org/lang_createview.html",
    flags=("CREATE VIEW names AS SELECT id, upper(name) FROM users",),
    passes=("CREATE TABLE names AS SELECT name FROM users",),
)
CREATE_INDEX = rule(
    "create-index",
    "An index",
    "additive",
    "Indexes {object}; nobody else can write to the file until that is done.",
    _WRITE,
    scans=True,
    rationale="It reads each row once. SQLite has one writer at a time, so other writes wait that long.",
    source=_INDEX,
    flags=("CREATE INDEX i ON users (name)",),
    passes=("CREATE UNIQUE INDEX i ON users (name)",),
)
UNIQUE_INDEX = rule(
    "create-unique-index",
    "A unique index on a table in use",
    "breaking",
    "Allows each value in {object} once: it fails where there are duplicates and may reject what old code writes.",
    _WRITE,
    scans=True,
    rationale="Rows that are there may hold a value twice, and code that is running may write one twice.",
    source=f"{_INDEX}#unique_indexes",
    flags=("CREATE UNIQUE INDEX i ON users (name)",),
    passes=("CREATE INDEX i ON users (name)", "CREATE TABLE t (a);\nCREATE UNIQUE INDEX i ON t (a)"),
)
COMPUTED_INDEX = rule(
    "create-computed-index",
    "An index on an expression or a part of a table in use",
    "breaking",
    "Each write to {object} computes it: a row for which that fails is rejected from then on.",
    _WRITE,
    scans=True,
    rationale="What an index computes runs in each write: an error in it is an error in code that never asked for it.",
    source="https://sqlite.org/expridx.html",
    flags=("CREATE INDEX i ON users (lower(name))", "CREATE INDEX i ON users (name) WHERE id > 1"),
    passes=("CREATE INDEX i ON users (name DESC)",),
)
ADD_COLUMN = rule(
    "add-column",
    "A new column",
    "additive",
    "Adds {object}; rows are not rewritten and old code may go on without it.",
    _WRITE,
    of="column",
    rationale="Only the text of the schema changes; rows that are there answer with the default.",
    source=f"{_ALTER}#alter_table_add_column",
    flags=("ALTER TABLE users ADD COLUMN nick TEXT", "ALTER TABLE users ADD COLUMN nick TEXT DEFAULT 'x' NOT NULL"),
    passes=("ALTER TABLE users ADD COLUMN nick TEXT NOT NULL",),
)
REQUIRED = rule(
    "add-required-column",
    "A new column that must be filled",
    "additive breaking",
    "Adds {object}, which must not be null and has no default: it fails where there are rows, and old code can no"
    " longer insert.",
    _WRITE,
    of="column",
    rationale="Code that is running does not give the new value, so each of its inserts is rejected.",
    source=f"{_ALTER}#alter_table_add_column",
    flags=("ALTER TABLE users ADD COLUMN nick TEXT NOT NULL",),
    passes=("ALTER TABLE users ADD COLUMN nick TEXT NOT NULL DEFAULT ''",),
)
RESTRICTED = rule(
    "add-constrained-column",
    "A new column with a constraint",
    "additive breaking",
    "Adds {object} with a constraint that is checked on each row and may reject what old code writes.",
    _WRITE,
    of="column",
    scans=True,
    rationale="A CHECK, a computed value or a reference with a default is tested on old rows and on each new one.",
    source=f"{_ALTER}#alter_table_add_column",
    flags=(
        "ALTER TABLE users ADD COLUMN n INTEGER CHECK (id > 3)",
        "ALTER TABLE users ADD COLUMN owner INTEGER DEFAULT 1 REFERENCES orders (id)",
    ),
    passes=("ALTER TABLE users ADD COLUMN owner INTEGER REFERENCES orders (id)",),
)
COMPUTED_DEFAULT = rule(
    "add-computed-default",
    "A new column with a default that is computed",
    "additive breaking",
    "Adds {object} with a default that is no constant: SQLite refuses that where there are rows.",
    _WRITE,
    of="column",
    rationale="The default of an added column has to be a constant; on an empty copy it passes, on real rows it fails.",
    source=f"{_ALTER}#alter_table_add_column",
    flags=("ALTER TABLE users ADD COLUMN at TEXT DEFAULT CURRENT_TIMESTAMP",),
    passes=(
        "ALTER TABLE users ADD COLUMN at TEXT DEFAULT '2026'",
        "ALTER TABLE users ADD COLUMN n INTEGER DEFAULT (1)",
    ),
)
DROP_TABLE = rule(
    "drop-table",
    "A table dropped",
    "destructive breaking",
    "Drops {object}, with every row; code that names it fails.",
    _WRITE,
    rationale="The rows are gone, with the table's indexes and triggers.",
    source="https://sqlite.org/lang_droptable.html",
    flags=("DROP TABLE orders", "DROP TABLE IF EXISTS main.[orders]"),
    passes=("CREATE TABLE t (a);\nDROP TABLE t", "DROP VIEW active_users"),
)
DROP_VIEW = rule(
    "drop-view",
    "A view dropped",
    "destructive breaking",
    "Drops the view {object}.",
    _WRITE,
    of="view",
    rationale="Code that reads the view fails; its text is gone.",
    source="https://sqlite.org/lang_dropview.html",
    flags=("DROP VIEW active_users",),
    passes=("DROP TABLE orders",),
)
DROP_COLUMN = rule(
    "drop-column",
    "A column dropped",
    "destructive breaking",
    "Drops {object} with everything in it; code that names it fails.",
    _WRITE,
    of="column",
    rewrites=True,
    rationale="SQLite writes each row anew without the value; nothing brings it back.",
    source=f"{_ALTER}#alter_table_drop_column",
    flags=("ALTER TABLE users DROP COLUMN name",),
    passes=("ALTER TABLE users RENAME COLUMN name TO nick",),
)
DROP_INDEX = rule(
    "drop-index",
    "An index dropped",
    "breaking",
    "Drops the index {object}: queries that used it become slow.",
    _WRITE,
    of="index",
    rationale="A query that was found by the index reads the whole table from then on.",
    source="https://sqlite.org/lang_dropindex.html",
    flags=("DROP INDEX by_email",),
    passes=("CREATE TABLE t (a);\nCREATE INDEX i ON t (a);\nDROP INDEX i",),
)
DROP_UNIQUE = rule(
    "drop-unique-index",
    "A unique index dropped",
    "breaking",
    "Drops the unique index {object}: from then on duplicates are let in, and an upsert that names its columns fails.",
    _WRITE,
    of="index",
    rationale="What the index kept apart may be written twice, and ON CONFLICT on those columns is an error.",
    source="https://sqlite.org/lang_upsert.html",
    flags=("DROP INDEX by_both",),
    passes=("DROP INDEX by_email",),
)
DROP_NEW = rule(
    "drop-new-object",
    "Something this plan made, dropped again",
    "additive",
    "Drops {object}, which this plan made.",
    _WRITE,
    rationale="Nobody's rows can be in it yet but those the plan put there.",
    source="https://sqlite.org/lang_droptable.html",
    flags=("CREATE TABLE t (a);\nDROP TABLE t",),
    passes=("DROP TABLE orders",),
)
RENAME = rule(
    "rename",
    "Another name for something in use",
    "breaking",
    "Renames {object} to {new}: code that uses the old name fails.",
    _WRITE,
    rationale="Code that is running goes on asking for the old name.",
    source=f"{_ALTER}#alter_table_rename",
    flags=("ALTER TABLE users RENAME TO people", "ALTER TABLE users RENAME COLUMN name TO nick"),
    passes=("CREATE TABLE t (a);\nALTER TABLE t RENAME TO u",),
)
RENAME_NEW = rule(
    "rename-new-object",
    "Another name in or for a table this plan made",
    "additive",
    "Renames {object}, which this plan made, to {new}.",
    _WRITE,
    rationale="Nobody knows the first name.",
    source=f"{_ALTER}#alter_table_rename",
    flags=("CREATE TABLE t (a);\nALTER TABLE t RENAME TO u",),
    passes=("ALTER TABLE users RENAME TO people",),
)
