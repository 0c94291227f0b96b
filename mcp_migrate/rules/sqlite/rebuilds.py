"""Which differences can there be between a table and the one that took its place, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

_PAGE = "https://sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes"
_TYPES = "https://sqlite.org/datatype3.html#type_affinity"
_WRITE = "WRITE"


def _again(new: str, columns: str = "id", values: str = "id", old: str = "plain") -> str:
    """An example. With the old way of renaming, views and triggers that name the table do not stop it."""
    return (
        f"PRAGMA legacy_alter_table = ON;\nCREATE TABLE _new ({new});\n"  # noqa: S608  text
        f"INSERT INTO _new ({columns}) SELECT {values} FROM {old};\n"
        f"DROP TABLE {old};\nALTER TABLE _new RENAME TO {old}"
    )


REBUILD = rule(
    "rebuild-table",
    "A table made again and filled from the old one",
    "",
    "Makes {object} again: this and the next statements copy all its rows, drop the old table and put the new one in"
    " its place. This statement tells what that changes.",
    _WRITE,
    scans=True,
    rewrites=True,
    rationale="SQLite alters little, so tools make the table anew; read one by one, the statements look like a drop.",
    source=_PAGE,
    flags=(_again("id INTEGER, more TEXT"),),
    passes=("DROP TABLE plain",),
)
REBUILD_SAME = rule(
    "rebuild-table-as-it-was",
    "A table made again that does the same",
    "additive",
    "Nothing of {object} is different but perhaps the order of its columns.",
    _WRITE,
    scans=True,
    rewrites=True,
    rationale="Every row is written anew, and nothing is lost.",
    source=_PAGE,
    flags=(_again("id INTEGER"),),
    passes=(_again("id INTEGER, more TEXT"),),
)
REBUILD_NEW = rule(
    "rebuild-new-table",
    "A table this plan made, made again",
    "additive",
    "Makes {object} again, which this plan made.",
    _WRITE,
    rationale="Nobody's rows can be in it yet but those the plan put there.",
    source=_PAGE,
    flags=("CREATE TABLE fresh (id INTEGER);\n" + _again("id INTEGER, more TEXT", old="fresh"),),
    passes=(_again("id INTEGER"),),
)
PART = rule(
    "part-of-rebuild",
    "A step of a table made again",
    "",
    "Part of making {object} again: what that changes is told at its first statement.",
    _WRITE,
    rationale="The run of statements is one change and is told once.",
    source=_PAGE,
    flags=(_again("id INTEGER, more TEXT"),),
    passes=("DROP TABLE plain", _again("id INTEGER", values="DISTINCT id")),
)
RETYPE = rule(
    "widen-column-type",
    "Another type that keeps each value",
    "additive",
    "Declares {object} as {new} where it was {old}; SQLite keeps the values as they are and checks no lengths.",
    _WRITE,
    of="column",
    rewrites=True,
    rationale="A declared length means nothing to SQLite: no value is cut, whichever way it changes.",
    source=_TYPES,
    flags=(_again("id INT"),),
    passes=(_again("id TEXT"),),
)
CHANGE_TYPE = rule(
    "change-column-type",
    "A type that may change or lose values",
    "destructive breaking",
    "Turns {object} from {old} into {new}: a value that does not fit is changed, '007' becomes 7 and 'x' becomes 0.",
    _WRITE,
    of="column",
    rewrites=True,
    rationale="SQLite converts where it can and never complains, so a value is lost without a word.",
    source="https://sqlite.org/lang_expr.html#castexpr",
    flags=(_again("id TEXT"),),
    passes=(_again("id INT"),),
)
SET_NOT_NULL = rule(
    "set-not-null",
    "Nulls shut out",
    "breaking",
    "Forbids nulls in {object}: it fails where there are some, and rejects what old code writes without a value.",
    _WRITE,
    of="column",
    scans=True,
    rationale="Rows that are there may hold nulls, and code that is running may write more.",
    source="https://sqlite.org/lang_createtable.html#notnullconst",
    flags=(_again("id INTEGER NOT NULL"),),
    passes=(_again("id INTEGER"),),
)
DROP_NOT_NULL = rule(
    "drop-not-null",
    "Nulls let in",
    "breaking",
    "Allows nulls in {object}, which code that reads it may not expect.",
    _WRITE,
    of="column",
    rationale="Code that is running has never met a null there.",
    source="https://sqlite.org/lang_createtable.html#notnullconst",
    flags=(_again("word TEXT", "word", "word", "filled"),),
    passes=(_again("word TEXT NOT NULL", "word", "word", "filled"),),
)
SET_DEFAULT = rule(
    "set-default",
    "A new default",
    "additive",
    "Changes what new rows get in {object}.",
    _WRITE,
    of="column",
    rationale="Rows that are there keep their values.",
    source="https://sqlite.org/lang_createtable.html#dfltval",
    flags=(_again("id INTEGER DEFAULT 7"),),
    passes=(_again("id INTEGER"),),
)
DROP_DEFAULT = rule(
    "drop-default",
    "A default taken away",
    "breaking",
    "New rows no longer get a value in {object} unless they bring one.",
    _WRITE,
    of="column",
    rationale="Code that relied on the default writes nulls, or is rejected.",
    source="https://sqlite.org/lang_createtable.html#dfltval",
    flags=(_again("id INTEGER PRIMARY KEY, email TEXT, name TEXT", "id, email, name", "id, email, name", "users"),),
    passes=(
        _again(
            "id INTEGER PRIMARY KEY, email TEXT, name TEXT DEFAULT ''", "id, email, name", "id, email, name", "users"
        ),
    ),
)
ADD_CONSTRAINT = rule(
    "add-constraint",
    "A constraint that old rows are checked against",
    "breaking",
    "Adds to {object} {what}: it fails where rows break it, and rejects what old code writes against it.",
    _WRITE,
    scans=True,
    rationale="The copy stops at the first row that does not fit, and code that is running may write such rows.",
    source="https://sqlite.org/lang_createtable.html#constraint_enforcement",
    flags=(_again("id INTEGER UNIQUE"),),
    passes=(_again("id INTEGER"),),
)
DROP_CONSTRAINT = rule(
    "drop-constraint",
    "A constraint taken away",
    "breaking",
    "Takes from {object} {what}: from then on rows may be written that it kept out.",
    _WRITE,
    rationale="What was certain about each row is certain no longer.",
    source="https://sqlite.org/lang_createtable.html#constraint_enforcement",
    flags=(_again("id INTEGER, user_id INTEGER", "id, user_id", "id, user_id", "orders"),),
    passes=(_again("id INTEGER"),),
)
NEW_CLAUSE = rule(
    "add-table-clause",
    "A clause that was not there",
    "breaking",
    "Adds to {object} the clause {what}: rows may be compared, computed, rejected or replaced in another way.",
    _WRITE,
    rationale="A collation, a CHECK, a conflict clause or a computed column changes what each write does.",
    source="https://sqlite.org/lang_createtable.html",
    flags=(_again("id INTEGER CHECK (id > 0)"),),
    passes=(_again("id INTEGER"),),
)
LOST_CLAUSE = rule(
    "lose-table-clause",
    "A clause that is lost",
    "breaking",
    "Takes from {object} the clause {what}, which the new table does not have.",
    _WRITE,
    rationale="Tools read a table back before they make it again, and what they cannot read back is lost.",
    source="https://alembic.sqlalchemy.org/en/latest/batch.html",
    flags=(_again("id INTEGER PRIMARY KEY, k TEXT UNIQUE", "id, k", "id, k", "replacing"),),
    passes=(_again("id INTEGER"),),
)
OTHER_OPTION = rule(
    "change-table-options",
    "Another kind of table",
    "breaking",
    "Changes of {object} {what}.",
    _WRITE,
    rationale="STRICT, WITHOUT ROWID and the numbering of rows decide what each write may do.",
    source="https://sqlite.org/stricttables.html",
    flags=(_again("id INT PRIMARY KEY, user_id INTEGER", "id, user_id", "id, user_id", "orders"),),
    passes=(_again("id INTEGER PRIMARY KEY, user_id INTEGER", "id, user_id", "id, user_id", "orders"),),
)
LOST_TRIGGER = rule(
    "lose-trigger",
    "A trigger that is lost",
    "breaking",
    "Takes the trigger {object} away with {of}, which it belongs to.",
    _WRITE,
    of="trigger",
    rationale="DROP TABLE takes triggers along, and no tool reads them back.",
    source="https://sqlite.org/lang_droptable.html",
    flags=("DROP TABLE audited",),
    passes=("DROP TABLE plain",),
)
BROKEN_VIEW = rule(
    "break-view",
    "A view that no longer works",
    "breaking",
    "The view {object} does not work with the new table {of}.",
    _WRITE,
    of="view",
    rationale="A view names columns, and is not asked when they go.",
    source="https://sqlite.org/lang_createview.html",
    flags=(_again("email TEXT, name TEXT DEFAULT ''", "email, name", "email, name", "users"),),
    passes=(
        _again(
            "id INTEGER PRIMARY KEY, email TEXT, name TEXT DEFAULT ''", "id, email, name", "id, email, name", "users"
        ),
    ),
)
OTHER_REFERENCE = rule(
    "redirect-references",
    "A reference that is written anew",
    "breaking",
    "{object} referred to {of} and was written anew by the renaming: it may now refer to a table that is gone.",
    _WRITE,
    rationale="A renamed table takes along what refers to it, unless legacy_alter_table is on.",
    source="https://sqlite.org/pragma.html#pragma_legacy_alter_table",
    flags=(
        (
            "ALTER TABLE users RENAME TO old_users;\n"
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT DEFAULT '');\n"
            "INSERT INTO users SELECT * FROM old_users;\nDROP TABLE old_users"
        ),
    ),
    passes=(
        _again(
            "id INTEGER PRIMARY KEY, email TEXT, name TEXT DEFAULT ''", "id, email, name", "id, email, name", "users"
        ),
    ),
)
REACHED = rule(
    "drop-reaches-rows",
    "Rows that a foreign key takes along",
    "destructive",
    "Where foreign keys are enforced, dropping the old table deletes or changes rows of {object} that refer to it.",
    _WRITE,
    rationale="DROP TABLE first deletes the rows, so ON DELETE CASCADE and SET NULL act on other tables.",
    source="https://sqlite.org/foreignkeys.html#fk_schemacommands",
    flags=(
        "CREATE TABLE notes (user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);\n"
        + _again(
            "id INTEGER PRIMARY KEY, email TEXT, name TEXT DEFAULT ''", "id, email, name", "id, email, name", "users"
        ),
    ),
    passes=(_again("id INTEGER"),),
)
