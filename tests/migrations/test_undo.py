"""Does a rollback bring back what was lost, and nothing that was written since go?"""
# ruff: noqa: S608  names and values are the tests' own

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers import mysql
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import StatementFailedError, UndoConflictError
from mcp_migrate.migrations.undo import Keeping
from mcp_migrate.model import Effect, Plan
from mcp_migrate.rules import judge
from mcp_migrate.schema import diff, shape
from tests.migrations.undoing import Made, contents, derived, losses, plan_for, run, schema_of, tables

Ask = Callable[[str], list[Any]]
LAW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEWER = settings(LAW, max_examples=25)
PARKING = st.sampled_from([Keeping(), Keeping(park=0)])
"""Whether what is dropped of tables with rows is copied, or moved aside."""
FEWEST = settings(LAW, max_examples=12)
LONE = "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a text NOT NULL, b integer)"


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[tuple[str, Ask]]:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        yield f"sqlite:///{path}", lambda sql: database.execute(sql).fetchall()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[tuple[str, Ask]]:
    with connect(postgres_url) as database:
        database.prepare_threshold = None  # tables change their shape under the same queries

        def ask(sql: str) -> list[Any]:
            done = database.execute(sql.encode())
            return done.fetchall() if done.description else []

        yield postgres_url, ask


@pytest.fixture
def maria(mariadb_url: str) -> Iterator[tuple[str, Ask]]:
    with mysql.connect(mariadb_url) as database:

        def ask(sql: str) -> list[Any]:
            with database.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())

        yield mariadb_url, ask


