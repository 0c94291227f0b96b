"""Is the schema what it was, after the statements that are derived to take a change back?"""

from __future__ import annotations

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.model import Statement
from mcp_migrate.schema import Schema, diff, shape

BOTH = (
    "CREATE TABLE p (id integer NOT NULL PRIMARY KEY, a text)",
    (
        "CREATE TABLE c (id integer NOT NULL PRIMARY KEY, p integer, n varchar(9) DEFAULT 'x' NOT NULL, m integer,"
        " CONSTRAINT positive CHECK (m > 0), CONSTRAINT to_p FOREIGN KEY (p) REFERENCES p (id))"
    ),
    "CREATE INDEX by_m ON c (m)",
    "CREATE VIEW v AS SELECT id FROM p",
)
SQLITE = (
    'CREATE TABLE "odd (name" (id INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT COLLATE NOCASE) STRICT',
    "CREATE TRIGGER g AFTER INSERT ON p BEGIN UPDATE c SET m = 1; END",
)
POSTGRESQL = (
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "CREATE TABLE e (id serial PRIMARY KEY, m mood DEFAULT 'sad', s integer[] NOT NULL)",
    "COMMENT ON COLUMN e.m IS 'it''s'",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
)
MARIADB = (
    (
        "CREATE TABLE e (id int AUTO_INCREMENT PRIMARY KEY, m enum('s','g') DEFAULT 's' COMMENT 'it''s',"
        " b bit(3) NOT NULL, t timestamp NULL ON UPDATE current_timestamp(), n int, twice int AS (n * 2) STORED,"
        " u varchar(9) COLLATE latin1_bin, UNIQUE KEY `an odd name` (u(3) DESC, b), FULLTEXT KEY ft (u))"
        " COMMENT 'all''s'"
    ),
    "CREATE TABLE m (x int) ENGINE=MyISAM COLLATE latin1_bin",
    "CREATE SQL SECURITY INVOKER VIEW i AS SELECT id FROM p WHERE id > 0 WITH CASCADED CHECK OPTION",
)
CHANGES = {
    "mariadb": (
        "CREATE TABLE new (id int PRIMARY KEY, p int REFERENCES p (id)); CREATE INDEX i ON new (p)",
        (
            "CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int REFERENCES one (id));"
            "ALTER TABLE one ADD COLUMN two int"
        ),
        "DROP VIEW i; DROP TABLE c; DROP TABLE p",
        "DROP TABLE e; DROP TABLE m",
        "ALTER TABLE c DROP COLUMN n, DROP COLUMN m, ADD COLUMN z text NOT NULL DEFAULT 'q', DROP CONSTRAINT positive",
        "ALTER TABLE e DROP COLUMN m, DROP COLUMN twice, MODIFY u text, DROP KEY `an odd name`",
        (
            "ALTER TABLE c MODIFY n text, MODIFY m int NOT NULL DEFAULT 3, DROP FOREIGN KEY to_p,"
            " ADD CONSTRAINT u UNIQUE (p)"
        ),
        "ALTER TABLE c ADD COLUMN t int; CREATE VIEW w AS SELECT t FROM c",
        "CREATE OR REPLACE VIEW i AS SELECT id, a FROM p",
    ),
    "sqlite": (
        "CREATE TABLE new (id integer); CREATE INDEX i ON new (id)",
        "ALTER TABLE p ADD COLUMN z text DEFAULT 'q'; CREATE INDEX z ON p (z)",
        "DROP INDEX by_m; ALTER TABLE c ADD COLUMN z text; ALTER TABLE c DROP COLUMN n",
        "DROP VIEW v; DROP TABLE c; DROP TABLE p",
        'DROP TABLE "odd (name"',
        (
            "DROP TRIGGER g; CREATE TABLE t (m varchar(50)); INSERT INTO t SELECT m FROM c; DROP TABLE c;"
            " ALTER TABLE t RENAME TO c"
        ),
        "DROP TRIGGER g; DROP VIEW v; CREATE TABLE t (id integer UNIQUE); DROP TABLE p; ALTER TABLE t RENAME TO p",
        "CREATE VIEW w AS SELECT 1 AS one; DROP TRIGGER g",
    ),
    "postgresql": (
        "CREATE TABLE new (id serial PRIMARY KEY, p integer REFERENCES p); CREATE INDEX i ON new (p)",
        (
            "CREATE TABLE one (id integer PRIMARY KEY); CREATE TABLE two (id integer REFERENCES one);"
            "ALTER TABLE one ADD COLUMN two integer"
        ),
        "DROP VIEW v; DROP TABLE c, p",
        "DROP TABLE e; DROP TYPE mood; DROP FUNCTION f()",
        "ALTER TABLE c DROP COLUMN n, DROP COLUMN m, ADD COLUMN z text NOT NULL DEFAULT 'q'",
        "ALTER TABLE e DROP COLUMN id, DROP COLUMN m",
        (
            "ALTER TABLE c ALTER n TYPE text, ALTER n DROP NOT NULL, ALTER n DROP DEFAULT, ALTER m SET NOT NULL,"
            " ALTER m SET DEFAULT 3, DROP CONSTRAINT to_p, ADD CONSTRAINT u UNIQUE (p)"
        ),
        "CREATE TYPE t AS ENUM ('a'); ALTER TABLE c ADD COLUMN t t; CREATE VIEW w AS SELECT t FROM c",
        (
            "CREATE OR REPLACE VIEW v AS SELECT id, a FROM p; COMMENT ON COLUMN e.m IS NULL;"
            "CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2'"
        ),
        "CREATE SCHEMA s; CREATE TABLE s.t (id integer); CREATE SEQUENCE s.q",
    ),
}
RENAMES = {
    "mariadb": (
        "ALTER TABLE c RENAME TO d",
        "RENAME TABLE c TO `d e`",
        "ALTER TABLE p RENAME COLUMN a TO b",
        "ALTER TABLE p CHANGE a `b c` text NULL",
        "ALTER TABLE c RENAME INDEX by_m TO m",
    ),
    "sqlite": ("ALTER TABLE c RENAME TO d", "ALTER TABLE p RENAME COLUMN a TO b", 'ALTER TABLE p RENAME a TO "B"'),
    "postgresql": (
        "ALTER TABLE c RENAME TO d",
        "ALTER TABLE p RENAME a TO b",
        "ALTER INDEX by_m RENAME TO m",
        "ALTER TABLE c RENAME CONSTRAINT positive TO q",
        "ALTER TYPE mood RENAME TO moods",
        "ALTER VIEW v RENAME TO w",
    ),
}


