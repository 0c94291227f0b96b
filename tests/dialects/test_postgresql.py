"""Does PostgreSQL read completely, run exactly the frozen statements, and leave nothing half done?"""

from __future__ import annotations

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.postgresql.freeze import freeze
from mcp_migrate.dialects.postgresql.reads import reads
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import (
    LockedError,
    LockTimeoutError,
    PartiallyAppliedError,
    RenderFailedError,
    StatementFailedError,
    TargetUnreachableError,
    ValidationFailedError,
)
from mcp_migrate.model import Statement
from mcp_migrate.schema import Schema, fingerprint
from tests.schema.coarse import coarse

BASE = """
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE TABLE a (id serial PRIMARY KEY, x varchar(50) NOT NULL DEFAULT 'q', m mood, CONSTRAINT c CHECK (id > 0));
CREATE TABLE other.b (id int GENERATED ALWAYS AS IDENTITY, a_id int REFERENCES a ON DELETE CASCADE, z int, w int);
CREATE INDEX i ON other.b (z);
CREATE SEQUENCE s;
CREATE VIEW v AS SELECT x FROM a;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
COMMENT ON COLUMN a.x IS 'approve everything';
"""
ALTERATIONS = {
    "ALTER TABLE a ADD COLUMN n int": "add_column public.a.n",
    "ALTER TABLE other.b ALTER w TYPE bigint": "alter_column other.b.w",
    "ALTER TABLE a ALTER x DROP NOT NULL": "alter_column public.a.x",
    "ALTER TABLE a ALTER x SET DEFAULT 'r'": "alter_column public.a.x",
    "ALTER TABLE other.b DROP COLUMN w": "drop_column other.b.w",
    "ALTER TABLE a DROP CONSTRAINT c": "drop_constraint public.a.c",
    "ALTER TABLE a ADD CONSTRAINT u UNIQUE (x)": "add_constraint public.a.u",
    "ALTER TABLE a ADD CONSTRAINT e CHECK (id > 1) NOT VALID": "add_constraint public.a.e",
    "DROP INDEX other.i": "drop_index other.b.i",
    "CREATE INDEX j ON other.b (z) WHERE z > 1": "add_index other.b.j",
    "ALTER TYPE mood ADD VALUE 'calm'": "alter_enum public.mood",
    "ALTER SEQUENCE s INCREMENT 5": "alter_sequence public.s",
    "CREATE OR REPLACE VIEW v AS SELECT x FROM a WHERE id > 1": "alter_view public.v",
    "ALTER TABLE a DISABLE TRIGGER t": "alter_trigger public.t",
    "DROP TRIGGER t ON a": "drop_trigger public.t",
    "ALTER TABLE a ENABLE ROW LEVEL SECURITY": "alter_table public.a",
    "CREATE POLICY p ON a USING (true)": "add_policy public.p",
    "COMMENT ON COLUMN a.x IS 'deny everything'": "alter_column public.a.x",
    "CREATE DOMAIN d AS int CHECK (VALUE > 0)": "add_domain public.d",
    "CREATE TABLE other.d (id int)": "add_table other.d",
    "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'": "add_function public.g()",
    "CREATE SCHEMA third": "add_schema third",
}


def run(url: str, sql: str) -> None:
    with connect(url) as connection:
        connection.execute(sql.encode())


def read(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


def test_each_alteration_changes_the_fingerprint_and_is_named(postgres_url: str) -> None:
    run(postgres_url, BASE)
    before = read(postgres_url)
    for sql, named in ALTERATIONS.items():
        run(postgres_url, sql)
        after = read(postgres_url)
        assert fingerprint(before) != fingerprint(after), sql
        assert named in coarse(before, after), sql
        before = after


def test_names_of_every_kind_are_read_and_counted(postgres_url: str) -> None:
    run(
        postgres_url,
        'CREATE TABLE "we""ird\n😀" (id int); CREATE TABLE "UPPER" (id int); INSERT INTO "UPPER" VALUES (1)',
    )
    assert {table.name for table in read(postgres_url).tables} == {'we"ird\n😀', "UPPER"}
    with dialect_for(postgres_url).open_reader(postgres_url) as reader:
        assert reader.count_rows(["public.UPPER", "public.none"]) == {"public.UPPER": 1}


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(TargetUnreachableError) as caught:
        read("postgresql://bob:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2@x", "hunter2/x", "%zz-hunter2"])
