"""Is every part of a PostgreSQL schema read, whatever the session that reads it has been through?"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from psycopg import OperationalError
from psycopg.errors import LockNotAvailable, UndefinedTable

from mcp_migrate.dialects.postgresql.ahead import ahead
from mcp_migrate.dialects.postgresql.catalogs import query
from mcp_migrate.dialects.postgresql.reader import PostgresReader, open_reader
from mcp_migrate.drivers.postgresql import connect, libpq_url
from mcp_migrate.errors import TargetUnreachableError
from mcp_migrate.schema import Schema, diff, fingerprint, fingerprints, without_access
from tests.dialects.alterations import ALTERATIONS, BASE, ROLES, SINCE_15, SINCE_18
from tests.schema.coarse import coarse


def run(url: str, sql: str) -> None:
    with connect(url) as connection:
        connection.execute(sql.encode())


def read(url: str) -> Schema:
    with open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


@pytest.mark.parametrize("server", ["postgres_url", "older_url"])
def test_each_alteration_changes_the_fingerprint_and_is_named(request: pytest.FixtureRequest, server: str) -> None:
    url = request.getfixturevalue(server)
    run(url, ROLES + BASE)
    _each(url, read(url), ALTERATIONS)


@pytest.mark.parametrize("since", [SINCE_15, SINCE_18])
def test_what_later_versions_can_alter_is_seen(postgres_url: str, since: Mapping[str, str | tuple[str, ...]]) -> None:
    run(postgres_url, ROLES + BASE)
    _each(postgres_url, read(postgres_url), since)


def _each(url: str, before: Schema, alterations: Mapping[str, str | tuple[str, ...]]) -> None:
    for sql, named in alterations.items():
        run(url, sql)
        after = read(url)
        found = sorted(coarse(before, after))
        assert found == ([named] if isinstance(named, str) else list(named)), sql
        assert fingerprint(before) != fingerprint(after), sql
        one, two = fingerprints(before), fingerprints(after)
        assert {name for name in one.keys() | two.keys() if one.get(name) != two.get(name)}, sql
        before = after


def test_two_versions_give_one_fingerprint(postgres_url: str, older_url: str) -> None:
    for url in (postgres_url, older_url):
        run(url, ROLES + BASE)
    assert diff(read(postgres_url), read(older_url)) == ()
    assert fingerprint(read(postgres_url)) == fingerprint(read(older_url))


@pytest.mark.parametrize("server", ["postgres_url", "older_server"])
def test_a_dump_restored_gives_the_same_fingerprint(
    request: pytest.FixtureRequest, older_url: str, older_programs: Path, server: str, tmp_path: Path
) -> None:
    run(older_url, ROLES + BASE)
    before = read(older_url)
    dump = tmp_path / "dump"
    subprocess.run([older_programs / "pg_dump", "-Fc", "-f", dump, "-d", older_url], check=True)
    run(older_url, "DROP OWNED BY bob")
    url = request.getfixturevalue(server)
    if server == "older_server":
        run(url, "DROP DATABASE IF EXISTS restored WITH (FORCE)")
        run(url, "CREATE DATABASE restored")
        url = url.replace("/postgres?", "/restored?")
    run(url, ROLES)
    subprocess.run([older_programs / "pg_restore", "--exit-on-error", "-d", url, dump], check=True)
    assert diff(before, read(url)) == ()
    assert fingerprint(before) == fingerprint(read(url))


def test_another_role_with_other_settings_sees_the_same_schema(postgres_url: str) -> None:
    run(postgres_url, ROLES + BASE + "CREATE ROLE mallory LOGIN; CREATE TABLE app.inner (n int)")
    run(postgres_url, "ALTER TABLE c ENABLE ROW LEVEL SECURITY; GRANT SELECT ON c TO PUBLIC")
    expected = read(postgres_url)
    odd = "-c search_path=app,public -c timezone=Asia/Kolkata -c datestyle=German -c quote_all_identifiers=on"
    with connect(postgres_url, user="mallory", options=odd) as session:
        seen = PostgresReader(session).schema(version_table="alembic_version")
    run(postgres_url, "DROP OWNED BY mallory; DROP ROLE mallory")
    assert fingerprint(seen) == fingerprint(expected)
    assert expected.unseen == ()
    assert "rows of public.a: no right to read it" in seen.unseen
    assert "rows of public.c: row security hides some" in seen.unseen
    assert "rows of app.inner: no right to use its schema" in seen.unseen


def test_what_a_role_may_not_count_is_estimated_and_never_empty(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE ROLE counter LOGIN; CREATE SCHEMA app; CREATE TABLE app.few AS SELECT generate_series(1, 7);"
        "CREATE TABLE app.none (n int); CREATE TABLE app.unknown (n int); CREATE TABLE open (n int);"
        "GRANT SELECT ON open TO counter; ANALYZE app.few; ANALYZE app.none",
    )
    with connect(postgres_url, user="counter") as session:
        reader = PostgresReader(session)
        counted = reader.count_rows(["app.few", "app.none", "app.gone", "public.open"])
        with pytest.raises(TargetUnreachableError, match=r"app\.unknown cannot be counted"):
            reader.count_rows(["public.open", "app.unknown"])
    run(postgres_url, "DROP OWNED BY counter; DROP ROLE counter")
    assert counted == {"app.few": 7, "app.none": 1, "public.open": 0}


def test_numbers_that_the_server_keeps_with_columns_are_no_options(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int); ALTER TABLE t ALTER id SET (n_distinct = 5)")
    before = read(postgres_url)
    run(
        postgres_url,
        "SET allow_system_table_mods = on; UPDATE pg_attribute SET attoptions = attoptions || '{pg_attver=7}'::text[]"
        " WHERE attrelid = 't'::regclass AND attnum > 0",
    )
    assert read(postgres_url) == before
    assert before.tables[0].columns[0].options == ("n_distinct=5",)


def test_who_owns_everything_is_no_difference_and_who_owns_one_thing_is(postgres_url: str) -> None:
    run(postgres_url, ROLES + "CREATE TABLE alembic_version (version_num text); CREATE TABLE a (id serial)")
    before = read(postgres_url)
    run(postgres_url, "ALTER TABLE alembic_version OWNER TO bob; ALTER TABLE a OWNER TO bob")
    assert fingerprint(read(postgres_url)) == fingerprint(before)
    run(postgres_url, 'ALTER TABLE a OWNER TO "Eve O\'Neil"')
    after = read(postgres_url)
    assert fingerprint(after) != fingerprint(before)
    assert fingerprint(without_access(after)) == fingerprint(without_access(before))


def test_names_of_every_kind_are_read(postgres_url: str) -> None:
    names = ['we"ird\n😀', "a.b", "Größe " + "x" * 55, "order", "%s $1 :x"]
    for name in names:
        spelt = '"' + name.replace('"', '""') + '"'
        run(
            postgres_url,
            f"CREATE TABLE {spelt} ({spelt} int PRIMARY KEY); COMMENT ON TABLE {spelt} IS 'x'",
        )
    schema = read(postgres_url)
    assert {(table.name, table.columns[0].name) for table in schema.tables} == {(name, name) for name in names}


def test_an_empty_database_is_an_empty_schema(postgres_url: str) -> None:
    schema = read(postgres_url)
    assert schema.tables == ()
    assert [other.qualified for other in schema.others] == ["public"]


@pytest.mark.parametrize("dropped", ["VIEW v", "TABLE a CASCADE"])
def test_what_is_dropped_while_it_is_read_is_told(postgres_url: str, dropped: str) -> None:
    run(postgres_url, "CREATE TABLE a (id int CHECK (id > 0)); CREATE VIEW v AS SELECT id FROM a")
    with pytest.raises(TargetUnreachableError, match="changed while it was read"), open_reader(postgres_url) as reader:
        _changed_meanwhile(postgres_url, reader, dropped)


def _changed_meanwhile(url: str, reader: PostgresReader, dropped: str) -> None:
    reader.revisions("alembic_version")  # from here on, what is read is how it was
    run(url, f"DROP {dropped}")
    reader.schema(version_table="alembic_version")


def test_who_changes_a_view_does_not_make_a_reader_wait_for_ever(postgres_url: str) -> None:
    run(postgres_url, "CREATE VIEW v AS SELECT 1 AS a")
    with connect(postgres_url) as other, ExitStack() as stack:
        other.execute(b"BEGIN; ALTER VIEW v ALTER a SET DEFAULT 3")
        reader = stack.enter_context(open_reader(postgres_url))
        assert reader._ask("SHOW lock_timeout") == [("10s",)]
        reader._ask("SELECT set_config('lock_timeout', '50ms', true)")
        with pytest.raises(LockNotAvailable):
            reader.schema(version_table="alembic_version")


def test_another_route_to_the_same_schema_is_the_same_schema(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE t (id int PRIMARY KEY, n text); CREATE TABLE u (t_id int REFERENCES t)",
    )
    before = read(postgres_url)
    run(
        postgres_url,
        "DROP TABLE u, t; CREATE TABLE u (); CREATE TABLE t (n text, gone int, id bigint CONSTRAINT odd NOT NULL);"
        "ALTER TABLE t DROP gone, ALTER id TYPE int, ADD PRIMARY KEY (id);"
        "ALTER TABLE u ADD t_id integer, ADD FOREIGN KEY (t_id) REFERENCES public.t (id)",
    )
    assert diff(before, read(postgres_url)) == ()


def test_partitions_made_in_another_order_are_the_same_schema(postgres_url: str) -> None:
    made = [f"CREATE TABLE part{n} PARTITION OF parts FOR VALUES FROM ({n}0) TO ({n}9)" for n in (1, 2)]
    table = "CREATE TABLE parts (k int PRIMARY KEY) PARTITION BY RANGE (k)"
    user = "CREATE TABLE r (k int REFERENCES parts)"
    run(postgres_url, ";".join([table, user, *made]))
    before = read(postgres_url)
    run(postgres_url, ";".join(["DROP TABLE r, parts", table, *reversed(made), user]))
    assert diff(before, read(postgres_url)) == ()


def test_what_belongs_to_a_column_an_extension_or_us_is_no_object_of_its_own(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY);"
        "CREATE TABLE alembic_version (version_num text);"
        "CREATE SCHEMA mcp_migrate; CREATE TABLE mcp_migrate.t (a int)",
    )
    schema = read(postgres_url)
    assert [table.qualified for table in schema.tables] == ["public.t"]
    assert [other.qualified for other in schema.others] == ["public"]


@pytest.mark.parametrize(
    "deceit",
    [
        "CREATE TEMP TABLE pg_class AS SELECT * FROM pg_catalog.pg_class WHERE relname <> 'a'",
        "CREATE TEMP TABLE a (lie int); CREATE TEMP TABLE alembic_version AS SELECT 'lie' AS version_num",
        "CREATE SCHEMA lies; CREATE TABLE lies.pg_class (oid oid, relkind text); SET search_path = lies, pg_catalog",
    ],
)
def test_a_session_that_a_plan_ran_in_cannot_lie_to_its_reader(postgres_url: str, deceit: str) -> None:
    run(postgres_url, "CREATE TABLE a (id int); INSERT INTO a VALUES (1)")
    expected = read(postgres_url)
    with connect(postgres_url) as session:
        session.execute(b"BEGIN")
        session.execute(deceit.encode())
        before = session.execute(b"SHOW search_path").fetchone()
        reader = PostgresReader(session)
        assert reader.schema(version_table="alembic_version").table("public.a") == expected.table("public.a")
        assert reader.count_rows(["public.a"]) == {"public.a": 1}
        assert reader.revisions("alembic_version") == ()
        assert session.execute(b"SHOW search_path").fetchone() == before


def test_a_thousand_tables_take_no_more_queries_than_one(postgres_url: str, tmp_path: Path) -> None:
    def asked(tables: int) -> int:
        trace = tmp_path / str(tables)
        with connect(postgres_url) as session, trace.open("w") as file:
            session.pgconn.trace(file.fileno())
            assert len(PostgresReader(session).schema(version_table="v").tables) == tables
            session.pgconn.untrace()
        return trace.read_text().count("\tParse\t")

    create = "EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int UNIQUE CHECK (a > 0))', n);"
    run(postgres_url, f"DO $$ BEGIN FOR n IN 0..0 LOOP {create} END LOOP; END $$")
    one = asked(1)
    run(
        postgres_url,
        f"DO $$ BEGIN FOR n IN 1..999 LOOP {create} IF n % 100 = 0 THEN COMMIT; END IF; END LOOP; END $$",
    )
    assert asked(1_000) == one


def test_a_failure_while_asking_ahead_leaves_a_connection_that_can_be_used(postgres_url: str) -> None:
    with connect(postgres_url) as session:
        with ahead(session) as asking:
            asking.ask("first", "SELECT 1")
            asking.ask("second", "SELECT * FROM nowhere")
            asking.ask("third", "SELECT 3")
            assert list(asking.rows("first")) == [(1,)]
            with pytest.raises(UndefinedTable, match="nowhere"):
                asking.rows("third")
        assert session.execute(b"SELECT 4").fetchall() == [(4,)]


def test_a_server_that_ends_while_asked_ahead_is_told(postgres_url: str) -> None:
    with connect(postgres_url) as session, connect(postgres_url) as other, ahead(session) as asking:
        asking.ask("sleep", "SELECT pg_sleep(20)")
        other.execute(b"SELECT pg_terminate_backend($1)", [session.info.backend_pid])
        with pytest.raises(OperationalError):
            asking.rows("sleep")


def test_reading_changes_nothing(postgres_url: str) -> None:
    with pytest.raises(TargetUnreachableError, match="read-only"), open_reader(postgres_url) as reader:
        reader._ask("CREATE TABLE t (id int)")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_a_url_for_any_driver_is_read(scheme: str) -> None:
    assert libpq_url(f"{scheme}://ada:x%40y@db.example:5433/shop?sslmode=require") == (
        "postgresql://ada:x%40y@db.example:5433/shop?sslmode=require"
    )


@pytest.mark.parametrize(
    "password", ["hunter2", "hunter2%zz", "hunt@hunter2", "hunt/hunter2", "hunt#hunter2", "hunt:hunter2"]
)
def test_no_part_of_a_password_is_told(password: str) -> None:
    with pytest.raises(TargetUnreachableError) as caught:
        read(f"postgresql+psycopg://ada:{password}@127.0.0.1:1/none")
    assert "hunt" not in str(caught.value)
    assert "hunt" not in str(caught.value.__cause__)


@pytest.mark.parametrize("version", [14, 15, 18])
@pytest.mark.parametrize(
    "name",
    [
        "tables",
        "others",
        "columns",
        "defaults",
        "expressions",
        "written",
        "comments",
        "details",
        "remarks",
        "constraints",
        "classes",
        "indexes",
        "definitions",
        "kinds",
        "grants",
        "countable",
    ],
)
def test_each_query_is_one_statement_that_asks_a_server_only_for_what_it_has(name: str, version: int) -> None:
    import postgast

    sql = query(name, version)
    [statement] = postgast.parse(sql).stmts
    assert statement.stmt.WhichOneof("node") == "select_stmt"
    assert ("prqual" in sql or "pg_publication_namespace" in sql) == (name == "others" and version > 14)
