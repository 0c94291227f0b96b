"""What MariaDB and MySQL have of their own: does it come back, and what if an apply stops half way?"""
# ruff: noqa: S608  names and values are the tests' own

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits, Scratch
from mcp_migrate.dialects.mysql.adding import nulls_taken
from mcp_migrate.drivers.mysql import connect
from mcp_migrate.errors import LockTimeoutError, PartiallyAppliedError, UndoConflictError
from mcp_migrate.migrations.resuming import Ground, Stopped, finish, undo
from mcp_migrate.migrations.undo import Keeping
from mcp_migrate.model import Effect, Plan
from mcp_migrate.rules import judge
from mcp_migrate.schema import shape
from tests.mariadb import ask
from tests.migrations.undoing import plan_for, run, schema_of

TYPES = "j json, b bit(64), g geometry, lb longblob, yr year, ti time(3), u bigint unsigned, s set('a','b')"
MADE = "d date NOT NULL, twice bigint AS (u * 2) STORED"
COUNTED = f"CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY, {TYPES}, {MADE})"
SELF = "CREATE TABLE self (id int PRIMARY KEY, up int, CONSTRAINT f FOREIGN KEY (up) REFERENCES self (id))"
STAMPED = (
    "CREATE TABLE stamped (id varchar(9) PRIMARY KEY, x int, `o1` text, u int NOT NULL, UNIQUE KEY uq (u),"
    " ts timestamp NOT NULL DEFAULT '2020-01-01' ON UPDATE current_timestamp)"
)
NARROW = "CREATE TABLE narrow (id bigint unsigned PRIMARY KEY, x decimal(10,4) NOT NULL)"
EMPTIED = "CREATE TABLE emptied (id int AUTO_INCREMENT PRIMARY KEY, x text)"
FILLED = (
    "INSERT INTO counted (id, j, b, g, lb, yr, ti, u, s, d) VALUES"
    " (0, '{\"a\":  1}', b'101', point(1, 2), x'00ff27', 2020, '-10:00:00.123', 4294967295, 'a,b', '0000-00-00'),"
    " (7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-03'),"
    " (9, NULL, 1, NULL, '', 0, 0, 0, '', '2026-02-03')"
)
SETUP = (
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    *(COUNTED, SELF, STAMPED, NARROW, EMPTIED),
    "CREATE TABLE bare (x float, y int)",
    FILLED,
    "DELETE FROM counted WHERE id = 9",
    "INSERT INTO self VALUES (2, NULL), (1, 2), (3, 1)",
    "UPDATE self SET up = 3 WHERE id = 2",
    "INSERT INTO stamped (id, x, o1, u) VALUES ('a', 1, 'A', 1), ('b ', 2, 'it''s \\\\', 2)",
    "INSERT INTO narrow VALUES (18446744073709551615, 1.2345), (2, 7)",
    "INSERT INTO emptied (x) VALUES ('a'), ('b'), ('c')",
    "DELETE FROM emptied WHERE id = 3",
    "INSERT INTO bare VALUES (0.1234567, 1), (0.1234568, 2), (0.1234567, 3), (NULL, 4)",
)
UP = (
    "DROP TABLE counted, self",
    "UPDATE stamped SET x = 5",
    "DROP INDEX uq ON stamped",
    "ALTER TABLE stamped DROP COLUMN o1, DROP COLUMN u",
    "ALTER TABLE narrow MODIFY x decimal(10,1) NOT NULL",
    "TRUNCATE TABLE emptied",
    "ALTER TABLE bare DROP COLUMN y",
)
DOWN = (
    "ALTER TABLE bare ADD COLUMN y int",
    "ALTER TABLE narrow MODIFY x decimal(10,4) NOT NULL",
    "ALTER TABLE stamped ADD COLUMN o1 text AFTER x",
    "ALTER TABLE stamped ADD COLUMN u int NOT NULL AFTER o1",
    "CREATE UNIQUE INDEX uq ON stamped (u)",
    *(COUNTED, SELF),
)
Look = Callable[[], tuple[str, dict[str, list[str]]]]


