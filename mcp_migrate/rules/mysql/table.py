"""Which things can a statement do to tables and what is in them, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

MANUAL = "https://dev.mysql.com/doc/refman/8.4/en/"
ONLINE = MANUAL + "innodb-online-ddl-operations.html"

CREATE_TABLE = rule(
    "create-table",
    "A new table",
    "additive",
    "Creates the table {object}; nothing uses it yet.",
    "METADATA",
    transactional=False,
    rationale="Nothing can depend on a table that was not there.",
    source=MANUAL + "create-table.html",
    flags=("CREATE TABLE items (id INT PRIMARY KEY)",),
    passes=("DROP TABLE users",),
)
CREATE_VIEW = rule(
    "create-view",
    "A new view",
    "additive",
    "Makes the view {object}; nothing uses it yet.",
    "METADATA",
    of="view",
    transactional=False,
    rationale="A view that runs with the rights of its reader gives nobody anything.",
    source=MANUAL + "create-view.html",
    flags=("CREATE SQL SECURITY INVOKER VIEW v AS SELECT id FROM users",),
    passes=("DROP VIEW active_users",),
)
DEFINER = rule(
    "security-definer",
    "Code that runs as its owner",
    "privilege unknown",
    "{object} runs with the rights of whoever defines it, not of whoever uses it.",
    "METADATA",
    of="view",
    transactional=False,
    rationale=(
        "A view or routine with SQL SECURITY DEFINER (the default) shows its readers what they may not read themselves."
    ),
    source=MANUAL + "stored-objects-security.html",
    flags=("CREATE VIEW v AS SELECT id FROM users",),
    passes=("CREATE SQL SECURITY INVOKER VIEW v AS SELECT id FROM users",),
)
CREATE_INDEX = rule(
    "create-index",
    "An index on a table in use",
    "additive",
    "Indexes {object}: every row is read; reads and writes go on.",
    "METADATA",
    scans=True,
    transactional=False,
    rationale=("InnoDB builds a secondary index in place; a long build still holds up other DDL and delays replicas."),
    source=ONLINE,
    flags=("CREATE INDEX i ON users (name)",),
    passes=("CREATE UNIQUE INDEX i ON users (name)",),
)
SLOW_INDEX = rule(
    "create-blocking-index",
    "An index that stops writes",
    "additive blocking",
    "Indexes {object}; writes wait until that is done.",
    "TABLE COPY",
    scans=True,
    transactional=False,
    rationale=("FULLTEXT and SPATIAL indexes, and LOCK=SHARED or EXCLUSIVE, keep writers out while every row is read."),
    source=ONLINE,
    flags=("CREATE FULLTEXT INDEX i ON users (name)",),
    passes=("CREATE INDEX i ON users (name)",),
)
UNIQUE_INDEX = rule(
    "create-unique-index",
    "A unique index on a table in use",
    "breaking",
    ("Allows each value in {object} once: it fails where there are duplicates and may reject what old code writes."),
    "METADATA",
    scans=True,
    transactional=False,
    rationale="Old code that writes a second row with the same value fails from then on.",
    source=ONLINE,
    flags=("CREATE UNIQUE INDEX i ON users (name)",),
    passes=("CREATE INDEX i ON users (name)",),
)
ADD_COLUMN = rule(
    "add-column",
    "A new column",
    "additive",
    "Adds {object}; old code may go on without it.",
    "METADATA",
    of="column",
    transactional=False,
    rationale="InnoDB adds a plain column at once (INSTANT), without touching rows.",
    source=ONLINE,
    flags=("ALTER TABLE users ADD COLUMN nick VARCHAR(50)",),
    passes=("ALTER TABLE users DROP COLUMN name",),
)
REQUIRED = rule(
    "add-required-column",
    "A new column that must be filled",
    "additive breaking",
    (
        "Adds {object}, which must not be null and has no default: old rows get an implied value and old"
        " code can no longer insert."
    ),
    "METADATA",
    of="column",
    transactional=False,
    rationale="In strict mode an INSERT that does not name the column fails.",
    source=MANUAL + "data-type-defaults.html",
    flags=("ALTER TABLE users ADD COLUMN nick VARCHAR(50) NOT NULL",),
    passes=("ALTER TABLE users ADD COLUMN nick VARCHAR(50) NOT NULL DEFAULT ''",),
)
RESTRICTED = rule(
    "add-constrained-column",
    "A new column with a constraint",
    "additive breaking",
    "Adds {object} with a constraint that may reject what old code writes.",
    "METADATA",
    of="column",
    scans=True,
    transactional=False,
    rationale="A unique, checked or referring column can fail on old rows and on old code.",
    source=ONLINE,
    flags=("ALTER TABLE users ADD COLUMN n INT UNIQUE",),
    passes=("ALTER TABLE users ADD COLUMN n INT",),
)
COPYING_COLUMN = rule(
    "add-copied-column",
    "A new column that copies the table",
    "additive blocking",
    "Adds {object} by copying the table; writes wait meanwhile.",
    "TABLE COPY",
    of="column",
    rewrites=True,
    transactional=False,
    rationale=(
        "A stored generated or auto-increment column, ALGORITHM=COPY and LOCK=SHARED keep writers out "
        "while every row is written again."
    ),
    source=ONLINE,
    flags=("ALTER TABLE users ADD COLUMN n INT GENERATED ALWAYS AS (id + 1) STORED",),
    passes=("ALTER TABLE users ADD COLUMN n INT GENERATED ALWAYS AS (id + 1) VIRTUAL",),
)
ADD_CONSTRAINT = rule(
    "add-constraint",
    "A constraint that old rows are checked against",
    "blocking breaking",
    ("Constrains {object}: the table is copied while writes wait, and what old code writes may be rejected."),
    "TABLE COPY",
    scans=True,
    rewrites=True,
    transactional=False,
    rationale=(
        "With foreign_key_checks on, adding a foreign key or a check copies the table, and rows that "
        "break it fail the statement."
    ),
    source=ONLINE,
    flags=("ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",),
    passes=("ALTER TABLE orders ADD INDEX f (user_id)",),
)
CASCADING = rule(
    "add-cascading-foreign-key",
    "A foreign key that changes or deletes rows",
    "breaking",
    "From then on a change or delete of what {object} points to changes or deletes its rows.",
    transactional=False,
    rationale="Code that deletes a parent row now deletes more than it says.",
    source=MANUAL + "create-table-foreign-keys.html",
    flags=("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",),
    passes=("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)",),
)
NEW_CONSTRAINT = rule(
    "change-new-table",
    "A table of this plan changed",
    "additive",
    "Changes {object}, which this plan made.",
    "METADATA",
    transactional=False,
    rationale="Nothing can depend on a table that the same plan made.",
    source=ONLINE,
    flags=("CREATE TABLE items (id INT);\nALTER TABLE items ADD CHECK (id > 0)",),
    passes=("ALTER TABLE users ADD CHECK (id > 0)",),
)
DROP_CONSTRAINT = rule(
    "drop-constraint",
    "A constraint taken away",
    "breaking",
    "Drops {name} of {object}: what it kept out is let in.",
    "METADATA",
    transactional=False,
    rationale="Code that trusts the constraint finds rows it does not expect.",
    source=ONLINE,
    flags=("ALTER TABLE orders DROP FOREIGN KEY f",),
    passes=("ALTER TABLE orders ADD INDEX f (user_id)",),
)
DROP_KEY = rule(
    "drop-primary-key",
    "A primary key taken away",
    "blocking breaking",
    "Drops the primary key of {object}: the table is copied while writes wait.",
    "TABLE COPY",
    rewrites=True,
    transactional=False,
    rationale="Without a primary key replicas look for each row by scanning the table.",
    source=ONLINE,
    flags=("ALTER TABLE users DROP PRIMARY KEY",),
    passes=("ALTER TABLE users DROP INDEX i",),
)
DROP_INDEX = rule(
    "drop-index",
    "An index taken away",
    "breaking",
    ("Drops the index {name} of {object}: if it was unique, duplicates are let in; queries may become slow."),
    "METADATA",
    transactional=False,
    rationale="Queries that used it scan the table.",
    source=ONLINE,
    flags=("DROP INDEX i ON users",),
    passes=("CREATE INDEX i ON users (name)",),
)
DROP_TABLE = rule(
    "drop-table",
    "A table taken away",
    "destructive breaking",
    "Drops the table {object}, with every row; code that names it fails.",
    "METADATA EXCLUSIVE",
    of="table",
    transactional=False,
    rationale="DROP commits at once and nothing takes it back.",
    source=MANUAL + "drop-table.html",
    flags=("DROP TABLE users",),
    passes=("CREATE TABLE items (id INT)",),
)
DROP_VIEW = rule(
    "drop-view",
    "A view taken away",
    "destructive breaking",
    "Drops the view {object}; code that names it fails.",
    "METADATA EXCLUSIVE",
    of="view",
    transactional=False,
    rationale="DROP commits at once and nothing takes it back.",
    source=MANUAL + "drop-view.html",
    flags=("DROP VIEW active_users",),
    passes=("CREATE TABLE items (id INT)",),
)
DROP_DATABASE = rule(
    "drop-database",
    "A database taken away",
    "destructive breaking",
    "Drops the database {object}, with every row; code that names it fails.",
    "METADATA EXCLUSIVE",
    of="database",
    transactional=False,
    rationale="DROP commits at once and nothing takes it back.",
    source=MANUAL + "drop-database.html",
    flags=("DROP DATABASE shop",),
    passes=("CREATE TABLE items (id INT)",),
)
DROP_COLUMN = rule(
    "drop-column",
    "A column and its data taken away",
    "destructive breaking",
    "Drops {object} with everything in it; code that names it fails.",
    "METADATA",
    of="column",
    transactional=False,
    rationale="DDL commits at once: the values are gone.",
    source=ONLINE,
    flags=("ALTER TABLE users DROP COLUMN name",),
    passes=("ALTER TABLE users ADD COLUMN nick INT",),
)
DROP_CODE = rule(
    "drop-code",
    "Code in the database taken away",
    "breaking unknown",
    "Drops {object}; what it did is not known here.",
    "METADATA",
    of="code",
    transactional=False,
    rationale="What a trigger, routine or event kept in order is no longer kept.",
    source=MANUAL + "drop-trigger.html",
    flags=("DROP TRIGGER watch",),
    passes=("DROP VIEW active_users",),
)
