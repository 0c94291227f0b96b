"""Which further things can a statement do to tables, partitions and databases, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

MANUAL = "https://dev.mysql.com/doc/refman/8.4/en/"
ONLINE = MANUAL + "innodb-online-ddl-operations.html"
_RANGES = "CREATE TABLE parts (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))"

ADD_PARTITION = rule(
    "add-partition",
    "A new partition for rows that had no place",
    "additive",
    "Adds a partition to {object}; no row is moved.",
    "METADATA",
    transactional=False,
    rationale="A partition by range or list takes only rows that no other one could take.",
    source=ONLINE,
    flags=("ALTER TABLE users ADD PARTITION (PARTITION p1 VALUES LESS THAN (10))",),
    passes=("ALTER TABLE users ADD PARTITION PARTITIONS 2",),
)
MOVE_PARTITIONS = rule(
    "move-partitions",
    "Rows moved to other partitions",
    "blocking",
    "Writes rows of {object} again ({what}) while writes wait.",
    "TABLE COPY",
    rewrites=True,
    transactional=False,
    rationale="Only LOCK=SHARED is to be had: no row is lost, but writers wait as long as it takes.",
    source=ONLINE,
    flags=("ALTER TABLE users COALESCE PARTITION 2", "ALTER TABLE users REMOVE PARTITIONING"),
    passes=("ALTER TABLE users ADD PARTITION (PARTITION p1 VALUES LESS THAN (10))",),
)
REBUILD_ONLINE = rule(
    "rebuild-table-in-place",
    "A table written again while writes go on",
    "additive",
    "Writes every row of {object} again in place ({what}); reads and writes go on, replicas fall behind.",
    "METADATA",
    rewrites=True,
    transactional=False,
    rationale="It takes time and space for a second table, and other DDL waits.",
    source=ONLINE,
    flags=("ALTER TABLE users FORCE",),
    passes=("ALTER TABLE users COMMENT = 'people'",),
)
ADD_KEY = rule(
    "add-primary-key",
    "A primary key for old rows",
    "breaking",
    "Writes every row of {object} again in the order of the new key; nulls and duplicates are rejected.",
    "METADATA",
    scans=True,
    rewrites=True,
    transactional=False,
    rationale="In strict mode it is built in place while writes go on; code that writes nulls or duplicates fails.",
    source=ONLINE,
    flags=("ALTER TABLE users ADD PRIMARY KEY (id)",),
    passes=("ALTER TABLE users ADD INDEX i (id)",),
)
COPY_ROWS = rule(
    "create-table-from-query",
    "A new table filled from others",
    "additive data",
    "Fills {object} with what the query finds; rows it reads are locked meanwhile.",
    "ROW LOCKS",
    scans=True,
    transactional=False,
    rationale="The rows are a copy that nobody keeps up to date, and the copy may be seen by others than the rows.",
    source=MANUAL + "create-table-select.html",
    flags=("CREATE TABLE items AS SELECT id FROM users",),
    passes=("CREATE TABLE items LIKE users",),
)
CREATE_DATABASE = rule(
    "create-database",
    "A new database",
    "additive",
    "Creates the database {object}; nothing uses it yet.",
    of="database",
    transactional=False,
    rationale="Nothing can depend on a database that was not there.",
    source=MANUAL + "create-database.html",
    flags=("CREATE DATABASE archive",),
    passes=("DROP DATABASE shop",),
)
REPLACE_VIEW = rule(
    "replace-view",
    "A view with another query",
    "breaking",
    "The view {object} shows something else from then on.",
    "METADATA EXCLUSIVE",
    of="view",
    undo="schema",
    transactional=False,
    rationale="Code that reads the view may miss a column or see other rows.",
    source=MANUAL + "alter-view.html",
    flags=("ALTER SQL SECURITY INVOKER VIEW active_users AS SELECT 1",),
    passes=("CREATE SQL SECURITY INVOKER VIEW v AS SELECT id FROM users",),
)
NEW_DEFAULT = rule(
    "change-default",
    "Another default",
    "additive",
    "New rows that do not name {object} get {new} instead of {old}.",
    "METADATA",
    of="column",
    transactional=False,
    rationale="Old code goes on, and writes another value than it did.",
    source=MANUAL + "data-type-defaults.html",
    flags=("ALTER TABLE users MODIFY name VARCHAR(50) DEFAULT 'y'",),
    passes=("ALTER TABLE users MODIFY name VARCHAR(50) DEFAULT 'x'",),
)
COLLATION = rule(
    "change-collation",
    "Other rules for comparing a column",
    "breaking blocking",
    "Values of {object} stay, but are compared and sorted by other rules; the table is copied while writes wait.",
    "TABLE COPY",
    of="column",
    rewrites=True,
    transactional=False,
    rationale="Equal strings may become different or the other way round, which unique keys may reject.",
    source=MANUAL + "charset-collation-effect.html",
    flags=("ALTER TABLE users MODIFY email VARCHAR(50) COLLATE utf8mb4_bin",),
    passes=("ALTER TABLE users MODIFY email VARCHAR(10)",),
)
TRUNCATE = rule(
    "truncate",
    "A table emptied",
    "destructive blocking",
    "Deletes every row of {object}; it commits at once.",
    "METADATA EXCLUSIVE",
    undo="no",
    transactional=False,
    rationale="TRUNCATE drops and makes the table again: no trigger fires and no rollback helps.",
    source=MANUAL + "truncate-table.html",
    flags=("TRUNCATE TABLE orders",),
    passes=("SELECT id FROM orders",),
)
RENAME = rule(
    "rename",
    "Another name for something in use",
    "breaking",
    "Renames {object} to {new}: code that uses the old name fails.",
    "METADATA EXCLUSIVE",
    transactional=False,
    rationale="Old and new code run side by side during a release, and one of them has the wrong name.",
    source=MANUAL + "rename-table.html",
    flags=("RENAME TABLE users TO people",),
    passes=("CREATE TABLE people (id INT)",),
)
RENAME_NEW = rule(
    "rename-new-object",
    "Another name in or for a table this plan made",
    "additive",
    "Renames {object}, which this plan made, to {new}.",
    "METADATA",
    transactional=False,
    rationale="Nobody else can have used the old name.",
    source=MANUAL + "rename-table.html",
    flags=("CREATE TABLE items (id INT);\nRENAME TABLE items TO things",),
    passes=("RENAME TABLE users TO people",),
)
DROP_NEW = rule(
    "drop-new-object",
    "Something this plan made, dropped again",
    "additive",
    "Drops {object}, which this plan made.",
    "METADATA",
    transactional=False,
    rationale="Nobody else can have used it.",
    source=MANUAL + "drop-table.html",
    flags=("CREATE TABLE items (id INT);\nDROP TABLE items",),
    passes=("DROP TABLE users",),
)