def made(url: str, *setup: str) -> Look:
    """Run these; what can be asked then is the schema and every row."""
    with connect(url) as database:
        for sql in setup:
            database.query(sql)
    tables = [table.name for table in schema_of(url).tables]
    return lambda: (shape(schema_of(url)), {t: sorted(map(repr, ask(url, f"SELECT * FROM `{t}`"))) for t in tables})


def test_everything_comes_back_as_it_was(mariadb_url: str) -> None:
    look = made(mariadb_url, *SETUP)
    start = look()
    plan = plan_for(mariadb_url, UP, DOWN)
    assert plan.undo is not None
    assert plan.undo.why_not == ()
    judged = {j.n: j.effects for j in judge(plan.statements, dialect="mariadb", schema=schema_of(mariadb_url))}
    kept = [judged[s.n] for s in plan.statements if s.kind == "preserve"]
    assert set().union(*kept) == {Effect.READ}
    run(mariadb_url, plan.statements)
    run(mariadb_url, plan.reverse.statements)
    assert look() == start
    with connect(mariadb_url) as database:  # counters go on from where they were, not from the highest number left
        for sql in ("INSERT INTO emptied (x) VALUES ('n')", "INSERT INTO counted (d) VALUES ('2026-01-01')"):
            database.query(sql)
    assert ask(mariadb_url, "SELECT max(e.id), max(c.id) FROM emptied e, counted c") == [(4, 10)]
    assert [name for (name,) in ask(mariadb_url, "SHOW TABLES LIKE '\\_mcp%'")] == ["_mcp_migrate_undo"]


SMALL = (
    "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a varchar(9), b int NOT NULL)",
    "CREATE TABLE n (x int, y int)",
)
ROWS = ("INSERT INTO t (a, b) VALUES ('x', 1), ('y', 2), ('z', 3)", "INSERT INTO n VALUES (1, 1), (1, 2)")
STEPS = (
    ["DELETE FROM t WHERE id = 1", "ALTER TABLE t DROP COLUMN a", "DROP TABLE t"],
    [
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, b int NOT NULL)",
        "ALTER TABLE t ADD COLUMN a varchar(9) AFTER id",
    ],
)


def stopped(url: str, plan: Plan, before: str) -> Stopped:
    """The plan, run up to the statement that begins so; the session ends there."""
    number = next(n for n, s in enumerate(plan.statements) if s.sql.startswith(before))
    with pytest.raises(PartiallyAppliedError) as told:
        _run_until(url, plan, number)
    ran = told.value.details["ran"]
    stands = tuple(s for s in plan.statements if s.n in ran)
    return Stopped("apply_1", plan, plan, stands, tuple(s for s in plan.statements if s.n not in ran), None, None)


def _run_until(url: str, plan: Plan, number: int) -> None:
    with dialect_for(url).open_writer(url, plan.statements, limits=Limits(1.0, 9.0)) as writer:
        writer.leave_mark("apply_1", "sha256:plan")
        for statement in plan.statements[:number]:
            writer.run(statement)
        if number < len(plan.statements):
            raise KeyboardInterrupt


def ground(url: str, *more: str) -> Ground:
    dialect = dialect_for(url)

    @contextmanager
    def fresh() -> Iterator[Scratch]:
        with dialect.open_scratch(url) as scratch:
            made(scratch.url, *SMALL, *more)
            yield scratch

    return Ground(dialect, url, schema_of(url), "a", fresh)


