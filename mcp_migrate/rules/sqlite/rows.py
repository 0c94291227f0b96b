"""Which things can a SQLite statement do to rows, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

_WRITE = "WRITE"
_KEEPS_INDEX = (
    "CREATE VIRTUAL TABLE f USING fts5 (name);\n"
    "CREATE TRIGGER t AFTER DELETE ON users BEGIN INSERT INTO f (f, rowid) VALUES ('delete', old.id); END"
)
_INSERT = "https://sqlite.org/lang_insert.html"

READ = rule(
    "read",
    "Rows read",
    "read",
    "Only reads {object}.",
    rationale="Reading changes nothing.",
    source="https://sqlite.org/lang_select.html",
    flags=("SELECT id FROM users", "PRAGMA table_info(users)"),
    passes=("SELECT load_extension('evil');\nDELETE FROM orders",),
)
LOOKS = rule(
    "looks-at-rows",
    "Rows looked at on the way",
    "",
    "Looks at {object}.",
    rationale="What is read beside a change is told, so that a narrow scope covers it as well.",
    source="https://sqlite.org/c3ref/set_authorizer.html",
    flags=("INSERT INTO orders SELECT id, id FROM users",),
    passes=("INSERT INTO orders (id) VALUES (1)",),
)
INSERT = rule(
    "insert-rows",
    "New rows",
    "data",
    "Adds rows to {object}.",
    _WRITE,
    rationale="Rows that were not there before change what code finds.",
    source=_INSERT,
    flags=("INSERT INTO users (id) VALUES (1)", "INSERT OR IGNORE INTO orders (id) VALUES (1) RETURNING id"),
    passes=("SELECT 'INSERT INTO users'",),
)
REPLACE = rule(
    "overwrite-rows",
    "New rows that replace old ones",
    "data destructive",
    "Rows of {object} that stand in the way may be deleted: REPLACE is in play.",
    _WRITE,
    rationale="REPLACE deletes each row that has the same key, without its DELETE triggers, and says nothing.",
    source="https://sqlite.org/lang_conflict.html",
    flags=("REPLACE INTO orders (id) VALUES (1)", "INSERT INTO replacing (id) VALUES (1)"),
    passes=("INSERT OR IGNORE INTO orders (id) VALUES (1)",),
)
UPDATE = rule(
    "update-rows",
    "Rows overwritten",
    "data destructive",
    "Overwrites values in {object}; the old ones are lost.",
    _WRITE,
    rationale="The values that were there are gone.",
    source="https://sqlite.org/lang_update.html",
    flags=("UPDATE users SET name = 'x'", "UPDATE users SET name = o.id FROM orders AS o WHERE o.user_id = users.id"),
    passes=("CREATE TABLE t (a);\nUPDATE t SET a = 1",),
)
DELETE = rule(
    "delete-rows",
    "Rows deleted",
    "destructive",
    "Deletes rows of {object}.",
    _WRITE,
    rationale="The rows are gone, and so may be rows of other tables that refer to them.",
    source="https://sqlite.org/lang_delete.html",
    flags=("DELETE FROM orders", "INSERT INTO audited (id) VALUES (1)"),
    passes=("CREATE TABLE t (a);\nDELETE FROM t",),
)
FILL_NEW = rule(
    "change-new-rows",
    "Rows of a table this plan made",
    "data",
    "Changes rows of {object}, which this plan made.",
    _WRITE,
    rationale="Nobody's rows can be in it yet but those the plan put there.",
    source=_INSERT,
    flags=("CREATE TABLE t (a);\nDELETE FROM t", "CREATE TEMP TABLE t (a);\nINSERT INTO t VALUES (1)"),
    passes=("DELETE FROM orders",),
)
COMMAND = rule(
    "virtual-table-command",
    "A command for a virtual table",
    "data destructive",
    "Gives the virtual table {object} a command, which may delete from its index.",
    _WRITE,
    rationale="An INSERT into the column that has the table's own name is no row: 'delete-all' empties the index.",
    source="https://sqlite.org/fts5.html#special_insert_commands",
    flags=(_KEEPS_INDEX,),
    passes=("CREATE VIRTUAL TABLE f USING fts5 (a);\nINSERT INTO f (a) VALUES ('x')",),
)
VERSION = rule(
    "alembic-version",
    "Alembic's own bookkeeping",
    "",
    "Moves Alembic's version table.",
    rationale="Alembic notes which revision the database is at; nothing else is in that table.",
    source="https://alembic.sqlalchemy.org/en/latest/tutorial.html",
)
