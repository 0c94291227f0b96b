"""Is a schema that was made from what was read the same, and does each single alteration show as exactly itself?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.postgresql.reader import PostgresReader
from mcp_migrate.dialects.postgresql.remake import literal, remake
from mcp_migrate.dialects.sqlite.inverse import SqliteInverter
from mcp_migrate.drivers.mysql import connect as connect_mariadb
from mcp_migrate.drivers.mysql import quote
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.schema import Schema, diff, fingerprint
from tests.dialects.generating import Alteration, Kind, Made, Maker, Words
from tests.dialects.test_generated_schemas import in_postgresql, in_sqlite, quoted
from tests.mariadb import fresh_database

_LETTERS = "abA._ \"'é%$Ω"
_OVER = ("({})", "({} DESC)", "({}, id)", "({x})", "({}) WHERE {} IS NOT NULL", "({x}, {} DESC) WHERE id > 5")
SQLITE = Words(
    place="main",
    quoted=quoted,
    letters=_LETTERS,
    kinds=(
        Kind("INTEGER", ("0", "-7"), ("{} > 0", "{} > 1"), "{} + 1", "NUMERIC(8,2)"),
        Kind("TEXT", ("'it''s'", "''"), ("{} <> ')'", "length({}) > 1"), "lower({})", "VARCHAR(9)"),
        Kind("VARCHAR(9)", ("'x'", "CURRENT_TIMESTAMP"), ("{} LIKE 'a%'", "{} LIKE 'b%'"), "trim({})", "VARCHAR(12)"),
        Kind("BLOB", ("x'00'", "NULL"), ("{} IS NOT x'01'", "{} IS NOT x'02'"), "hex({})", "TEXT"),
    ),
    keys=(*_OVER, "({} COLLATE NOCASE)"),
    generated="INTEGER GENERATED ALWAYS AS ({}) STORED",
    tails=("", " WITHOUT ROWID"),
)
POSTGRESQL = Words(
    place="public",
    quoted=quoted,
    letters=_LETTERS,
    kinds=(
        Kind("integer", ("0", "-7"), ("{} > 0", "{} > 1"), "({} + 1)", "bigint"),
        Kind("varchar(9)", ("'it''s'", "''"), ("{} <> ')'", "{} IN ('a', 'b')"), "lower({})", "varchar(12)"),
        Kind("numeric(8,2)", ("1.50", "2"), ("{} >= 0.5", "{} BETWEEN 1 AND 2"), "round({})", "numeric(10,2)"),
        Kind(
            "timestamp with time zone",
            ("now()", "'2020-01-01 00:00:00+00'"),
            ("{} > '2020-01-01 00:00:00+00'", "{} < now()"),
            "date_part('year', {} AT TIME ZONE 'UTC')",
            "date",
        ),
        Kind("boolean", ("true", "false"), ("{}", "NOT {}"), "(NOT {})", "smallint"),
        Kind("jsonb", ("'{\"a\": 1}'", "'[]'"), ("{} <> '[]'", "{} ? 'a'"), "({} ->> 'a')", "json"),
        Kind("integer[]", ("'{1,2}'", "'{}'"), ("1 = ANY ({})", "cardinality({}) > 1"), "cardinality({})", "bigint[]"),
        Kind(
            "uuid",
            ("gen_random_uuid()", f"'{'0' * 32}'"),
            ("{} IS NOT NULL", "{} > '{0}'".replace("{0}", "0" * 32)),
            "({}::text)",
            "text",
        ),
    ),
    keys=(*_OVER, "({}) INCLUDE (id)", "({} DESC NULLS LAST)"),
    generated="integer GENERATED ALWAYS AS ({}) STORED",
    tails=("", " WITH (fillfactor=70)"),
    comment=lambda what, name, text: f"COMMENT ON {what} {name} IS {literal(text)}",
)


MARIADB = Words(
    place="",
    quoted=quote,
    letters=_LETTERS,
    kinds=(
        Kind("int", ("0", "-7"), ("{} > 0", "{} > 1"), "", "bigint"),
        Kind("varchar(9)", ("'it''s'", "''"), ("{} <> ')'", "{} in ('a', 'b')"), "", "varchar(12)"),
        Kind("decimal(8,2)", ("1.50", "2"), ("{} >= 0.5", "{} between 1 and 2"), "", "decimal(10,2)"),
        Kind("datetime", ("current_timestamp()", "'2020-01-01'"), ("{} > '2020-01-01'", "{} <> 0"), "", "date"),
        Kind("enum('sad','it''s ok')", ("'sad'", "'it''s ok'"), ("{} = 'sad'", "{} <> 'sad'"), "", "varchar(20)"),
    ),
    keys=("({})", "({} DESC)", "({}, id)", "(id, {})"),
    generated="int AS ({}) STORED",
    tails=("", " COMMENT='it''s \"first\"'", " ROW_FORMAT=COMPRESSED"),
    unique="index",
)


@st.composite
def mariadb_schemas(draw: st.DrawFn, place: str) -> Made:
    """Without foreign keys: each brings an index of its own name, or goes without where there is one."""
    maker = Maker(draw, replace(MARIADB, place=place))
    for _ in range(draw(st.integers(1, 2))):
        maker.table(MARIADB.kinds[1:])
    maker.lone_table()
    maker.whole("view", "CREATE VIEW {} AS SELECT 1 AS one", "CREATE VIEW {} AS SELECT 2 AS one")
    maker.whole("sequence", "CREATE SEQUENCE {} INCREMENT 3", "CREATE SEQUENCE {} INCREMENT 4")
    return Made(tuple(maker.every))


@st.composite
def sqlite_schemas(draw: st.DrawFn) -> Made:
    maker = Maker(draw, SQLITE)
    for _ in range(draw(st.integers(1, 3))):
        maker.table(SQLITE.kinds)
    maker.lone_table()
    maker.whole("view", "CREATE VIEW {} AS SELECT 1 AS one", "CREATE VIEW {} AS SELECT 2 AS one")
    return Made(tuple(maker.every))


@st.composite
def postgresql_schemas(draw: st.DrawFn) -> Made:
    maker = Maker(draw, POSTGRESQL)
    mood = maker.name()
    maker.enum(mood, ("sad", "it's ok"), "Ω")
    enum = Kind(quoted(mood), ("'sad'", "'it''s ok'"), ("{} = 'sad'", "{} <> 'sad'"), "({} = 'sad')", "text")
    for _ in range(draw(st.integers(1, 3))):
        maker.table((*POSTGRESQL.kinds, enum))
    maker.lone_table()
    maker.whole("view", "CREATE VIEW {} AS SELECT 1 AS one", "CREATE VIEW {} AS SELECT 2 AS one")
    maker.whole("sequence", "CREATE SEQUENCE {} INCREMENT 3", "CREATE SEQUENCE {} INCREMENT 3 CYCLE")
    maker.whole("domain", "CREATE DOMAIN {} AS int CHECK (VALUE > 0)", "CREATE DOMAIN {} AS int CHECK (VALUE > 1)")
    return Made(tuple(maker.every))


def holds(before: Schema, alteration: Alteration, read: Callable[[tuple[str, ...]], Schema]) -> None:
    """Whether the alteration changes the fingerprint and is told as what it is, there and nowhere else."""
    after = read(alteration.statements)
    said = tuple(sorted(f"{change.kind} {change.object}" for change in diff(before, after)))
    assert said in alteration.allowed, alteration
    assert fingerprint(before) != fingerprint(after)


@pytest.mark.proves("schema-round-trip", "schema-alterations")
@settings(max_examples=25)
@given(made=sqlite_schemas())
def test_a_sqlite_schema_is_made_again_from_what_was_read_and_each_alteration_shows(made: Made) -> None:
    schema = in_sqlite(made.statements)

    again = in_sqlite(SqliteInverter().statements(Schema("sqlite"), schema))

    assert (diff(schema, again), fingerprint(schema)) == ((), fingerprint(again))
    for alteration in made.alterations():
        holds(schema, alteration, in_sqlite)


@pytest.mark.proves("schema-round-trip", "schema-alterations")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=postgresql_schemas(), data=st.data())
def test_a_postgresql_schema_is_made_again_from_what_was_read_and_each_alteration_shows(
    postgres_url: str, made: Made, data: st.DataObject
) -> None:
    schema = in_postgresql(postgres_url, made.statements)

    assert remake(postgres_url, schema, version_table="alembic_version", revisions=None)

    with connect(postgres_url) as session:
        again = PostgresReader(session).schema(version_table="alembic_version")
        session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert (diff(schema, again), fingerprint(schema)) == ((), fingerprint(again))
    for alteration in data.draw(st.lists(st.sampled_from(list(made.alterations())), min_size=3, max_size=3)):
        holds(schema, alteration, partial(in_postgresql, postgres_url))


@pytest.mark.proves("schema-round-trip", "schema-alterations")
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mariadb_schema_is_made_again_from_what_was_read_and_each_alteration_shows(
    mariadb_server: str, data: st.DataObject
) -> None:
    with fresh_database(mariadb_server) as url:
        made = data.draw(mariadb_schemas(url.rpartition("/")[2]))
        schema = in_mariadb(url, made.statements)

        with dialect_for(url).open_scratch(url) as scratch:
            assert dialect_for(url).remake(scratch, schema, source=url, version_table="alembic_version", revisions=None)
            again = in_mariadb(scratch.url)

        assert (diff(schema, again), fingerprint(schema)) == ((), fingerprint(again))
        for alteration in data.draw(st.lists(st.sampled_from(list(made.alterations())), min_size=3, max_size=3)):
            with dialect_for(url).open_scratch(url) as scratch:
                holds(schema, alteration, partial(in_mariadb, scratch.url))


def in_mariadb(url: str, texts: Sequence[str] = ()) -> Schema:
    with connect_mariadb(url) as session:
        for text in texts:
            session.query(text)
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")