@pytest.mark.parametrize("before", ["ALTER TABLE t DROP", "DROP TABLE t"])
@pytest.mark.parametrize("way", [finish, undo])
def test_a_plan_that_stopped_between_keeping_and_losing_goes_on_and_back(
    mariadb_url: str, way: Callable[[Stopped, Ground], Plan], before: str
) -> None:
    look = made(mariadb_url, *SMALL, *ROWS)
    start = look()
    plan = plan_for(mariadb_url, *STEPS)
    at = stopped(mariadb_url, plan, before)
    on = way(at, ground(mariadb_url))
    if way is finish:  # what was written while nobody held the table is kept as well
        ask(mariadb_url, "INSERT INTO t (b) VALUES (99)")
    run(mariadb_url, on.statements)
    if way is finish:
        run(mariadb_url, on.reverse.statements)
        assert ask(mariadb_url, "SELECT count(*) FROM t WHERE b = 99") == [(1,)]
        ask(mariadb_url, "DELETE FROM t WHERE b = 99")
    assert look() == start
    assert on.doubts == ()


BIG = (
    "CREATE TABLE u (id int AUTO_INCREMENT PRIMARY KEY, t int, s int, KEY by_s (s), CHECK (s > 0),"
    " CONSTRAINT f FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE, FOREIGN KEY (s) REFERENCES u (id))"
)
MANY = (*SMALL, BIG, *ROWS, "INSERT INTO u (t, s) VALUES (1, 1), (2, 1), (3, 2)")


def parked(url: str) -> Plan:
    plan = plan_for(url, ["DROP TABLE u"], [BIG], Keeping(park=1))
    assert plan.undo is not None
    assert [kept.method for kept in plan.undo.kept] == ["parked"]
    return plan


@pytest.mark.proves("undo-parked")
def test_a_parked_table_is_out_of_the_way_and_comes_back_as_it_was(mariadb_url: str) -> None:
    look = made(mariadb_url, *MANY)
    start = look()
    plan = parked(mariadb_url)
    for statements in (plan.statements, plan.reverse.statements):
        judged = judge(statements, dialect="mariadb", schema=schema_of(mariadb_url))
        assert Effect.UNKNOWN not in {effect for each in judged for effect in each.effects}
    run(mariadb_url, plan.statements)
    assert "_mcp" not in str(schema_of(mariadb_url))
    for sql in (BIG, "DROP TABLE u", "DELETE FROM t WHERE id = 2"):  # its names are free, and it refers to nothing
        ask(mariadb_url, sql)
    with pytest.raises(UndoConflictError, match=r"refers to rows of .*\.t that are gone"):
        run(mariadb_url, plan.reverse.statements)
    ask(mariadb_url, "INSERT INTO t (id, a, b) VALUES (2, 'y', 2)")
    run(mariadb_url, plan.reverse.statements)
    assert look() == start
    again = parked(mariadb_url)
    run(mariadb_url, again.statements)
    ask(mariadb_url, "UPDATE _mcp_migrate_undo SET until = kept_at")
    assert again.undo is not None
    assert dialect_for(mariadb_url).prune(mariadb_url, keys={again.undo.key}) == (again.undo.key,)
    assert [name for (name,) in ask(mariadb_url, "SHOW TABLES LIKE '\\_mcp%'")] == ["_mcp_migrate_undo"]


@pytest.mark.parametrize("before", ["RENAME TABLE", "DROP TABLE u"])
@pytest.mark.parametrize("way", [finish, undo])
def test_parking_that_stopped_half_way_goes_on_and_back(
    mariadb_url: str, way: Callable[[Stopped, Ground], Plan], before: str
) -> None:
    look = made(mariadb_url, *MANY)
    start = look()
    plan = parked(mariadb_url)
    at = stopped(mariadb_url, plan, before)
    on = way(at, ground(mariadb_url, BIG))
    run(mariadb_url, on.statements)
    if way is finish:
        run(mariadb_url, on.reverse.statements)
    assert look() == start


ASIDE = {
    "CREATE TABLE v (u int REFERENCES u (id))": "refers to it",
    "ALTER TABLE u ADD CONSTRAINT positive CHECK (t > 0)": "has a name that would stay taken",
}