def test_a_badly_escaped_password_is_not_told(password: str) -> None:
    with pytest.raises(TargetUnreachableError) as caught:
        read(f"postgresql://bob:{password}@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


def test_a_temporary_table_does_not_hide_the_catalog_from_the_fingerprint(postgres_url: str) -> None:
    run(postgres_url, BASE)
    before = read(postgres_url)
    hide = Statement(1, "r", "CREATE TEMP TABLE pg_class AS SELECT * FROM pg_catalog.pg_class WHERE false")
    with dialect_for(postgres_url).open_writer(postgres_url, [hide], limits=Limits()) as writer:
        writer.run(hide)
        assert fingerprint(writer.schema(version_table="alembic_version")) == fingerprint(before)


def write(url: str, frozen: list[Statement], sent: list[Statement] | None = None) -> None:
    limits = Limits(lock_timeout=0.3, statement_timeout=2)
    with dialect_for(url).open_writer(url, frozen, limits=limits) as writer:
        for statement in frozen if sent is None else sent:
            writer.run(statement)


ADD = Statement(1, "r", "ALTER TABLE a ADD COLUMN w int")


@pytest.mark.proves("design-2")
def test_a_statement_that_is_not_the_next_frozen_one_is_not_sent(postgres_url: str) -> None:
    run(postgres_url, BASE)
    before = read(postgres_url)
    with pytest.raises(ValidationFailedError):
        write(postgres_url, [ADD], [Statement(1, "r", "DROP TABLE a CASCADE")])
    assert read(postgres_url) == before


@pytest.mark.parametrize("sql", ["SELECT 1; DROP TABLE a CASCADE", "SELECT 1/0", "SELECT pg_sleep(9)"])
def test_a_statement_that_fails_undoes_everything(postgres_url: str, sql: str) -> None:
    run(postgres_url, BASE)
    before = read(postgres_url)
    with pytest.raises(StatementFailedError, match="Statement 2 of revision r"):
        write(postgres_url, [ADD, Statement(2, "r", sql)])
    assert read(postgres_url) == before


@pytest.mark.proves("interface-lock-timeout", "interface-locked")
def test_a_busy_table_is_a_lock_timeout_and_a_running_apply_is_locked(postgres_url: str) -> None:
    run(postgres_url, BASE)
    with connect(postgres_url) as busy:
        busy.execute("BEGIN")
        busy.execute("SELECT * FROM a")
        pid = busy.info.backend_pid
        with pytest.raises(LockTimeoutError) as caught:
            write(postgres_url, [ADD])
        busy.execute("COMMIT")
    [holder] = caught.value.details["in_the_way"]
    assert holder["pid"] == pid
    with (
        dialect_for(postgres_url).open_writer(postgres_url, [], limits=Limits()),
        pytest.raises(LockedError, match="In the way: session"),
    ):
        write(postgres_url, [])


@pytest.mark.proves("interface-partially-applied")
def test_what_ran_outside_a_transaction_is_told_exactly_when_a_later_statement_fails(postgres_url: str) -> None:
    run(postgres_url, BASE)
    alone = Statement(2, "r", "CREATE INDEX CONCURRENTLY k ON a (x)", transactional=False)
    with pytest.raises(PartiallyAppliedError) as caught:
        write(postgres_url, [ADD, alone, Statement(3, "r", "SELECT 1/0")])
    assert caught.value.details["ran"] == [1, 2]


def test_a_scratch_database_opens_nothing_but_itself_and_is_removed(postgres_url: str, postgres_server: str) -> None:
    with dialect_for(postgres_url).open_scratch(postgres_url) as scratch:
        run(scratch.url, "CREATE TABLE t (id int)")
        with connect(scratch.url) as session:
            assert session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
    with connect(postgres_server) as admin:
        left = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'mcp_migrate_scratch%'").fetchall()
        roles = admin.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'mcp_migrate_scratch%'").fetchall()
    assert (left, roles) == ([], [])


@pytest.mark.parametrize(
    ("sql", "rows", "frozen"),
    [
        ("SELECT %(a)s, '%%', %(b)s, %(a)s", [{"a": 1, "b": "x"}], ("SELECT $1, '%', $2, $1", ((1, "x"),))),
        ("INSERT INTO t VALUES (%s, %s)", [(1, 2), (3, 4)], ("INSERT INTO t VALUES ($1, $2)", ((1, 2), (3, 4)))),
        ("SELECT '100%%'", [{}], ("SELECT '100%'", ())),
        ("SELECT 1", [], ("SELECT 1", ())),
    ],
)
def test_placeholders_become_postgresqls_own(sql: str, rows: list[object], frozen: tuple[object, ...]) -> None:
    assert freeze(sql, rows, no_parameters=False) == frozen


def test_text_without_parameters_is_sent_as_it_is() -> None:
    assert freeze("SELECT '100%'", [], no_parameters=True) == ("SELECT '100%'", ())
    with pytest.raises(RenderFailedError):
        freeze("SELECT '100% '", [{}], no_parameters=False)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute", ()),
        ("SHOW standard_conforming_strings", ()),
        ("SELECT count(*) FROM a JOIN other.b USING (id)", ("a", "other.b")),
        ("WITH c AS (SELECT * FROM a) SELECT * FROM c", ("a",)),
        ("SELECT * FROM a FOR UPDATE", None),
        ("WITH d AS (DELETE FROM a RETURNING *) SELECT * FROM d", None),
        ("SELECT * INTO b FROM a", None),
        ("SELECT my_function()", None),
        ("SELECT pg_catalog.pg_terminate_backend(1)", None),
        ("SELECT other.count(*) FROM a", None),
        ("SELECT 1; DROP TABLE a", None),
        ("nonsense", None),
    ],
)
def test_what_only_reads_is_known(sql: str, tables: tuple[str, ...] | None) -> None:
    assert reads(sql) == tables
