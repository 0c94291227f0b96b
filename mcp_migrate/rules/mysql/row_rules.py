"""Which things can a statement do to rows, rights and the server, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

MANUAL = "https://dev.mysql.com/doc/refman/8.4/en/"

READ = rule(
    "read",
    "Rows read",
    "read",
    "Only reads {object}.",
    rationale="Nothing changes.",
    source=MANUAL + "select.html",
    flags=("SELECT id FROM users",),
    passes=("SELECT id FROM users FOR UPDATE",),
)
LOCKING_READ = rule(
    "read-for-update",
    "Rows read and locked",
    "read blocking",
    "Reads {object} and keeps writers of these rows waiting.",
    "ROW LOCKS",
    rationale="The locks stay until the transaction ends.",
    source=MANUAL + "innodb-locking-reads.html",
    flags=("SELECT id FROM users FOR UPDATE",),
    passes=("SELECT id FROM users",),
)
INSERT = rule(
    "insert-rows",
    "New rows",
    "data",
    "Adds rows to {object}.",
    "ROW LOCKS",
    rationale="Rows are added; none is changed.",
    source=MANUAL + "insert.html",
    flags=("INSERT INTO orders (id) VALUES (1)",),
    passes=("SELECT id FROM orders",),
)
OVERWRITE = rule(
    "overwrite-rows",
    "New rows that overwrite old ones",
    "data destructive",
    "Adds rows to {object} and overwrites or deletes those that stand in the way.",
    "ROW LOCKS",
    rationale="REPLACE deletes the old row; ON DUPLICATE KEY UPDATE overwrites it.",
    source=MANUAL + "replace.html",
    flags=("REPLACE INTO orders (id) VALUES (1)",),
    passes=("INSERT INTO orders (id) VALUES (1)",),
)
UPDATE = rule(
    "update-rows",
    "Rows overwritten",
    "data destructive",
    "Overwrites values in {object}{all}; the old ones are lost.",
    "ROW LOCKS",
    rationale="The old values are in no log that a rollback could read.",
    source=MANUAL + "update.html",
    flags=("UPDATE users SET name = 'x'",),
    passes=("SELECT name FROM users",),
)
DELETE = rule(
    "delete-rows",
    "Rows deleted",
    "destructive",
    "Deletes rows of {object}{all}.",
    "ROW LOCKS",
    rationale="Foreign keys may delete more than is named.",
    source=MANUAL + "delete.html",
    flags=("DELETE FROM orders",),
    passes=("SELECT id FROM orders",),
)
LOOKS = rule(
    "looks-at-rows",
    "Rows looked at on the way",
    "",
    "Looks at {object}.",
    rationale="Reading names what a scope must cover.",
    source=MANUAL + "select.html",
    flags=("INSERT INTO orders (id) SELECT id FROM users",),
    passes=("INSERT INTO orders (id) VALUES (1)",),
)
FILL_NEW = rule(
    "change-new-rows",
    "Rows of a table this plan made",
    "data",
    "Changes rows of {object}, which this plan made.",
    "ROW LOCKS",
    rationale="Nobody else can have rows in it.",
    source=MANUAL + "insert.html",
    flags=("CREATE TABLE items (id INT);\nDELETE FROM items",),
    passes=("DELETE FROM orders",),
)
OUTSIDE = rule(
    "outside",
    "Out of the database",
    "privilege unknown",
    "{what} reaches out of this database: a file, another server or its log.",
    of="",
    rationale="A file of the server or another server is read or written with the server's rights.",
    source=MANUAL + "load-data.html",
    flags=("LOAD DATA INFILE '/etc/passwd' INTO TABLE users",),
    passes=("SELECT id FROM users",),
)
RIGHTS = rule(
    "session-rights",
    "Rights and settings",
    "privilege unknown",
    "{what} changes rights, the session or the server.",
    of="",
    transactional=False,
    rationale="What follows runs under other rules than those it was judged by.",
    source=MANUAL + "account-management-statements.html",
    flags=(
        "GRANT ALL ON *.* TO 'x'",
        "SET GLOBAL read_only = 0",
    ),
    passes=("SELECT id FROM users",),
)
SYSTEM = rule(
    "write-system-catalog",
    "A system table written",
    "privilege unknown",
    "{object} belongs to the server itself.",
    rationale="Accounts and rights are rows of these tables.",
    source=MANUAL + "system-schema.html",
    flags=("DELETE FROM mysql.user", "DROP TABLE _mcp_migrate_undo", "UPDATE mcp_migrate.applies SET done = 9"),
    passes=("DELETE FROM orders",),
)
VERSION = rule(
    "alembic-version",
    "Alembic's own bookkeeping",
    "",
    "Moves Alembic's version table.",
    rationale="The planner wrote it, and its shape is checked here.",
    source="https://alembic.sqlalchemy.org/en/latest/tutorial.html",
)