@pytest.mark.parametrize("sql", ASIDE)
def test_what_would_stay_in_the_way_of_others_is_not_parked(mariadb_url: str, sql: str) -> None:
    made(mariadb_url, *MANY, sql)
    told: Any = plan_for(mariadb_url, ["DROP TABLE u"], [BIG], Keeping(rows=2, park=1)).undo
    assert told.parked == ()
    assert any(ASIDE[sql] in why for why in told.why_not), told


def test_nobody_writes_between_the_copy_and_the_loss(mariadb_url: str) -> None:
    made(mariadb_url, *SMALL, *ROWS)
    plan = plan_for(mariadb_url, *STEPS)
    with (
        dialect_for(mariadb_url).open_writer(mariadb_url, plan.statements, limits=Limits()) as writer,
        connect(mariadb_url) as other,
    ):
        other.query("SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
        for at, statement in enumerate(plan.statements):
            copied = at and plan.statements[at - 1].sql.startswith("INSERT INTO `_mcp_migrate_undo_")
            if statement.kind == "change" and copied:
                with pytest.raises(Exception, match="Lock wait timeout"):
                    other.query("INSERT INTO t (b) VALUES (99)")
            writer.run(statement)
    assert ask(mariadb_url, "SELECT count(*) FROM n") == [(2,)]


def test_a_busy_table_changes_nothing_and_the_next_attempt_begins_anew(mariadb_url: str) -> None:
    made(mariadb_url, *SMALL, *ROWS)
    plan = plan_for(mariadb_url, ["ALTER TABLE t DROP COLUMN a"], ["ALTER TABLE t ADD COLUMN a varchar(9)"])
    with connect(mariadb_url) as other:
        other.query("START TRANSACTION")
        other.query("UPDATE t SET b = 5")
        for _ in range(2):
            with pytest.raises(LockTimeoutError):
                _run_until(mariadb_url, plan, len(plan.statements))
        other.query("COMMIT")
    run(mariadb_url, plan.statements)
    run(mariadb_url, plan.reverse.statements)
    assert [row[0] for row in ask(mariadb_url, "SELECT a FROM t ORDER BY id")] == ["x", "y", "z"]


ADDED = {
    "ALTER TABLE t ADD COLUMN c point NOT NULL": ("c point NULL", "MODIFY COLUMN c point NOT NULL"),
    "ALTER TABLE `t` ADD c enum('NOT','NULL') NOT NULL AFTER x": (
        "c enum('NOT','NULL') NULL AFTER x",
        "NOT NULL AFTER x",
    ),
    "ALTER TABLE t ADD c int NOT NULL UNIQUE": None,
    "ALTER TABLE t ADD c int NOT NULL, ADD d int": None,
    "ALTER TABLE t ADD d int NOT NULL": None,
    "ALTER TABLE t ADD c int": None,
    "ALTER": None,
}


@pytest.mark.parametrize("sql", ADDED)
def test_a_column_takes_nulls_until_its_values_are_back(sql: str) -> None:
    found, expected = nulls_taken(sql, "t", "c"), ADDED[sql]
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found[0].endswith(expected[0])
        assert found[1].endswith(expected[1])


WITHOUT = {
    "no key, twice": (["UPDATE n SET x = 1", "DELETE FROM n"], "changed more than once"),
    "system versioned": (["DROP TABLE v"], "what"),
    "no transactions": (["DELETE FROM m"], "has no transactions"),
    "replaced rows": (["REPLACE INTO t VALUES (1, 'q', 2)"], "which columns of"),
    "two tables": (["UPDATE t, n SET t.b = n.x"], "which columns of"),
}


def test_what_cannot_be_kept_is_told(mariadb_url: str) -> None:
    extra = [
        "CREATE TABLE v (id int PRIMARY KEY) WITH SYSTEM VERSIONING",
        "CREATE TABLE m (id int PRIMARY KEY) ENGINE=MyISAM",
    ]
    made(mariadb_url, *SMALL, *extra)
    for up, why in WITHOUT.values():
        told: Any = plan_for(mariadb_url, up, []).undo
        assert any(why in each for each in told.why_not), (up, told)
