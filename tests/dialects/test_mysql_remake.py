"""Can a MariaDB database be made again from what the server says of it?"""

from __future__ import annotations

from mcp_migrate.dialects.mysql import MySQL
from mcp_migrate.drivers.mysql import connect
from mcp_migrate.schema import Schema, shape
from tests.mariadb import ask

EVERYTHING = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO alembic_version VALUES ('a1')",
    "CREATE TABLE `a child` (id int AUTO_INCREMENT PRIMARY KEY, p int, j json, KEY (p)) COMMENT 'it''s'",
    "CREATE TABLE parent (id int PRIMARY KEY, c int, CONSTRAINT up FOREIGN KEY (c) REFERENCES `a child` (id))",
    "ALTER TABLE parent ADD COLUMN name varchar(9) CHARACTER SET latin1 CHECK (name <> 'x')",
    "ALTER TABLE parent ADD COLUMN twice int AS (id * 2) STORED",
    "ALTER TABLE `a child` ADD CONSTRAINT down FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE",
    "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10))",
    "CREATE TABLE shapes (g geometry NOT NULL, t text, FULLTEXT KEY (t), SPATIAL KEY (g))",
    "CREATE TABLE told (id int PRIMARY KEY) WITH SYSTEM VERSIONING",
    "CREATE SEQUENCE steps START WITH 5 INCREMENT BY 5",
    "CREATE FUNCTION plus(n int) RETURNS int DETERMINISTIC RETURN n + 1",
    "CREATE VIEW z AS SELECT plus(id) AS id, '`x`.' AS said FROM parent",
    "CREATE VIEW a AS SELECT z.id FROM z WITH CHECK OPTION",
    "CREATE TRIGGER second BEFORE INSERT ON parent FOR EACH ROW SET NEW.c = 2",
    "CREATE TRIGGER first BEFORE INSERT ON parent FOR EACH ROW PRECEDES second SET NEW.c = 1",
    "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO DELETE FROM parent WHERE id < 0",
    "CREATE TABLE _mcp_migrate_undo (n int)",
)


def read(url: str) -> Schema:
    with MySQL("mariadb").open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


def remade(url: str, schema: Schema) -> tuple[bool, str, list[str], list[str]]:
    """Whether it was, and what is in the scratch database then: its schema, revisions and tables."""
    dialect = MySQL("mariadb")
    with dialect.open_scratch(url) as scratch:
        made = dialect.remake(scratch, schema, source=url, version_table="alembic_version", revisions=("a1",))
        with dialect.open_reader(scratch.url) as reader:
            rows = list(reader.revisions("alembic_version"))
        return made, shape(read(scratch.url)), rows, [name for (name,) in ask(scratch.url, "SHOW TABLES")]


def test_what_is_there_can_be_made_again(mariadb_url: str) -> None:
    with connect(mariadb_url) as database:
        for sql in EVERYTHING:
            database.query(sql)
    schema = read(mariadb_url)
    made, there, rows, tables = remade(mariadb_url, schema)
    assert (made, there, rows) == (True, shape(schema), ["a1"])
    assert "_mcp_migrate_undo" not in tables


def test_what_is_not_the_same_is_not_kept(mariadb_url: str) -> None:
    """The target changed after it was read, or a trigger names its database and would reach out of the scratch one."""
    with connect(mariadb_url) as database:
        for sql in ("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)", "CREATE TABLE t (id int)"):
            database.query(sql)
        schema = read(mariadb_url)
        database.query("ALTER TABLE t ADD COLUMN since int")
        assert remade(mariadb_url, schema)[0] is False
        [(name,)] = ask(mariadb_url, "SELECT database()")
        database.query(f"CREATE TRIGGER {name}.g BEFORE INSERT ON {name}.t FOR EACH ROW SET NEW.since = 1")
    made, _there, rows, tables = remade(mariadb_url, read(mariadb_url))
    assert (made, rows, tables) == (False, [], [])


def test_the_version_table_is_made_where_the_target_has_none(mariadb_url: str) -> None:
    with connect(mariadb_url) as database:
        database.query("CREATE TABLE t (id int)")
    made, _there, rows, tables = remade(mariadb_url, read(mariadb_url))
    assert (made, rows, sorted(tables)) == (True, ["a1"], ["alembic_version", "t"])
