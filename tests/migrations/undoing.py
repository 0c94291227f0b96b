"""Random tables with rows, random losses with their inverse, and an apply and a rollback without a server around."""
# ruff: noqa: S608  names and values are the tests' own

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.migrations.undo import Keeping, Target, protect
from mcp_migrate.model import Plan, Reverse, Statement
from mcp_migrate.schema import Schema, shape

VERSION = "alembic_version"
TYPES = {
    "sqlite": ("INTEGER", "TEXT", "REAL", "BLOB"),
    "postgresql": ("integer", "text", "json", "mood", "integer[]"),
    "mariadb": ("integer", "text", "varchar(9)", "float", "blob", "enum('s','g')", "bit(3)", "datetime(6)", "point"),
}
VALUES = {
    "INTEGER": ("1", "-7", "NULL", "'x'"),
    "TEXT": ("'a'", "'A'", "''", "NULL", "'it''s'"),
    "REAL": ("1.5", "NULL", "2"),
    "BLOB": ("x'00ff'", "NULL", "'t'", "1"),
    "integer": ("1", "-7", "NULL"),
    "text": ("'a'", "'A'", "''", "NULL", "'it''s'"),
    "json": ("""'{"a": 1,  "a": 2}'""", "'[]'", "NULL"),
    "mood": ("'sad'", "'glad'", "NULL"),
    "varchar(9)": ("'a'", "'A '", "'ä'", "NULL"),
    "float": ("0.1234567", "0.1234568", "-1e30", "NULL"),
    "blob": ("x'00ff'", "'a'", "NULL"),
    "enum('s','g')": ("'s'", "'g'", "NULL"),
    "bit(3)": ("b'101'", "b'0'", "NULL"),
    "datetime(6)": ("'2026-01-02 03:04:05.678901'", "NULL"),
    "point": ("point(1, 2)", "NULL"),
    "integer[]": ("'{1,NULL}'", "'{}'", "NULL"),
}
FREE = {"sqlite": "main", "postgresql": "public"}


@dataclass
class Made:
    """One table: its columns by name with type and whether they take nulls."""

    name: str
    keyed: bool
    columns: dict[str, tuple[str, bool]]
    rows: list[list[str]] = field(default_factory=list)

    def create(self, name: str | None = None, without: Sequence[str] = ()) -> str:
        key = ["id integer NOT NULL PRIMARY KEY"] if self.keyed else ["id integer"]
        parts = [f"{c} {t}{'' if null else ' NOT NULL'}" for c, (t, null) in self.columns.items() if c not in without]
        return f"CREATE TABLE {name or self.name} ({', '.join(key + parts)})"

    def fill(self) -> list[str]:
        return [f"INSERT INTO {self.name} VALUES ({', '.join(row)})" for row in self.rows]


