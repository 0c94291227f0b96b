"""Which things can a SQLite statement do to the file, the connection, or code in the database?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

_WRITE, _FILE = "WRITE", "EXCLUSIVE FILE"
_TRIGGER = "https://sqlite.org/lang_createtrigger.html"
_PRAGMA = "https://sqlite.org/pragma.html"
_COUNTERS = "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT);\nDELETE FROM sqlite_sequence"

OUTSIDE = rule(
    "outside",
    "Out of the database",
    "privilege unknown",
    "{what} reaches out of this database file.",
    of="",
    undo="no",
    rationale="Another file is opened, or code from one is loaded, with the rights of the server.",
    source="https://sqlite.org/lang_attach.html",
    flags=("ATTACH 'other.db' AS other",),
    passes=("SELECT 'ATTACH'",),
)
WRITE_FILE = rule(
    "write-file",
    "A file written",
    "privilege",
    "Writes a copy of the whole database to another file.",
    _WRITE,
    of="",
    scans=True,
    transactional=False,
    undo="no",
    rationale="Whoever can name a file can carry all rows out of the database, or write over what is there.",
    source="https://sqlite.org/lang_vacuum.html#vacuuminto",
    flags=("VACUUM INTO 'copy.db'", "VACUUM main INTO 'copy.db'"),
    passes=("VACUUM",),
)
OURS = rule(
    "reserved-name",
    "A name that is not for plans",
    "privilege unknown",
    "Names {what}, which is kept by {who} and not for plans to read or change.",
    of="",
    rationale="The server's own records and SQLite's own tables decide what is true; a plan may not write them.",
    source="https://sqlite.org/fileformat2.html#storage_of_the_sql_database_schema",
    flags=("DELETE FROM _mcp_migrate_undo", _COUNTERS),
    passes=("SELECT sql FROM sqlite_schema",),
)
VACUUM = rule(
    "vacuum",
    "The whole file written anew",
    "blocking",
    "Writes the whole database file anew; nobody else can read or write meanwhile.",
    _FILE,
    of="",
    scans=True,
    rewrites=True,
    transactional=False,
    rationale="It takes as long as the file is large, twice its space, and the lock on all of it.",
    source="https://sqlite.org/lang_vacuum.html",
    flags=("VACUUM", "VACUUM main"),
    passes=("VACUUM INTO 'copy.db'",),
)
REINDEX = rule(
    "reindex",
    "Indexes made again",
    "blocking",
    "Makes indexes again from all rows; nobody else can write to the file meanwhile.",
    _WRITE,
    of="index",
    scans=True,
    rewrites=True,
    rationale="No row changes, but each is read, and other writers wait.",
    source="https://sqlite.org/lang_reindex.html",
    flags=("REINDEX", "REINDEX users"),
    passes=("CREATE INDEX i ON users (name)",),
)
ANALYZE = rule(
    "analyze",
    "Statistics gathered",
    "blocking",
    "Reads the indexes of {object} and notes how their values are spread; queries may be planned in another way.",
    _WRITE,
    scans=True,
    rationale="No row of a user changes; each index is read while other writers wait.",
    source="https://sqlite.org/lang_analyze.html",
    flags=("ANALYZE", "ANALYZE users"),
    passes=("EXPLAIN QUERY PLAN SELECT 1",),
)
ENFORCE = rule(
    "switch-foreign-keys",
    "Enforcement of foreign keys switched",
    "breaking",
    "Switches for this connection whether foreign keys are enforced: references to nothing may be written.",
    of="",
    transactional=False,
    rationale="Rows written meanwhile are not checked, and nobody checks them later.",
    source=f"{_PRAGMA}#pragma_foreign_keys",
)
ENFORCE_IDLE = rule(
    "switch-foreign-keys-idle",
    "A switch that does nothing in a transaction",
    "read",
    "Changes nothing: inside a transaction, as here, SQLite ignores PRAGMA foreign_keys.",
    of="",
    rationale="Alembic's batch revisions often carry it; a plan runs in one transaction, where it is a no-op.",
    source=f"{_PRAGMA}#pragma_foreign_keys",
    flags=("PRAGMA foreign_keys = OFF",),
    passes=("PRAGMA foreign_keys",),
)
SETTING = rule(
    "connection-setting",
    "A setting of this connection alone",
    "read",
    "Sets {what} for this connection only; the statements after it are judged with that.",
    of="",
    rationale="The setting ends with the connection, and the copy that is asked has it as well.",
    source=_PRAGMA,
    flags=("PRAGMA legacy_alter_table = ON", "PRAGMA defer_foreign_keys = 1"),
    passes=("PRAGMA writable_schema = ON",),
)
STORED = rule(
    "stored-number",
    "A number in the file's head",
    "data destructive",
    "Overwrites {what}, a number that applications keep in the head of the file; the old one is lost.",
    _WRITE,
    of="",
    rationale="Applications keep their schema's version there, and migrate or refuse to start by it.",
    source=f"{_PRAGMA}#pragma_user_version",
    flags=("PRAGMA user_version = 7", "PRAGMA application_id(1)"),
    passes=("PRAGMA user_version",),
)
GUARD = rule(
    "switch-guard",
    "A guard of the database switched",
    "privilege unknown",
    "Sets {what}, which guards the file or what code in it may do.",
    of="",
    undo="no",
    rationale="With these settings a plan writes the schema as text, skips constraints, or risks the whole file.",
    source=_PRAGMA,
    flags=("PRAGMA writable_schema = ON", "PRAGMA ignore_check_constraints = 1"),
    passes=("PRAGMA integrity_check",),
)
TRIGGER = rule(
    "create-trigger",
    "Code that runs with each change",
    "additive breaking",
    "Makes the trigger {object}: from then on each such change of {of} does more, and fails where that fails.",
    _WRITE,
    of="trigger",
    rationale="Code that is running does not know that its writes now do something else as well.",
    source=_TRIGGER,
    flags=("CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO plain VALUES (new.id); END",),
    passes=("CREATE VIEW t AS SELECT 1",),
)
TRIGGER_LOSES = rule(
    "trigger-loses-rows",
    "A trigger that deletes or overwrites",
    "destructive",
    "Each time it runs, the trigger deletes or overwrites rows of {object}.",
    _WRITE,
    rationale="The loss comes later, with a harmless statement.",
    source=_TRIGGER,
    flags=("CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM orders; END",),
    passes=("CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO plain VALUES (new.id); END",),
)
TRIGGER_ADDS = rule(
    "trigger-adds-rows",
    "A trigger that adds rows",
    "data",
    "Each time it runs, the trigger adds rows to {object}.",
    _WRITE,
    rationale="Writes that were cheap now write to another table as well.",
    source=_TRIGGER,
    flags=("CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO plain VALUES (new.id); END",),
    passes=("CREATE TRIGGER t AFTER INSERT ON users BEGIN SELECT 1; END",),
)
DROP_TRIGGER = rule(
    "drop-code",
    "A trigger dropped",
    "breaking",
    "Drops the trigger {object}: {what}",
    _WRITE,
    of="trigger",
    rationale="What it kept in step, noted or refused happens no longer.",
    source="https://sqlite.org/lang_droptrigger.html",
    flags=("DROP TRIGGER watch",),
    passes=("DROP INDEX by_email",),
)
TEMPORARY = rule(
    "create-temporary",
    "Something that ends with the connection",
    "additive",
    "Makes {object}, which only this connection sees and which ends with it.",
    of="",
    rationale="Nobody else can see it; the statements after it are judged with it.",
    source="https://sqlite.org/lang_createtable.html",
    flags=("CREATE TEMP TABLE scratch (a)", "CREATE TEMP VIEW v AS SELECT 1"),
    passes=("CREATE TABLE scratch (a)",),
)