def run(url: str, *texts: str) -> None:
    statements = [Statement(n, "r", sql) for n, sql in enumerate(filter(None, texts), 1)]
    with dialect_for(url).open_writer(url, statements, limits=Limits()) as writer:
        for statement in statements:
            writer.run(statement)


def schema_of(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        found = f"sqlite:///{request.getfixturevalue('tmp_path')}/a.db"
        run(found, *BOTH, *SQLITE)
    else:
        found = str(request.getfixturevalue("postgres_url" if request.param == "postgresql" else "mariadb_url"))
        run(found, *BOTH, *(POSTGRESQL if request.param == "postgresql" else MARIADB))
    return found


@pytest.mark.proves("way-back-derived")
def test_what_is_derived_takes_each_change_back(url: str) -> None:
    dialect = dialect_for(url)
    inverter, start = dialect.inverter(), schema_of(url)
    assert inverter is not None
    for change in CHANGES[dialect.name]:
        run(url, *change.split(";"))
        after = schema_of(url)
        assert shape(after) != shape(start), change
        run(url, *inverter.statements(after, start))
        assert diff(start, schema_of(url)) == (), change


def test_a_renaming_is_taken_back_by_its_own_words(url: str) -> None:
    dialect = dialect_for(url)
    inverter, start = dialect.inverter(), schema_of(url)
    assert inverter is not None
    for rename in RENAMES[dialect.name]:
        run(url, rename)
        assert shape(schema_of(url)) != shape(start), rename
        run(url, inverter.renamed_back(rename) or "")
        assert diff(start, schema_of(url)) == (), rename
    assert inverter.renamed_back("DROP TABLE p") is None
    assert inverter.renamed_back("not SQL (") is None


def test_what_looks_with_the_rights_of_somebody_unknown_is_not_made_again(mariadb_url: str) -> None:
    run(mariadb_url, *BOTH)
    start = schema_of(mariadb_url)
    run(mariadb_url, "DROP VIEW v")
    inverter = dialect_for(mariadb_url).inverter()

    assert inverter is not None
    assert inverter.statements(schema_of(mariadb_url), start) == ()


def test_nothing_is_derived_where_nothing_differs(url: str) -> None:
    inverter, start = dialect_for(url).inverter(), schema_of(url)

    assert inverter is not None
    assert inverter.statements(start, start) == ()
