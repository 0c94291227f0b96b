"""Can a PostgreSQL schema be made again from what was read of it?"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from mcp_migrate.dialects.postgresql.reader import open_reader
from mcp_migrate.dialects.postgresql.remake import remake
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.schema import Schema, diff, without_access
from tests.dialects.alterations import BASE, ROLES

_NOT_REMADE = (
    *("AGGREGATE", "AS RANGE (", "EVENT TRIGGER", "INHERITS", "COLLATION", "WRAPPER", "SERVER", "FOREIGN TABLE"),
    *("PUBLICATION", "CAST", "GRANT", "DEFAULT PRIVILEGES"),
)
_MORE = """
CREATE UNLOGGED TABLE "odd.one" ("Größe ""x"" " varchar(3) COLLATE "C" DEFAULT 'it''s', n numeric(4,2) NOT NULL);
CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (half * 2) STORED, half int);
ALTER TABLE made ALTER half SET STATISTICS 7, ALTER half SET (n_distinct = 5), SET (fillfactor = 70);
ALTER TABLE made ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL;
CREATE POLICY mine ON made AS RESTRICTIVE FOR UPDATE USING (half > 0) WITH CHECK (half > 1);
CREATE SEQUENCE down AS smallint INCREMENT -2 MINVALUE -9 MAXVALUE 9 START 5 CYCLE;
CREATE VIEW barrier WITH (security_barrier = true) AS SELECT half FROM made;
CREATE MATERIALIZED VIEW later AS SELECT 1 AS one WITH NO DATA;
CREATE TABLE listed (x varchar CHECK (x IN ('a', 'it''s, b'))); CREATE INDEX few ON listed (x) WHERE x IN ('a', 'b');
CREATE VIEW chosen AS SELECT x FROM listed WHERE x IN ('a', 'b');
CREATE TABLE other_parts PARTITION OF parts DEFAULT;
CREATE FUNCTION of_row(made) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION given() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE uses (n int DEFAULT given(), m mood, CHECK (of_row(NULL::made) > 0));
ALTER TABLE a DISABLE TRIGGER t;
COMMENT ON COLUMN made.half IS 'one'; COMMENT ON INDEX ix IS 'two'; COMMENT ON CONSTRAINT positive ON b IS 'three';
COMMENT ON VIEW v IS 'four'; COMMENT ON FUNCTION f(int) IS 'five'; COMMENT ON TRIGGER t ON a IS 'six';
COMMENT ON TYPE mood IS 'seven'; COMMENT ON SCHEMA app IS 'eight'; COMMENT ON DOMAIN positive IS 'nine';
"""


def read(url: str) -> Schema:
    with open_reader(url) as reader:
        return without_access(reader.schema(version_table="alembic_version"))


@pytest.fixture
def empty_url(postgres_server: str) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex}"
    with connect(postgres_server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_what_was_read_can_be_made_again(postgres_url: str, empty_url: str) -> None:
    base = ";\n".join(sql for sql in (BASE + _MORE).split(";\n") if not any(word in sql for word in _NOT_REMADE))
    with connect(postgres_url) as session:
        session.execute((ROLES + base).encode())
    schema = read(postgres_url)
    assert remake(empty_url, schema, version_table="alembic_version", revisions=("a1",))
    assert diff(schema, read(empty_url)) == ()
    with open_reader(empty_url) as reader:
        assert reader.revisions("alembic_version") == ("a1",)


def test_what_cannot_be_made_leaves_nothing_behind(postgres_url: str, empty_url: str) -> None:
    with connect(postgres_url) as session:
        session.execute(b"CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    schema = read(postgres_url)
    with connect(empty_url) as session:
        session.execute(b"CREATE TABLE t (id int)")
    assert not remake(empty_url, schema, version_table="alembic_version", revisions=None)
    assert [table.name for table in read(empty_url).tables] == ["t"]
    assert not [other for other in read(empty_url).others if other.kind == "function"]
