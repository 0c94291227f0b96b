"""Is a rollback tried on a copy of the target as it is, with what was kept, before anybody is asked?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_migrate.approvals.summary import rehearsed
from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers import mysql
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import RehearsalFailedError
from mcp_migrate.migrations.project import Project
from mcp_migrate.migrations.taking_back import Ground, try_back
from mcp_migrate.migrations.undo import Keeping
from mcp_migrate.model import Plan, Rehearsal, Restored, Statement
from mcp_migrate.schema import shape
from mcp_migrate.tools.going_back import way_back
from mcp_migrate.tools.live import Live
from tests.migrations.undoing import plan_for, run, schema_of

Ask = Callable[[str], object]
CHILD = "CREATE TABLE child (id integer NOT NULL PRIMARY KEY, parent integer NOT NULL{})"
FIRST = (
    "CREATE TABLE parent (id integer NOT NULL PRIMARY KEY, note varchar(9))",
    "INSERT INTO parent VALUES (1, 'a'), (2, NULL)",
    "INSERT INTO child VALUES (1, 1), (2, 2), (3, 1)",
    "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)",
)
UP = ("DROP TABLE child", "ALTER TABLE parent DROP COLUMN note")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Ask]]:
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as lite:
            yield f"sqlite:///{tmp_path / 'a.db'}", lite.execute
    elif request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        with connect(url) as database:
            yield url, lambda sql: database.execute(sql.encode())
    else:
        url = request.getfixturevalue("mariadb_url")
        with mysql.connect(url) as server, server.cursor() as cursor:
            yield url, cursor.execute


def lost(place: tuple[str, Ask], keeping: Keeping | None = None) -> tuple[Plan, Ground]:
    """The rollback of a plan that ran and lost a table and a column, and where it is tried."""
    url, ask = place
    child = CHILD.format(", FOREIGN KEY (parent) REFERENCES parent (id)")
    for sql in (FIRST[0], child, *FIRST[1:]):
        ask(sql)
    down = ("ALTER TABLE parent ADD COLUMN note varchar(9)", child)
    plan = plan_for(url, UP, down, keeping)
    run(url, plan.statements)
    ask("INSERT INTO parent (id) VALUES (9)")
    schema = schema_of(url)
    back = way_back([plan], Live("t", ("b",), schema))
    project = Project(Path("none.ini"), environment={}, models=None)
    assert plan.undo is not None
    ground = Ground(project, dialect_for(url), url, schema, ("b",), (plan.undo,), max_rows=100)
    return back, ground


def test_what_comes_back_in_a_rehearsal_is_what_was_kept(place: tuple[str, Ask]) -> None:
    back, ground = lost(place)
    there = {table.name: table.qualified for table in ground.live.tables}
    parent, child = there["parent"], there["parent"].replace("parent", "child")

    tried = try_back(back, ground).rehearsal
    without = try_back(back, replace(ground, max_rows=4)).rehearsal
    with pytest.raises(RehearsalFailedError, match=f"other rows came back into {child} than") as others:
        try_back(_without(back, "INSERT INTO", "child"), ground)
    with pytest.raises(RehearsalFailedError, match="fails on a scratch copy of the target, without") as fails:
        try_back(replace(back, statements=(*back.statements, Statement(99, "b", "DROP TABLE nowhere"))), ground)

    assert tried is not None
    assert sorted(tried.put_back or (), key=str) == [Restored(child, 3, same=True), Restored(parent, 2, same=True)]
    told = " ".join(fact for _name, fact in rehearsed({"rehearsal": Rehearsal.thaw(tried.told()).told()}))
    assert "rehearsed with 5 rows that were kept, and each came back" in told
    assert len(tried.statements) == len(back.statements)
    assert without is not None
    assert without.put_back is None
    assert fails.value.details["statement"] == 99
    assert "nobody was asked" in others.value.hint
    assert shape(schema_of(ground.url)) == back.base_fingerprint


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_rollback_that_moves_back_what_was_parked_says_that_nobody_tried_it(place: tuple[str, Ask]) -> None:
    url, ask = place
    ask("CREATE TABLE alone (id integer NOT NULL PRIMARY KEY)")
    ask("INSERT INTO alone VALUES (1)")
    down = ["CREATE TABLE alone (id integer NOT NULL PRIMARY KEY)"]
    plan = plan_for(url, ["DROP TABLE alone"], down, Keeping(park=0))
    run(url, plan.statements)
    schema = schema_of(url)
    back = way_back([plan], Live("t", ("b",), schema))
    assert plan.undo is not None
    project = Project(Path("none.ini"), environment={}, models=None)

    tried = try_back(back, Ground(project, dialect_for(url), url, schema, ("b",), (plan.undo,), max_rows=100))

    assert tried.rehearsal is None
    assert tried.untried == "what is parked of main.alone is moved back, and cannot be copied"
    assert tried.digest == back.digest
    assert rehearsed({"untried": tried.untried})[0][1].endswith("run: " + tried.untried)


def _without(plan: Plan, *words: str) -> Plan:
    """A rollback that forgot something."""
    left = [statement for statement in plan.statements if not all(word in statement.sql for word in words)]
    assert len(left) == len(plan.statements) - 1
    return replace(plan, statements=tuple(replace(statement, n=n) for n, statement in enumerate(left, 1)))
