"""Is each single change of a real database named as a person would, and what does Alembic see of it?"""

from __future__ import annotations

import sqlite3
import uuid
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.schema import Change, Schema, diff
from mcp_migrate.schema.impact import IMPACTS
from tests.schema.single_changes import (
    AS_DROP,
    AS_TWO,
    MISSES,
    ON_POSTGRESQL,
    ON_SQLITE,
    POSTGRESQL,
    SEES,
    SQLITE,
    Single,
)

DOCS = Path(__file__).parents[2] / "docs" / "schema-diff.md"


def read(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


def run(url: str, sql: str) -> None:
    with connect(url) as connection:
        connection.execute(sql.encode())


class Base:
    """A PostgreSQL database with everything in it, of which each test gets a copy."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"base_{uuid.uuid4().hex}"
        self.url = self._url(self.name)
        run(server, f"CREATE DATABASE {self.name}")
        run(self.url, POSTGRESQL)
        self.schema = read(self.url)

    def _url(self, name: str) -> str:
        return self.server.replace("/postgres?", f"/{name}?")

    def changed(self, sql: str) -> str:
        name = f"copy_{uuid.uuid4().hex}"
        run(self.server, f"CREATE DATABASE {name} TEMPLATE {self.name}")
        run(self._url(name), sql)
        return self._url(name)


@pytest.fixture(scope="module")
def base(postgres_server: str) -> Base:
    return Base(postgres_server)


@pytest.fixture
def lite(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.executescript(SQLITE)
    return f"sqlite:///{tmp_path / 'a.db'}"


def autogenerate_sees(url: str, metadata: sa.MetaData, moved: frozenset[str] = frozenset()) -> str:
    """What Alembic finds of the difference between what it reflected before and the database now."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"compare_type": True, "compare_server_default": True, "include_schemas": False}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    kinds = {step[0].partition("_")[0] for step in found if isinstance(step, tuple)}
    whole = {step[0].partition("_")[2] for step in found if isinstance(step, tuple)}
    both = kinds >= {"add", "remove"} and len(whole) == 1 and _names(found, "add_") != _names(found, "remove_")
    if kinds == {"add"} and _names(found, "add_") & moved:
        return AS_DROP
    return AS_TWO if both else (SEES if found else MISSES)


def _names(found: list[Any], verb: str) -> set[str]:
    return {
        str(getattr(step[-1], "name", None)) for step in found if isinstance(step, tuple) and step[0].startswith(verb)
    }


def reflected(url: str) -> sa.MetaData:
    metadata = sa.MetaData()
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata.reflect(engine)
    engine.dispose()
    return metadata


def only(changes: tuple[Change, ...]) -> Change:
    assert len(changes) == 1, [(c.kind, c.object, c.before, c.after) for c in changes]
    return changes[0]


@pytest.mark.parametrize("single", [pytest.param(s, id=s.title) for s in ON_POSTGRESQL])
def test_each_change_of_a_postgresql_schema_is_named_and_nothing_else_is(base: Base, single: Single) -> None:
    after = read(base.changed(single.sql))
    named = [(c.kind, c.object) for c in diff(base.schema, after) if not _follows(single, c)]
    assert named == [(single.kind, single.object)]
    assert all(change.effects for change in diff(base.schema, after))
    assert diff(after, base.schema)


def _follows(single: Single, change: Change) -> bool:
    """What PostgreSQL does by itself when a table goes or moves."""
    cascaded = {"table dropped": {"drop_materialized_view", "drop_policy", "drop_rule"}}
    return change.kind in cascaded.get(single.title, set())


@pytest.mark.parametrize("single", [pytest.param(s, id=s.title) for s in ON_SQLITE])
def test_each_change_of_a_sqlite_schema_is_named_and_nothing_else_is(lite: str, single: Single) -> None:
    before, metadata = read(lite), reflected(lite)
    with closing(sqlite3.connect(lite.removeprefix("sqlite:///"))) as database:
        database.executescript(single.sql)
    change = only(diff(before, read(lite)))
    assert (change.kind, change.object) == (single.kind, single.object)
    assert autogenerate_sees(lite, metadata) == single.alembic


def test_what_alembic_sees_is_measured(base: Base) -> None:
    metadata = reflected(base.url)
    assert autogenerate_sees(base.url, metadata) == MISSES
    seen = {}
    for single in ON_POSTGRESQL:
        moved = frozenset({single.object.partition(".")[2]} if single.kind == "move_table" else ())
        seen[single.title] = autogenerate_sees(base.changed(single.sql), metadata, moved)
    assert seen == {s.title: s.alembic for s in ON_POSTGRESQL}


def test_the_documentation_shows_what_is_measured() -> None:
    lines = set(DOCS.read_text(encoding="utf-8").splitlines())
    every = [f"| {s.title} | `{s.kind}` | {s.alembic} |" for s in (*ON_POSTGRESQL, *ON_SQLITE)]
    every += [f"| `{kind}` | {i.postgresql} | {i.sqlite} | {i.why} |" for kind, i in IMPACTS.items()]
    assert [row for row in every if row not in lines] == []
    missed = sum(s.alembic == MISSES for s in ON_POSTGRESQL)
    assert f"of {len(ON_POSTGRESQL)} changes Alembic sees {len(ON_POSTGRESQL) - missed}," in DOCS.read_text()