@st.composite
def tables(draw: st.DrawFn, dialect: str) -> list[Made]:
    made = []
    for name in ("alpha", "beta"):
        columns = {f"c{i}": (draw(st.sampled_from(TYPES[dialect])), draw(st.booleans())) for i in range(3)}
        table = Made(name, draw(st.booleans()), columns)
        for number in range(draw(st.integers(0, 5))):
            values = [
                draw(st.sampled_from([v for v in VALUES[kind] if null or v != "NULL"]))
                for kind, null in columns.values()
            ]
            table.rows.append([str(number if table.keyed else number // 2), *values])
        made.append(table)
    return made


@st.composite
def losses(draw: st.DrawFn, made: list[Made], dialect: str) -> tuple[list[str], list[str], set[str]]:
    """Statements that lose something, those that undo their schema, and the tables that stay."""
    up: list[str] = []
    down: list[list[str]] = []
    gone: set[str] = set()
    dropped: set[tuple[str, str]] = set()
    for _ in range(draw(st.integers(1, 3))):
        table = draw(st.sampled_from(made))
        left = [c for c in table.columns if (table.name, c) not in dropped]
        what = draw(st.sampled_from(["column", "table", "delete", "update", "renumber"]))
        if table.name in gone or (what in {"column", "update"} and len(left) < 2):
            continue
        column = left[0]
        kind, null = table.columns[column]
        if what == "column":
            lost = [c for c in table.columns if (table.name, c) in dropped]
            one, other = _without(table, column, lost, dialect)
            up += one
            down.insert(0, other)
            dropped.add((table.name, column))
        elif what == "table":
            lost = [c for c in table.columns if (table.name, c) in dropped]
            up.append(f"DROP TABLE {table.name}")
            down.insert(0, [table.create(without=lost)])
            gone.add(table.name)
        elif what == "delete":
            up.append(f"DELETE FROM {table.name} WHERE id > {draw(st.integers(-1, 4))}")
        elif what == "renumber":
            up.append(f"UPDATE {table.name} SET id = id + 10 WHERE id > {draw(st.integers(-1, 4))}")
        else:
            value = draw(st.sampled_from([v for v in VALUES[kind] if null or v != "NULL"]))
            up.append(f"UPDATE {table.name} SET {column} = {value} WHERE id <= {draw(st.integers(0, 4))}")
    return up, [sql for each in down for sql in each], {t.name for t in made} - gone


def _without(table: Made, column: str, lost: list[str], dialect: str) -> tuple[list[str], list[str]]:
    """To drop a column and to add it again; SQLite makes the table anew where the column takes no null."""
    kind, null = table.columns[column]
    if null or dialect != "sqlite":
        tail = "" if null else " NOT NULL"
        return [f"ALTER TABLE {table.name} DROP COLUMN {column}"], [
            f"ALTER TABLE {table.name} ADD COLUMN {column} {kind}{tail}"
        ]
    stays = ", ".join(["id", *(c for c in table.columns if c not in {column, *lost})])
    temporary = f"_alembic_tmp_{table.name}"
    copy = f"INSERT INTO {temporary} ({stays}) SELECT {stays} FROM {table.name}"
    end = [copy, f"DROP TABLE {table.name}", f"ALTER TABLE {temporary} RENAME TO {table.name}"]
    return [table.create(temporary, [column, *lost]), *end], [table.create(temporary, lost), *end]


def derived(url: str, made: Sequence[Made], up: Sequence[str]) -> list[str]:
    """What is derived to take these statements back, from a scratch database on which they ran."""
    dialect, inverter = dialect_for(url), dialect_for(url).inverter()
    assert inverter is not None
    with dialect.open_scratch(url) as scratch:
        if not scratch.holds_schema:
            types = ["CREATE TYPE mood AS ENUM ('sad', 'glad')"] if dialect.name == "postgresql" else []
            run(scratch.url, _statements([*types, *(table.create() for table in made)]))
        run(scratch.url, _statements(up))
        return list(inverter.statements(schema_of(scratch.url), schema_of(url)))


def _statements(texts: Sequence[str]) -> tuple[Statement, ...]:
    return tuple(Statement(n, "r", sql) for n, sql in enumerate(texts, 1))


def plan_for(url: str, up: Sequence[str], down: Sequence[str], keeping: Keeping | None = None) -> Plan:
    """A plan as it is frozen, with what it loses kept."""
    dialect = dialect_for(url)
    with dialect.open_reader(url) as reader:
        schema = reader.schema(version_table=VERSION)
        rows = reader.count_rows([table.qualified for table in schema.tables])
        entries = reader.kept()
    keys = frozenset(entry.key for entry in entries or ())
    there, back = _statements(up), _statements(down)
    reverse = Reverse(available=True, restores_schema=True, statements=back)
    plan = Plan("t", dialect.name, "a", "b", shape(schema), None, VERSION, there, reverse)
    about = Target(lambda names: {name: rows[name] for name in names}, keys, present=entries is not None)
    kept = protect(plan, schema, dialect.keeper(), keeping or Keeping(), about)
    assert Plan.thaw(kept.frozen()) == kept
    return kept


def run(url: str, statements: Sequence[Statement]) -> None:
    with dialect_for(url).open_writer(url, statements, limits=Limits()) as writer:
        for statement in statements:
            writer.run(statement)


@contextmanager
def asking(url: str) -> Iterator[Callable[[str], list[Any]]]:
    """What a query gives, on SQLite or PostgreSQL."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as database:
            yield lambda sql: database.execute(sql).fetchall()
        return
    with connect(url) as connection:

        def ask(sql: str) -> list[Any]:
            done = connection.execute(sql.encode(), prepare=False)  # tables change their shape under the same queries
            return list(done.fetchall()) if done.description else []

        yield ask


def schema_of(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table=VERSION)


def contents(ask: Callable[[str], list[Any]], made: Sequence[Made]) -> dict[str, list[Any]]:
    """Every row of every table, in one order of columns and rows."""
    names = {table.name: ", ".join(["id", *table.columns]) for table in made}
    return {name: sorted(map(repr, ask(f"SELECT {columns} FROM {name}"))) for name, columns in names.items()}
