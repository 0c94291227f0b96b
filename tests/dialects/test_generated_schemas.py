"""Do the laws of reading hold for schemas that nobody thought of? Each lives in one transaction that is rolled back."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.dialects.postgresql.reader import PostgresReader
from mcp_migrate.dialects.sqlite.reader import SqliteReader
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.schema import Schema, diff, fingerprint

names = st.text("abA._ \"'é%", min_size=1, max_size=5).filter(lambda name: not name.startswith("_mcp"))


@dataclass(frozen=True)
class Made:
    """A table as SQL that both databases take; the first column is `id`."""

    name: str
    columns: tuple[str, ...]

    def create(self, more: str = "") -> str:
        return f"CREATE TABLE {quoted(self.name)} (id INTEGER{''.join(f', {c}' for c in (*self.columns, more) if c)})"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@st.composite
def tables(draw: st.DrawFn) -> Made:
    columns = draw(st.lists(names, max_size=3, unique_by=str.lower).filter(lambda found: "id" not in found))
    rest = st.sampled_from(["", " NOT NULL", " DEFAULT 1", " UNIQUE", " CHECK (1 > 0)"])
    kinds = st.sampled_from(["INTEGER", "NUMERIC(10,2)", "SMALLINT"])
    return Made(draw(names), tuple(f"{quoted(name)} {draw(kinds)}{draw(rest)}" for name in columns))


made = st.lists(tables(), min_size=1, max_size=4, unique_by=lambda table: table.name.lower())


def in_sqlite(texts: Sequence[str]) -> Schema:
    with closing(sqlite3.connect(":memory:")) as session:
        session.executescript(";".join(texts))
        return SqliteReader(session).schema(version_table="alembic_version")


def in_postgresql(url: str, texts: Sequence[str]) -> Schema:
    with connect(url) as session:
        session.execute("BEGIN")
        session.execute(";".join(texts).encode())
        return PostgresReader(session).schema(version_table="alembic_version")


@given(made, st.randoms(use_true_random=False))
def test_sqlite_tables_made_in_any_order_are_one_schema(found: list[Made], chance: random.Random) -> None:
    texts = [table.create() for table in found]
    schema = in_sqlite(texts)
    chance.shuffle(texts)
    assert fingerprint(in_sqlite(texts)) == fingerprint(schema)


@given(made, st.data())
def test_one_more_column_in_sqlite_is_named_and_nothing_else(found: list[Made], data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(found))
    one, two = (in_sqlite([t.create(more if t is table else "") for t in found]) for more in ("", "zz INTEGER"))
    assert [(c.kind, c.object) for c in diff(one, two)] == [("add_column", f"main.{table.name}.zz")]
    assert fingerprint(one) != fingerprint(two)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=made, chance=st.randoms(use_true_random=False))
def test_postgresql_tables_made_in_any_order_are_one_schema(
    postgres_url: str, found: list[Made], chance: random.Random
) -> None:
    texts = [table.create() for table in found]
    schema = in_postgresql(postgres_url, texts)
    chance.shuffle(texts)
    assert fingerprint(in_postgresql(postgres_url, texts)) == fingerprint(schema)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=made, data=st.data())
def test_one_more_column_in_postgresql_is_named_and_nothing_else(
    postgres_url: str, found: list[Made], data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(found))
    texts = [t.create() for t in found]
    one = in_postgresql(postgres_url, texts)
    two = in_postgresql(postgres_url, [*texts, f"ALTER TABLE {quoted(table.name)} ADD zz int"])
    assert [(c.kind, c.object) for c in diff(one, two)] == [("add_column", f"public.{table.name}.zz")]
    assert fingerprint(one) != fingerprint(two)