def emptied(place: tuple[str, Ask]) -> tuple[str, Ask]:
    """The same database with nothing in it."""
    url, ask = place
    if url.startswith("sqlite"):
        for (name,) in ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            ask(f'DROP TABLE "{name}"')
    elif url.startswith("mariadb"):
        [(name,)] = ask("SELECT database()")
        for sql in (f"DROP DATABASE {name}", f"CREATE DATABASE {name}", f"USE {name}"):
            ask(sql)
    else:
        ask("DROP SCHEMA public CASCADE")
        ask("CREATE SCHEMA public")
        ask("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    return url, ask


def everything_comes_back(place: tuple[str, Ask], data: st.DataObject) -> None:
    url, ask = emptied(place)
    dialect = dialect_for(url).name
    made = data.draw(tables(dialect))
    for sql in [sql for table in made for sql in (table.create(), *table.fill())]:
        ask(sql)
    up, down, _ = data.draw(losses(made, dialect))
    if dialect_for(url).inverter() is not None and data.draw(st.booleans(), label="derived"):
        down = derived(url, made, up)
    plan = plan_for(url, up, down, data.draw(PARKING))
    before, rows = shape(schema_of(url)), contents(ask, made)
    run(url, plan.statements)
    assert Effect.UNKNOWN not in effects(plan, url)
    if plan.undo is None or not plan.undo.restores_data:
        return
    run(url, plan.reverse.statements)
    assert shape(schema_of(url)) == before
    assert contents(ask, made) == rows


def effects(plan: Plan, url: str) -> set[Effect]:
    judged = judge(plan.reverse.statements, dialect=plan.dialect, schema=schema_of(url))
    ours = {statement.n for statement in plan.reverse.statements if statement.kind == "restore"}
    return {effect for judgement in judged if judgement.n in ours for effect in judgement.effects}


@LAW
@given(data=st.data())
@pytest.mark.proves("design-5")
def test_every_row_is_equal_to_the_start_on_sqlite(lite: tuple[str, Ask], data: st.DataObject) -> None:
    everything_comes_back(lite, data)


@FEWER
@given(data=st.data())
@pytest.mark.proves("design-5")
def test_every_row_is_equal_to_the_start_on_postgresql(postgres: tuple[str, Ask], data: st.DataObject) -> None:
    everything_comes_back(postgres, data)


@FEWEST
@given(data=st.data())
@pytest.mark.proves("design-5")
def test_every_row_is_equal_to_the_start_on_mariadb(maria: tuple[str, Ask], data: st.DataObject) -> None:
    everything_comes_back(maria, data)


def test_a_column_is_not_parked_in_a_table_that_goes_afterwards(postgres: tuple[str, Ask]) -> None:
    url, ask = emptied(postgres)
    ask(LONE)
    ask("INSERT INTO t SELECT n, 'a' || n, n FROM generate_series(1, 5) AS n")
    before = ask("SELECT id, a, b FROM t ORDER BY id")
    up = ["ALTER TABLE t DROP COLUMN a", "DROP TABLE t"]
    down = ["CREATE TABLE t (id integer NOT NULL PRIMARY KEY, b integer)", "ALTER TABLE t ADD COLUMN a text NOT NULL"]
    plan = plan_for(url, up, down, Keeping(park=0))
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    assert ask("SELECT id, a, b FROM t ORDER BY id") == before


def nothing_new_is_lost(place: tuple[str, Ask], data: st.DataObject) -> None:
    """Rows are written between apply and rollback: each value written stays, each value not written comes back."""
    url, ask = emptied(place)
    table = Made("t", keyed=True, columns={"a": ("text", True), "b": ("integer", True)})
    table.rows = [[str(n), f"'a{n}'", str(n)] for n in range(6)]
    for sql in (table.create(), *table.fill()):
        ask(sql)
    up, down = data.draw(
        st.sampled_from(
            [
                (["ALTER TABLE t DROP COLUMN a"], ["ALTER TABLE t ADD COLUMN a text"]),
                (["UPDATE t SET b = -1 WHERE id < 4"], []),
                (["DELETE FROM t WHERE id > 3"], []),
                (["UPDATE t SET b = b + 1", "DELETE FROM t WHERE id = 2", "UPDATE t SET b = 0 WHERE id = 1"], []),
            ]
        )
    )
    start = {row[0]: row[1:] for row in ask("SELECT id, a, b FROM t")}
    plan = plan_for(url, up, down, data.draw(PARKING))
    run(url, plan.statements)
    assert plan.undo is not None
    assert plan.undo.restores_data
    there = [row[0] for row in ask("SELECT id FROM t")]
    updated = data.draw(st.sets(st.sampled_from(there)))
    deleted = data.draw(st.sets(st.sampled_from(there)))
    added = data.draw(st.sets(st.sampled_from([100, 101])))
    for sql in (
        *(f"UPDATE t SET b = 77 WHERE id = {n}" for n in updated),
        *(f"DELETE FROM t WHERE id = {n}" for n in deleted),
        *(f"INSERT INTO t (id, b) VALUES ({n}, 88)" for n in added),
    ):
        ask(sql)
    run(url, plan.reverse.statements)
    end = {row[0]: row[1:] for row in ask("SELECT id, a, b FROM t")}
    assert end.keys() == (start.keys() - deleted) | added
    for n, (a, b) in end.items():
        expected = (None, 88) if n in added else (start[n][0], 77 if n in updated else start[n][1])
        assert (a, b) == expected


@LAW
@given(data=st.data())
def test_what_was_written_since_stays_on_sqlite(lite: tuple[str, Ask], data: st.DataObject) -> None:
    nothing_new_is_lost(lite, data)


@FEWER
@given(data=st.data())
def test_what_was_written_since_stays_on_postgresql(postgres: tuple[str, Ask], data: st.DataObject) -> None:
    nothing_new_is_lost(postgres, data)


@FEWEST
@given(data=st.data())
def test_what_was_written_since_stays_on_mariadb(maria: tuple[str, Ask], data: st.DataObject) -> None:
    nothing_new_is_lost(maria, data)


CONFLICTS: dict[str, tuple[list[str], list[str], str, str]] = {
    "a key taken again": (["DELETE FROM t WHERE id = 1"], [], "INSERT INTO t VALUES (1, 'new', 5)", "have the keys"),
    "no value for a column": (
        ["ALTER TABLE t DROP COLUMN a"],
        ["ALTER TABLE t ADD COLUMN a text NOT NULL"],
        "INSERT INTO t (id, b) VALUES (9, 5)",
        "have no value for public.t.a",
    ),
    "an emptied table filled again": (["TRUNCATE t"], [], "INSERT INTO t VALUES (1, 'new', 5)", "have the keys"),
    "rows without a key": (
        ["ALTER TABLE n DROP COLUMN b"],
        ["ALTER TABLE n ADD COLUMN b integer"],
        "UPDATE n SET a = 'other'",
        "which no key tells apart",
    ),
}


@pytest.mark.parametrize(
    ("up", "down"),
    [
        (["DELETE FROM c"], []),
        (["DROP TABLE c"], ["CREATE TABLE c (id integer NOT NULL PRIMARY KEY, p integer REFERENCES p (id))"]),
        (["ALTER TABLE c DROP COLUMN p"], ["ALTER TABLE c ADD COLUMN p integer REFERENCES p (id)"]),
    ],
)
def test_rows_that_would_refer_to_rows_that_are_gone_do_not_come_back(
    anywhere: tuple[str, Ask], up: list[str], down: list[str]
) -> None:
    url, ask = anywhere
    for sql in (
        "CREATE TABLE p (id integer NOT NULL PRIMARY KEY)",
        "CREATE TABLE c (id integer NOT NULL PRIMARY KEY, p integer REFERENCES p (id))",
        "INSERT INTO p VALUES (1), (2)",
        "INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL)",
    ):
        ask(sql)
    if "postgres" not in url and "DROP COLUMN" in up[0]:
        up = ["DELETE FROM c WHERE id = 2"]  # no other database drops a column that refers to a table
        down = []
    plan = plan_for(url, up, down)
    run(url, plan.statements)
    ask("DELETE FROM p WHERE id = 2")
    with pytest.raises(UndoConflictError, match=r"refers to rows of \w+\.p that are gone"):
        run(url, plan.reverse.statements)
    ask("INSERT INTO p VALUES (2)")
    run(url, plan.reverse.statements)
    assert ask("SELECT * FROM c ORDER BY id") == [(1, 1), (2, 2), (3, None)]


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_conflict_is_refused_and_nothing_is_overwritten(postgres: tuple[str, Ask], case: str) -> None:
    url, ask = postgres
    up, down, since, why = CONFLICTS[case]
    for sql in (LONE, "CREATE TABLE n (a text, b integer)", "INSERT INTO n VALUES ('x', 1), ('x', 1)"):
        ask(sql)
    ask("INSERT INTO t VALUES (1, 'old', 1), (2, 'old', 2)")
    plan = plan_for(url, up, down)
    run(url, plan.statements)
    ask(since)
    rows = ask("SELECT * FROM t"), ask("SELECT * FROM n")
    with pytest.raises(UndoConflictError, match=why):
        run(url, plan.reverse.statements)
    assert (ask("SELECT * FROM t"), ask("SELECT * FROM n")) == rows


TYPES = {
    "json": '\'{"b": 1,  "a": 2, "a": 3}\'',
    "jsonb": "'[1, null]'",
    "bytea": r"'\x00ff'",
    "numeric": "'1.500'",
    "double precision": "'NaN'",
    "timestamptz": "'2026-01-02 03:04:05.678901+02'",
    "interval": "'1 mon -3 days'",
    "text[]": "'{a,NULL,\"b,c\"}'",
    "mood[]": "'{sad,glad}'",
    "mood": "'glad'",
    "pair": "'(1,\"x y\")'",
    "small": "7",
    "point": "'(1,2)'",
    "tsvector": "'a:1 b:2'",
    "int4range": "'[1,5)'",
    "xml": "'<a/>'",
    "uuid": "'00000000-0000-0000-0000-000000000001'",
    "bit varying": "'101'",
    "money": "'1.50'",
}


def test_values_of_every_type_come_back_as_they_were(postgres: tuple[str, Ask]) -> None:
    url, ask = postgres
    ask("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    ask("CREATE TYPE pair AS (n integer, word text)")
    ask("CREATE DOMAIN small AS integer CHECK (VALUE < 10)")
    usable = {name: value for name, value in TYPES.items() if name != "xml" or _knows_xml(ask)}
    columns = [(f"c{i}", name, value) for i, (name, value) in enumerate(usable.items())]
    ask(f"CREATE TABLE t (id serial PRIMARY KEY, {', '.join(f'{c} {t}' for c, t, _ in columns)})")
    ask(f"INSERT INTO t ({', '.join(c for c, _, _ in columns)}) VALUES ({', '.join(v for _, _, v in columns)})")
    ask("INSERT INTO t DEFAULT VALUES")
    names = ", ".join(["id", *(column for column, _, _ in columns)])
    rows = ask(f"SELECT t::text FROM (SELECT {names} FROM t) t ORDER BY 1")
    drops = [f"ALTER TABLE t DROP COLUMN {column}" for column, _, _ in columns]
    adds = [f"ALTER TABLE t ADD COLUMN {column} {kind}" for column, kind, _ in columns]
    made = ["CREATE TYPE mood AS ENUM ('sad', 'glad')", "CREATE TYPE pair AS (n integer, word text)"]
    plan = plan_for(url, [*drops, "DROP TYPE mood", "DROP TYPE pair"], [*made, *adds])
    assert plan.undo is not None
    assert plan.undo.why_not == ()
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    assert ask(f"SELECT t::text FROM (SELECT {names} FROM t) t ORDER BY 1") == rows


def _knows_xml(ask: Ask) -> bool:
    return bool(ask("SELECT 1 FROM pg_config WHERE name = 'CONFIGURE' AND setting LIKE '%libxml%'"))


def test_counters_cascades_generated_and_identity_columns_come_back(postgres: tuple[str, Ask]) -> None:
    url, ask = postgres
    parent = "CREATE TABLE p (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text)"
    child = (
        "CREATE TABLE c (id serial PRIMARY KEY, p integer REFERENCES p ON DELETE CASCADE, up integer REFERENCES c,"
        " twice integer GENERATED ALWAYS AS (p * 2) STORED)"
    )
    for sql in (
        parent,
        child,
        "INSERT INTO p (a) VALUES ('x'), ('y'), ('z')",
        "INSERT INTO c (p, up) VALUES (1, 1), (2, 1), (2, 2)",
        "DELETE FROM c WHERE id = 3",
    ):
        ask(sql)
    rows = ask("SELECT * FROM p"), ask("SELECT * FROM c")
    for up, down in (
        (["DELETE FROM p WHERE id <= 2"], []),
        (["TRUNCATE p CASCADE"], []),
        (["DROP TABLE c", "DROP TABLE p"], [parent, child]),
    ):
        plan = plan_for(url, up, down)
        assert plan.undo is not None
        assert plan.undo.why_not == ()
        run(url, plan.statements)
        run(url, plan.reverse.statements)
        assert (ask("SELECT * FROM p ORDER BY id"), ask("SELECT * FROM c ORDER BY id")) == rows
    ask("INSERT INTO c (p) VALUES (1)")
    assert ask("SELECT max(id) FROM c") == [(4,)]


def test_a_narrowed_type_gives_the_wide_values_back(postgres: tuple[str, Ask]) -> None:
    url, ask = postgres
    ask("CREATE TABLE t (id integer PRIMARY KEY, a varchar(30))")
    ask("INSERT INTO t VALUES (1, 'a long word'), (2, 'another one'), (3, 'short')")
    narrow = "ALTER TABLE t ALTER COLUMN a TYPE varchar(5) USING left(a, 5)"
    plan = plan_for(url, [narrow], ["ALTER TABLE t ALTER COLUMN a TYPE varchar(30)"])
    run(url, plan.statements)
    ask("UPDATE t SET a = 'mine' WHERE id = 2")
    run(url, plan.reverse.statements)
    assert ask("SELECT a FROM t ORDER BY id") == [("a long word",), ("mine",), ("short",)]


WITHOUT = {
    "too many rows": ("DROP TABLE t", [LONE], "holds about 2 rows, more than the 1 kept"),
    "a key that is written": ('UPDATE "P" SET id = id + 10', [], "rows of public.c refer to those of public.P"),
    "a WITH that writes as well": (
        "WITH w AS (UPDATE t SET a = 'x' RETURNING id) UPDATE t SET b = 1",
        [],
        "which columns of public.t it writes",
    ),
    "no key, and more than one change": ("UPDATE n SET a = 'x';DELETE FROM n", [], "is changed more than once"),
    "a trigger": ("UPDATE g SET a = 'x'", [], "trigger"),
    "code": ("DO $$ BEGIN EXECUTE 'DELETE FROM ' || quote_ident(lower('T')); END $$", [], "statement 1"),
    "a column of a type that goes": ("DROP TABLE leaned CASCADE", [], "takes public.leans.t away, whose type goes"),
    "a downgrade that writes": (
        "ALTER TABLE t DROP COLUMN b",
        ["ALTER TABLE t ADD COLUMN b integer", "UPDATE t SET b = 3"],
        "the downgrade itself writes to public.t",
    ),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_what_cannot_be_kept_is_said(postgres: tuple[str, Ask], case: str) -> None:
    url, ask = postgres
    up, down, why = WITHOUT[case]
    for sql in (
        LONE,
        "INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 1)",
        "CREATE TABLE n (a text)",
        "CREATE TABLE leaned (id integer)",
        "CREATE TABLE leans (t leaned)",
        'CREATE TABLE "P" (id integer PRIMARY KEY)',
        'CREATE TABLE c (p integer REFERENCES "P")',
        "CREATE TABLE g (id integer PRIMARY KEY, a text)",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER r BEFORE UPDATE ON g FOR EACH ROW EXECUTE FUNCTION f()",
    ):
        ask(sql)
    statements = [up] if case == "code" else up.split(";")
    plan = plan_for(url, statements, down, Keeping(rows=1 if case == "too many rows" else 1000))
    assert plan.undo is not None
    assert not plan.undo.restores_data
    assert any(why in each for each in plan.undo.why_not), plan.undo.why_not
    run(url, plan.statements)


SPELT = {
    "DROP TABLE T": ("id", "a", "b"),
    "ALTER TABLE T DROP COLUMN A": ("a",),
    'DELETE FROM "T"': ("id", "a", "b"),
    "UPDATE T SET A = 'other'": ("a",),
}


@pytest.mark.parametrize("sql", SPELT)
def test_names_in_another_spelling_are_the_same_names_on_sqlite(lite: tuple[str, Ask], sql: str) -> None:
    url, ask = lite
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT)"
    for each in (create, "INSERT INTO t VALUES (1, 'x', 1)"):
        ask(each)
    down = {"DROP TABLE T": [create], "ALTER TABLE T DROP COLUMN A": ["ALTER TABLE t ADD COLUMN a TEXT"]}.get(sql, [])
    plan = plan_for(url, [sql], down)
    assert plan.undo is not None
    assert [kept.columns for kept in plan.undo.kept] == [SPELT[sql]]
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    assert ask("SELECT id, a, b FROM t") == [(1, "x", 1)]


def test_what_the_plan_itself_made_is_nobodys_loss(lite: tuple[str, Ask]) -> None:
    url, ask = lite
    ask("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    fills = ["ALTER TABLE t ADD COLUMN z INT", "UPDATE t SET z = 3", "ALTER TABLE t DROP COLUMN z"]
    plan = plan_for(
        url, [*fills, "CREATE TABLE n (a)", "INSERT INTO n VALUES (1)", "DELETE FROM n", "DROP TABLE n"], []
    )
    assert plan.undo is not None
    assert (plan.undo.kept, plan.undo.why_not) == ((), ())


@pytest.mark.parametrize("sql", ["UPDATE W SET ID = 5", "ALTER TABLE t RENAME TO s;DROP TABLE s"])
def test_what_hides_a_loss_is_told_as_one_on_sqlite(lite: tuple[str, Ask], sql: str) -> None:
    url, ask = lite
    ask("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    ask("CREATE TABLE w (id INTEGER PRIMARY KEY) WITHOUT ROWID")
    plan = plan_for(url, sql.split(";"), [])
    assert plan.undo is not None
    assert plan.undo.why_not


_WHOLE = (
    "CREATE SCHEMA app",
    "CREATE SEQUENCE app.steps",
    "CREATE TABLE app.customers (id serial PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE app.orders (id integer, customer integer REFERENCES app.customers) PARTITION BY RANGE (id)",
    "CREATE TABLE app.orders_low PARTITION OF app.orders FOR VALUES FROM (0) TO (100)",
    "CREATE TABLE public.notes (customer integer CONSTRAINT about REFERENCES app.customers, told text)",
    "CREATE VIEW public.names AS SELECT id, name FROM app.customers",
)
_ORDERS = "ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES app.customers"
_RELIES = [
    "ALTER TABLE public.notes ADD CONSTRAINT about FOREIGN KEY (customer) REFERENCES app.customers",
    "CREATE VIEW public.names AS SELECT id, name FROM app.customers",
]


@pytest.mark.parametrize("sql", ["DROP SCHEMA app CASCADE", "DROP TABLE app.customers CASCADE"])
@pytest.mark.proves("design-5")
def test_rows_that_went_by_cascade_come_back(postgres: tuple[str, Ask], sql: str) -> None:
    url, ask = postgres
    for each in (
        *_WHOLE,
        "INSERT INTO app.customers (name) VALUES ('Ada'), ('Grace')",
        "INSERT INTO app.orders VALUES (1, 1), (2, 2)",
        "INSERT INTO notes VALUES (1, 'first')",
        "SELECT setval('app.steps', 41)",
    ):
        ask(each)
    asked = (
        "SELECT * FROM app.customers",
        "SELECT * FROM app.orders_low",
        "SELECT * FROM notes",
        "SELECT * FROM names",
    )
    before, rows = shape(schema_of(url)), [sorted(ask(each)) for each in asked]
    alone = [_WHOLE[2], _ORDERS, *_RELIES] if "TABLE" in sql else [*_WHOLE[:5], *_RELIES]
    plan = plan_for(url, [sql], alone)
    assert plan.undo is not None
    assert (plan.undo.why_not, Effect.UNKNOWN in effects(plan, url)) == ((), False)
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    assert shape(schema_of(url)) == before
    assert [sorted(ask(each)) for each in asked] == rows
    assert ask("SELECT nextval('app.customers_id_seq'), nextval('app.steps')") == [(3, 42)]


@pytest.mark.parametrize("given", [True, False])
def test_a_sequence_that_went_counts_on_from_where_it_was(postgres: tuple[str, Ask], *, given: bool) -> None:
    url, ask = postgres
    ask("CREATE SEQUENCE steps START 7")
    ask(f"SELECT setval('steps', 40, {given})")
    plan = plan_for(url, ["DROP SEQUENCE steps"], ["CREATE SEQUENCE steps START 7"])
    assert plan.undo is not None
    assert (plan.undo.why_not, [kept.method for kept in plan.undo.kept]) == ((), ["counter"])
    run(url, plan.statements)
    assert Effect.UNKNOWN not in effects(plan, url)
    run(url, plan.reverse.statements)
    assert ask("SELECT nextval('steps')") == [(41 if given else 40,)]


def test_rows_that_a_table_made_anew_may_take_along_are_kept(lite: tuple[str, Ask]) -> None:
    """Whether it does is for the session to say: SQLite asks for nothing of foreign keys unless it is told to."""
    url, ask = lite
    anew = "CREATE TABLE _alembic_tmp_t (id integer PRIMARY KEY, a {0})"
    copy = ["INSERT INTO _alembic_tmp_t (id, a) SELECT id, a FROM t", "DROP TABLE t"]
    copy += ["ALTER TABLE _alembic_tmp_t RENAME TO t"]
    for sql in (
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(9))",
        "CREATE TABLE notes (id integer PRIMARY KEY, t integer REFERENCES t (id) ON DELETE CASCADE)",
        *("INSERT INTO t VALUES (1, 'x')", "INSERT INTO notes VALUES (1, 1)"),
    ):
        ask(sql)
    plan = plan_for(url, [anew.format("varchar(99)"), *copy], [anew.format("varchar(9)"), *copy])
    assert plan.undo is not None
    assert (plan.undo.why_not, [kept.table for kept in plan.undo.kept]) == ((), ["main.notes"])
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    assert ask("SELECT t.a, n.id FROM t JOIN notes n ON n.t = t.id") == [("x", 1)]


_LOW = "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10)"
_TREE = "CREATE TABLE tree (id integer PRIMARY KEY, up integer REFERENCES tree (id))"
_RELATED = {
    "a partition that is dropped": (["DROP TABLE low"], [_LOW]),
    "one that is taken out first": (["ALTER TABLE parts DETACH PARTITION low", "DROP TABLE low"], [_LOW]),
    "all partitions": (["DROP TABLE parts"], ["CREATE TABLE parts (id integer) PARTITION BY RANGE (id)", _LOW]),
    "rows that refer to each other": (["DELETE FROM tree"], []),
    "a table that refers to itself": (["DROP TABLE tree"], [_TREE]),
}


@pytest.mark.parametrize("case", _RELATED)
def test_partitions_and_rows_that_refer_to_each_other_come_back(postgres: tuple[str, Ask], case: str) -> None:
    url, ask = postgres
    for sql in (
        "CREATE TABLE parts (id integer) PARTITION BY RANGE (id)",
        *(_LOW, _TREE),
        "INSERT INTO parts VALUES (1), (1), (2)",
        "INSERT INTO tree VALUES (2, NULL), (1, 2), (3, 1)",
        "UPDATE tree SET up = 3 WHERE id = 2",
    ):
        ask(sql)
    before = shape(schema_of(url)), ask("SELECT * FROM parts ORDER BY 1"), ask("SELECT * FROM tree ORDER BY 1")
    plan = plan_for(url, *_RELATED[case])
    assert plan.undo is not None
    assert plan.undo.why_not == ()
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    after = shape(schema_of(url)), ask("SELECT * FROM parts ORDER BY 1"), ask("SELECT * FROM tree ORDER BY 1")
    assert after == before


_NAMELESS = {
    "some change": ("UPDATE n SET b = 0 WHERE a = 'x'", [("x", 0)] * 3 + [("y", 2)]),
    "some go": ("DELETE FROM n WHERE b = 1", [("x", 3), ("y", 2)]),
    "their key is written": ("UPDATE k SET id = id + 10", [("x", 11), ("y", 12)]),
}


@pytest.mark.parametrize("case", _NAMELESS)
@pytest.mark.proves("design-5")
def test_rows_that_no_key_tells_apart_come_back_by_their_number(anywhere: tuple[str, Ask], case: str) -> None:
    """Those written since stay; if one of those that changed was changed since, nothing is guessed."""
    url, ask = emptied(anywhere)
    sql, after = _NAMELESS[case]
    table = "k" if case == "their key is written" else "n"
    column = "id" if table == "k" else "b"
    for each in (
        "CREATE TABLE n (a varchar(9), b integer)",
        "INSERT INTO n VALUES ('x', 1), ('x', 1), ('x', 3), ('y', 2)",
        "CREATE TABLE k (a varchar(9), id integer PRIMARY KEY)",
        "INSERT INTO k VALUES ('x', 1), ('y', 2)",
    ):
        ask(each)
    before = sorted(ask(f"SELECT a, {column} FROM {table}"))
    plan = plan_for(url, [sql], [])
    assert plan.undo is not None
    assert (plan.undo.why_not, [kept.method for kept in plan.undo.kept]) == ((), ["whole rows"])
    run(url, plan.statements)
    assert sorted(ask(f"SELECT a, {column} FROM {table}")) == after
    ask(f"INSERT INTO {table} VALUES ('new', 7)")
    if case != "some go":
        ask(f"UPDATE {table} SET a = 'mine' WHERE {column} = {after[0][1]}")
        with pytest.raises(UndoConflictError, match="are not what the apply left"):
            run(url, plan.reverse.statements)
        ask(f"UPDATE {table} SET a = 'x' WHERE a = 'mine'")
    run(url, plan.reverse.statements)
    assert sorted(ask(f"SELECT a, {column} FROM {table}")) == sorted([*before, ("new", 7)])


def test_undo_data_is_hidden_and_only_its_owners(postgres: tuple[str, Ask]) -> None:
    url, ask = postgres
    ask(LONE)
    ask("INSERT INTO t VALUES (1, 'secret', 1)")
    ask("CREATE ROLE stranger_of_undo LOGIN")
    ask("GRANT SELECT ON t TO stranger_of_undo")
    plan = plan_for(url, ["ALTER TABLE t DROP COLUMN a"], ["ALTER TABLE t ADD COLUMN a text NOT NULL"])
    run(url, plan.statements)
    try:
        assert "mcp_migrate" not in json.dumps([o.qualified for o in schema_of(url).others])
        assert [table.qualified for table in schema_of(url).tables] == ["public.t"]
        with dialect_for(url).open_reader(url) as reader:
            [entry] = reader.kept() or ()
        assert (entry.table, entry.columns, entry.method, entry.rows) == ("public.t", "a", "primary key", 1)
        ask("SET ROLE stranger_of_undo")
        with pytest.raises(Exception, match="permission denied"):
            ask(f"SELECT * FROM {entry.place}")
    finally:
        ask("RESET ROLE")
        ask("DROP OWNED BY stranger_of_undo")
        ask("DROP ROLE stranger_of_undo")


def test_a_rollback_is_itself_taken_back(lite: tuple[str, Ask]) -> None:
    url, ask = lite
    for sql in (LONE, "INSERT INTO t VALUES (1, 'x', 5), (2, 'y', 6)"):
        ask(sql)
    up, down = ["ALTER TABLE t ADD COLUMN c text"], ["ALTER TABLE t DROP COLUMN c"]
    run(url, plan_for(url, up, down).statements)
    ask("UPDATE t SET c = 'written since' WHERE id = 2")
    back = plan_for(url, down, up)
    run(url, back.statements)
    run(url, back.reverse.statements)
    assert ask("SELECT * FROM t") == [(1, "x", 5, None), (2, "y", 6, "written since")]


def test_undo_data_is_removed_when_its_time_is_over_and_never_before(anywhere: tuple[str, Ask]) -> None:
    url, ask = anywhere
    for sql in (LONE, "INSERT INTO t VALUES (1, 'x', 1)"):
        ask(sql)
    first = plan_for(url, ["UPDATE t SET b = 2"], [])
    run(url, first.statements)
    second = plan_for(url, ["DELETE FROM t"], [])
    run(url, second.statements)
    assert first.undo is not None
    assert second.undo is not None
    dialect, keys = dialect_for(url), {first.undo.key, second.undo.key}
    assert dialect.prune(url, keys=keys) == ()
    manifest = "mcp_migrate_undo.manifest" if "postgres" in url else "_mcp_migrate_undo"
    key, columns, rows = ('"key"', "columns", "rows, size") if "maria" not in url else ("`key`", "`columns`", "`rows`")
    ask(f"UPDATE {manifest} SET until = kept_at WHERE {key} = '{first.undo.key}'")
    counts = ", ".join("1" for _ in rows.split(","))
    forged = f"SELECT {key}, 't', source, {columns}, method, {counts}, kept_at, until FROM {manifest}"
    ask(f"INSERT INTO {manifest} {forged} WHERE {key} = '{first.undo.key}'")
    assert dialect.prune(url, keys=set()) == ()
    assert dialect.prune(url, keys=keys) == (first.undo.key,)
    with dialect.open_reader(url) as reader:
        left = {entry.key for entry in reader.kept() or () if entry.place != "t"}
    assert left == {second.undo.key}
    assert ask("SELECT count(*) FROM t") == [(0,)]
    assert ask(f"SELECT count(*) FROM {second.undo.kept[0].place}") == [(1,)]


PARKED = {
    "sqlite": (["DROP TABLE t"], [LONE, "CREATE INDEX by_b ON t (b)"]),
    "postgresql": (
        ["ALTER TABLE t DROP COLUMN b", "DROP TABLE u"],
        [
            "CREATE TABLE u (id serial PRIMARY KEY, t integer REFERENCES t)",
            "ALTER TABLE t ADD COLUMN b integer",
            "CREATE INDEX by_b ON t (b)",
        ],
    ),
}


def parked(url: str, ask: Ask) -> Plan:
    for sql in (LONE, "CREATE INDEX by_b ON t (b)", "INSERT INTO t VALUES (1, 'x', 5), (2, 'y', 6)"):
        ask(sql)
    up, down = PARKED[dialect_for(url).name]
    if "postgres" in url:
        ask(down[0])
        ask("INSERT INTO u (t) VALUES (2), (1)")
    plan = plan_for(url, up, down, Keeping(park=1))
    assert plan.undo is not None
    assert [kept.method for kept in plan.undo.kept] == ["parked"] * len(up)
    return plan


@pytest.mark.proves("undo-parked")
def test_what_is_parked_is_out_of_the_way_and_comes_back_as_it_was(place: tuple[str, Ask]) -> None:
    url, ask = place
    plan = parked(url, ask)
    start, dropped = schema_of(url), "u" if "postgres" in url else "t"
    run(url, plan.statements)
    assert "mcp_migrate" not in str(schema_of(url))
    ask(f"CREATE TABLE {dropped} (b integer, CONSTRAINT u_pkey PRIMARY KEY (b))")  # the names are free
    ask(f"CREATE INDEX by_b ON {dropped} (b)")
    ask(f"DROP TABLE {dropped}")
    if "postgres" in url:
        ask("DELETE FROM t WHERE id = 2")  # nothing that is parked refers to it
        ask("INSERT INTO t (id, a) VALUES (3, 'since')")
        with pytest.raises(UndoConflictError, match=r"refers to rows of public\.t that are gone"):
            run(url, plan.reverse.statements)
        ask("INSERT INTO t (id, a) VALUES (2, 'y')")
    run(url, plan.reverse.statements)
    assert diff(start, schema_of(url)) == ()
    rows = [(1, 5), (2, None), (3, None)] if "postgres" in url else [(1, 5), (2, 6)]
    assert ask("SELECT id, b FROM t ORDER BY id") == rows
    with dialect_for(url).open_reader(url) as reader:
        assert reader.kept() == ()


@pytest.mark.proves("undo-parked")
def test_what_is_parked_is_dropped_as_the_signed_plan_says_and_never_before(place: tuple[str, Ask]) -> None:
    url, ask = place
    plan = parked(url, ask)
    assert plan.undo is not None
    run(url, plan.statements)
    dialect, keys = dialect_for(url), {plan.undo.key}
    for kept in plan.undo.parked:
        assert kept.ends is not None
        assert kept.ends.startswith(("DROP TABLE ", 'ALTER TABLE "public"."t" DROP COLUMN _mcp_migrate_undo_'))
    assert dialect.prune(url, keys=keys) == ()
    if "postgres" in url:
        ask("ALTER TABLE t RENAME TO s")  # a parked column goes with its table
    ask(f"UPDATE {'mcp_migrate_undo.manifest' if 'postgres' in url else '_mcp_migrate_undo'} SET until = kept_at")
    assert dialect.prune(url, keys=keys) == tuple(keys)
    with pytest.raises((StatementFailedError, UndoConflictError)):
        run(url, plan.reverse.statements)
    if "postgres" in url:
        assert ask("SELECT * FROM s WHERE id = 1") == [(1, "x")]
    assert ask(
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'u\\_%\\_1' AND relkind = 'r'"
        if "postgres" in url
        else "SELECT count(*) FROM sqlite_schema WHERE name LIKE '_mcp_migrate_undo_%' AND type = 'table'"
    ) == [(0,)]


STAYS = {
    "an enum": (["CREATE TYPE mood2 AS ENUM ('a')", "ALTER TABLE t ADD COLUMN m mood2"], "ALTER TABLE t DROP COLUMN m"),
    "a key": ([], "ALTER TABLE t DROP COLUMN id"),
    "an expression": (["CREATE INDEX by_x ON t ((b + 1))"], "ALTER TABLE t DROP COLUMN b"),
    "a counter": (["ALTER TABLE t ADD COLUMN s serial"], "ALTER TABLE t DROP COLUMN s"),
    "a change before": ([], "ALTER TABLE t ALTER b TYPE bigint;ALTER TABLE t DROP COLUMN b"),
}


@pytest.mark.parametrize("case", STAYS)
def test_what_would_hold_up_others_is_not_parked(postgres: tuple[str, Ask], case: str) -> None:
    url, ask = postgres
    before, up = STAYS[case]
    for sql in (LONE, *before, "INSERT INTO t (id, a, b) VALUES (1, 'x', 5), (2, 'y', 6)"):
        ask(sql)
    back = [f"ALTER TABLE t ADD COLUMN {name} integer" for name in up.split()[-1:]]
    plan = plan_for(url, up.split(";"), back, Keeping(park=1))
    assert plan.undo is not None
    assert plan.undo.parked == ()


def test_where_nothing_may_be_kept_nothing_is_parked(lite: tuple[str, Ask]) -> None:
    url, ask = lite
    for sql in (LONE, "INSERT INTO t VALUES (1, 'x', 5), (2, 'y', 6)"):
        ask(sql)
    plan = plan_for(url, ["DROP TABLE t"], [LONE], Keeping(rows=0, park=1))
    assert plan.undo is not None
    assert plan.undo.kept == ()


@pytest.fixture(params=["lite", "postgres"])
def place(request: pytest.FixtureRequest) -> tuple[str, Ask]:
    found: tuple[str, Ask] = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["lite", "postgres", "maria"])
def anywhere(request: pytest.FixtureRequest) -> tuple[str, Ask]:
    found: tuple[str, Ask] = request.getfixturevalue(request.param)
    return found


_FULL = """CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""


def test_without_space_for_undo_data_nothing_is_lost_and_the_way_out_is_told(postgres: tuple[str, Ask]) -> None:
    url, ask = postgres
    for sql in (LONE, "INSERT INTO t VALUES (1, 'x', 1)"):
        ask(sql)
    plan = plan_for(url, ["ALTER TABLE t DROP COLUMN b"], ["ALTER TABLE t ADD COLUMN b integer"])
    ask(_FULL)
    ask("CREATE EVENT TRIGGER full_disk ON ddl_command_end EXECUTE FUNCTION full_disk()")
    with pytest.raises(StatementFailedError, match="No space left") as failed:
        run(url, plan.statements)
    assert "see that there is space" in failed.value.hint
    assert ask("SELECT b FROM t") == [(1,)]
    with dialect_for(url).open_reader(url) as reader:
        assert not reader.kept()


def test_a_role_that_may_make_no_schema_uses_the_one_an_admin_made(postgres: tuple[str, Ask]) -> None:
    url, ask = postgres
    ask("CREATE ROLE keeper_of_undo LOGIN")
    ask("GRANT CREATE ON SCHEMA public TO keeper_of_undo")
    own = url.replace("postgres:@", "keeper_of_undo:@")
    try:
        with connect(own) as database:
            database.execute(LONE.encode())
            database.execute(b"INSERT INTO t VALUES (1, 'x', 1)")
        up, down = ["ALTER TABLE t DROP COLUMN b"], ["ALTER TABLE t ADD COLUMN b integer"]
        with pytest.raises(StatementFailedError, match="AUTHORIZATION"):
            run(own, plan_for(own, up, down).statements)
        ask("CREATE SCHEMA mcp_migrate_undo AUTHORIZATION keeper_of_undo")
        ask("CREATE SCHEMA mcp_migrate AUTHORIZATION keeper_of_undo")
        plan = plan_for(own, up, down)
        run(own, plan.statements)
        run(own, plan.reverse.statements)
        assert ask("SELECT b FROM t") == [(1,)]
    finally:
        ask("DROP OWNED BY keeper_of_undo CASCADE")
        ask("DROP ROLE keeper_of_undo")


@pytest.mark.proves("design-5")
def test_where_there_is_no_room_for_undo_data_nothing_is_lost(lite: tuple[str, Ask]) -> None:
    url, ask = lite
    resource = pytest.importorskip("resource")
    for sql in (LONE, "INSERT INTO t VALUES (1, hex(zeroblob(400000)), 1)"):
        ask(sql)
    plan = plan_for(url, ["ALTER TABLE t DROP COLUMN a"], ["ALTER TABLE t ADD COLUMN a text"])
    before, (soft, hard) = schema_of(url), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(url.removeprefix("sqlite:///")).stat().st_size, hard))
    try:
        with pytest.raises(StatementFailedError):
            run(url, plan.statements)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ask("SELECT id, length(a), b FROM t") == [(1, 800000, 1)]
    assert schema_of(url) == before
    run(url, plan.statements)
    run(url, plan.reverse.statements)
    assert ask("SELECT id, length(a), b FROM t") == [(1, 800000, 1)]
