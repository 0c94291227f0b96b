"""Which things can an ALTER TABLE do to columns and options, and what is each called?"""

from __future__ import annotations

from mcp_migrate.rules.interface import rule

MANUAL = "https://dev.mysql.com/doc/refman/8.4/en/"
ONLINE = MANUAL + "innodb-online-ddl-operations.html"

SET_DEFAULT = rule(
    "set-default",
    "A new default",
    "additive",
    "Changes what new rows get in {object}.",
    "METADATA",
    of="column",
    transactional=False,
    rationale="Only rows written later are touched.",
    source=ONLINE,
    flags=("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",),
    passes=("ALTER TABLE users ALTER COLUMN name DROP DEFAULT",),
)
DROP_DEFAULT = rule(
    "drop-default",
    "A default taken away",
    "breaking",
    ("{object} has no default any more: in strict mode, code that does not name it can no longer insert."),
    "METADATA",
    of="column",
    transactional=False,
    rationale="An INSERT that relied on the default fails.",
    source=ONLINE,
    flags=("ALTER TABLE users ALTER COLUMN name DROP DEFAULT",),
    passes=("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'",),
)
DROP_NOT_NULL = rule(
    "drop-not-null",
    "Nulls let in",
    "breaking",
    "{object} may hold nulls from then on, which old code does not expect{silently}.",
    "METADATA",
    of="column",
    rewrites=True,
    transactional=False,
    rationale="MODIFY and CHANGE drop NOT NULL when it is not repeated.",
    source=ONLINE,
    flags=("ALTER TABLE users MODIFY id INT",),
    passes=("ALTER TABLE users MODIFY id INT NOT NULL AUTO_INCREMENT",),
)
SET_NOT_NULL = rule(
    "set-not-null",
    "Nulls shut out",
    "breaking",
    (
        "{object} must not be null: it fails where there are nulls, or silently turns them into empty "
        "values without strict mode."
    ),
    "METADATA",
    of="column",
    scans=True,
    rewrites=True,
    transactional=False,
    rationale="The table is rebuilt and old code that writes nulls fails.",
    source=ONLINE,
    flags=("ALTER TABLE users MODIFY name VARCHAR(50) NOT NULL",),
    passes=("ALTER TABLE users MODIFY name VARCHAR(50) NULL",),
)
WIDEN = rule(
    "widen-column-type",
    "A type that holds every old value as it is",
    "additive",
    "{object} holds every old value as it is and more.",
    "METADATA",
    of="column",
    transactional=False,
    rationale="InnoDB changes the length of a VARCHAR or appends ENUM members without touching rows.",
    source=ONLINE,
    flags=("ALTER TABLE users MODIFY name VARCHAR(60)",),
    passes=("ALTER TABLE users MODIFY name VARCHAR(10)",),
)
COPY_TYPE = rule(
    "copy-column-type",
    "A wider type that copies the table",
    "blocking",
    "{object} holds every old value as it is, but the table is copied while writes wait.",
    "TABLE COPY",
    of="column",
    rewrites=True,
    transactional=False,
    rationale="Any other change of type is made with ALGORITHM=COPY: writes wait for as long as it takes.",
    source=ONLINE,
    flags=("ALTER TABLE orders MODIFY total BIGINT",),
    passes=("ALTER TABLE users MODIFY name VARCHAR(60)",),
)
CHANGE_TYPE = rule(
    "change-column-type",
    "A type that may change or lose values",
    "destructive blocking",
    (
        "{object} may lose values: strict mode fails where one does not fit, without strict mode it is "
        "cut off silently. The table is copied while writes wait."
    ),
    "TABLE COPY",
    of="column",
    rewrites=True,
    transactional=False,
    rationale="MODIFY that narrows a column truncates data when sql_mode is not strict.",
    source=ONLINE,
    flags=("ALTER TABLE users MODIFY name VARCHAR(10)",),
    passes=("ALTER TABLE users MODIFY name VARCHAR(60)",),
)
FORGETS = rule(
    "forget-column-attribute",
    "An attribute dropped because it was not repeated",
    "breaking",
    "{object} silently loses its {lost}, which MODIFY and CHANGE drop when it is not repeated.",
    "METADATA",
    of="column",
    transactional=False,
    rationale="MODIFY replaces the whole definition.",
    source=MANUAL + "alter-table.html",
    flags=("ALTER TABLE users MODIFY id INT NOT NULL",),
    passes=("ALTER TABLE users MODIFY id INT NOT NULL AUTO_INCREMENT",),
)
CONVERT = rule(
    "convert-charset",
    "A table in another character set",
    "destructive breaking blocking",
    (
        "Every text of {object} is converted: a character that {charset} does not have is lost, and "
        "comparisons follow other rules."
    ),
    "TABLE COPY",
    rewrites=True,
    transactional=False,
    rationale=("The table is copied while writes wait; equal strings may become different or the other way round."),
    source=MANUAL + "alter-table.html",
    flags=("ALTER TABLE users CONVERT TO CHARACTER SET latin1",),
    passes=("ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4",),
)
CONVERT_WIDE = rule(
    "convert-charset-utf8mb4",
    "A table in utf8mb4",
    "breaking blocking",
    (
        "Every text of {object} is converted to utf8mb4: no character is lost, but comparisons follow "
        "other rules and the table is copied while writes wait."
    ),
    "TABLE COPY",
    rewrites=True,
    transactional=False,
    rationale="Index keys may become too long and equal strings different.",
    source=MANUAL + "alter-table.html",
    flags=("ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4",),
    passes=("ALTER TABLE users CONVERT TO CHARACTER SET latin1",),
)
TABLE_OPTION = rule(
    "set-table-option",
    "An option of a table",
    "additive",
    "Sets {what} of {object}; rows are not touched.",
    "METADATA",
    transactional=False,
    rationale="Only the definition changes.",
    source=ONLINE,
    flags=("ALTER TABLE users COMMENT = 'people'",),
    passes=("ALTER TABLE users ORDER BY id",),
)
REBUILD = rule(
    "rebuild-table",
    "A table written again",
    "blocking",
    "Writes every row of {object} again ({what}).",
    "TABLE COPY",
    rewrites=True,
    transactional=False,
    rationale="It takes as long as the table is large, and where it cannot be done in place writes wait.",
    source=ONLINE,
    flags=("ALTER TABLE users ORDER BY id",),
    passes=("ALTER TABLE users COMMENT = 'people'",),
)
ENGINE = rule(
    "change-engine",
    "Another storage engine",
    "breaking blocking",
    "Moves {object} to the engine {what}: transactions, foreign keys and crash safety may be lost.",
    "TABLE COPY",
    rewrites=True,
    transactional=False,
    rationale="An engine that is not InnoDB keeps other promises.",
    source=MANUAL + "storage-engines.html",
    flags=("ALTER TABLE users ENGINE = MyISAM",),
    passes=("ALTER TABLE users ENGINE = InnoDB",),
)
COUNTER = rule(
    "set-auto-increment",
    "The next number of a table",
    "breaking",
    "The next row of {object} gets the number {what} or a higher one.",
    "METADATA",
    transactional=False,
    rationale="A number near the end of the type leaves none for the rows after it.",
    source=ONLINE,
    flags=("ALTER TABLE users AUTO_INCREMENT = 100",),
    passes=("ALTER TABLE users COMMENT = 'people'",),
)
DROP_PARTITION = rule(
    "drop-partition",
    "Rows of a partition taken away",
    "destructive breaking",
    "{what} of {object}: the rows in it are gone or moved out.",
    "METADATA EXCLUSIVE",
    transactional=False,
    rationale="Whole partitions of rows go at once.",
    source=MANUAL + "alter-table-partition-operations.html",
    flags=("ALTER TABLE users DROP PARTITION p0",),
    passes=("ALTER TABLE users REBUILD PARTITION p0",),
)
TABLESPACE = rule(
    "discard-tablespace",
    "The file of a table taken away",
    "destructive privilege breaking",
    "{what} of {object}: its rows are in a file that is thrown away or brought from outside.",
    "METADATA EXCLUSIVE",
    undo="no",
    transactional=False,
    rationale="The data file of the table is deleted or replaced.",
    source=MANUAL + "alter-table.html",
    flags=("ALTER TABLE users DISCARD TABLESPACE",),
    passes=("ALTER TABLE users FORCE",),
)
