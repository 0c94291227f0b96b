# ruff: noqa: S608 - made-up statements of this file
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.told import Mark
from mcp_migrate.errors import (
    LockedError,
    LockTimeoutError,
    PartiallyAppliedError,
    StatementFailedError,
    ValidationFailedError,
)
from mcp_migrate.model import Statement
from tests.mariadb import ask
from tests.waiting import until

SOON = Limits(lock_timeout=1.0, statement_timeout=5.0)
TABLE = Statement(1, "r1", "CREATE TABLE t (a int PRIMARY KEY, b text)", transactional=False)
ONE = Statement(2, "r1", "INSERT INTO t VALUES (1, 'x')")
TWO = Statement(3, "r1", "INSERT INTO t VALUES (2, 'y')")
AGAIN = Statement(3, "r2", "INSERT INTO t VALUES (1, 'again')")
INDEX = Statement(4, "r2", "CREATE INDEX i ON t (b(10))", transactional=False)


def run(url: str, *statements: Statement, limits: Limits = SOON, mark: str | None = None) -> list[int]:
    with dialect_for(url).open_writer(url, statements, limits=limits) as writer:
        if mark:
            writer.leave_mark(mark, "sha256:plan")
        return [writer.run(statement) for statement in statements]


def mark_of(url: str, name: str) -> Mark | None:
    with dialect_for(url).open_reader(url) as reader:
        return reader.mark(name)


def rows(url: str) -> list[Any]:
    return [row[0] for row in ask(url, "SELECT a FROM t ORDER BY a")]


@pytest.fixture
def table(mariadb_url: str) -> str:
    """A database with the table in it."""
    run(mariadb_url, TABLE)
    return mariadb_url


@pytest.fixture
def busy(table: str) -> Iterator[str]:
    """The same, while somebody else works on the table."""
    from mcp_migrate.drivers.mysql import connect

    with connect(table) as other:
        other.query("START TRANSACTION")
        other.query("INSERT INTO t VALUES (1, 'theirs')")
        yield table


def test_ddl_and_rows_run_in_the_order_of_the_plan(mariadb_url: str) -> None:
    touched = run(mariadb_url, TABLE, ONE, TWO, INDEX, mark="apply_1")

    assert touched == [0, 1, 1, 0]
    assert rows(mariadb_url) == [1, 2]
    assert mark_of(mariadb_url, "apply_1") == Mark("sha256:plan", 4)


def test_rows_since_the_last_ddl_are_rolled_back_and_the_rest_is_told(mariadb_url: str) -> None:
    with pytest.raises(PartiallyAppliedError) as caught:
        run(mariadb_url, TABLE, ONE, AGAIN, mark="apply_2")

    assert caught.value.details == {"ran": [1], "failed": 3, "statement": 3, "revision": "r2"}
    assert rows(mariadb_url) == []
    assert mark_of(mariadb_url, "apply_2") == Mark("sha256:plan", 1)


def test_rows_before_ddl_stand_when_it_fails_and_it_leaves_nothing(table: str) -> None:
    fails = Statement(3, "r2", "CREATE INDEX i ON t (nowhere)", transactional=False)

    with pytest.raises(PartiallyAppliedError) as caught:
        run(table, ONE, fails, mark="apply_3")

    assert caught.value.details["ran"] == [2]
    assert "uncertain" not in caught.value.details
    assert rows(table) == [1]
    assert mark_of(table, "apply_3") == Mark("sha256:plan", 1)


def test_ddl_that_fails_first_changed_nothing(table: str) -> None:
    with pytest.raises(StatementFailedError, match="already exists"):
        run(table, TABLE)


def test_a_drop_of_several_tables_that_fails_may_have_dropped_some(table: str) -> None:
    drop = Statement(1, "r1", "DROP TABLE t, nowhere", transactional=False)

    with pytest.raises(PartiallyAppliedError, match="Unknown table") as caught:
        run(table, drop, mark="apply_4")

    assert (caught.value.details["ran"], caught.value.details["uncertain"]) == ([], 1)
    assert ask(table, "SHOW TABLES LIKE 't'") == []
    assert mark_of(table, "apply_4") == Mark("sha256:plan", 0)


def test_rows_alone_are_one_transaction(table: str) -> None:
    with pytest.raises(StatementFailedError, match="Everything was rolled back"):
        run(table, ONE, AGAIN, mark="apply_5")

    assert rows(table) == []
    assert mark_of(table, "apply_5") is None


def test_a_flag_that_calls_ddl_transactional_is_not_believed(mariadb_url: str) -> None:
    with pytest.raises(PartiallyAppliedError) as caught:
        run(mariadb_url, Statement(1, "r1", TABLE.sql), ONE, AGAIN)

    assert caught.value.details["ran"] == [1]


def test_rows_of_a_table_without_transactions_are_told_to_stand(table: str) -> None:
    ask(table, "ALTER TABLE t ENGINE=MyISAM")

    with pytest.raises(PartiallyAppliedError) as caught:
        run(table, ONE, AGAIN)

    assert caught.value.details["uncertain"] == 2
    assert rows(table) == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT",
        "/* x */ START TRANSACTION",
        "LOCK TABLES t WRITE",
        "USE mysql",
        "SET autocommit = 0",
        "SET sql_mode = ''",
        "SET foreign_key_checks = 0, autocommit = 1",
        "SET GLOBAL foreign_key_checks = 0",
        "/*!40000 COMMIT */",
        "",
    ],
)
def test_the_session_is_not_a_revisions_to_control(table: str, sql: str) -> None:
    with pytest.raises(ValidationFailedError):
        run(table, ONE, Statement(3, "r2", sql))

    assert rows(table) == []


def test_references_may_be_left_unchecked_for_a_while(table: str) -> None:
    off = Statement(1, "r1", "SET FOREIGN_KEY_CHECKS=0")
    drop = Statement(2, "r1", "DROP TABLE t", transactional=False)
    ask(table, "CREATE TABLE u (a int, FOREIGN KEY (a) REFERENCES t (a))")

    run(table, off, drop)

    assert [row[0] for row in ask(table, "SHOW TABLES")] == ["u"]


def test_one_text_is_one_statement(table: str) -> None:
    with pytest.raises(StatementFailedError, match="syntax"):
        run(table, Statement(1, "r1", "INSERT INTO t VALUES (1, 'x'); DELETE FROM t"))

    assert rows(table) == []


def test_no_file_of_ours_is_given_to_the_server(table: str) -> None:
    load = Statement(1, "r1", "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t", transactional=False)

    with pytest.raises(PartiallyAppliedError):
        run(table, load)
    assert rows(table) == []


@pytest.mark.parametrize(
    "text", ["100% :sure %s %(x)s ?", "a\\'b\"`", "\U0001f600 ünï", "--x /* y */ #z", "\x00\x1a\n", ""]
)
def test_values_arrive_as_they_were_bound(table: str, text: str) -> None:
    run(table, Statement(1, "r1", "INSERT INTO t VALUES (?, ?)", parameters=((7, text), (8, None))))

    assert ask(table, "SELECT b FROM t ORDER BY a") == [(text,), (None,)]


def test_percent_signs_and_colons_are_sent_as_they_are(table: str) -> None:
    run(table, Statement(1, "r1", "INSERT INTO t VALUES (1, '100%% :x %s ?')"))

    assert ask(table, "SELECT b FROM t") == [("100%% :x %s ?",)]


def test_long_texts_and_odd_names_are_sent_as_they_are(table: str) -> None:
    name, long = "`Größe :x %s ? ``日本`", "é" + "x" * 10_000_000
    made = Statement(1, "r1", f"CREATE TABLE {name} (a longtext)")
    run(table, made, Statement(2, "r1", f"INSERT INTO {name} VALUES ('{long}')"))

    assert ask(table, f"SELECT char_length(a), left(a, 2) FROM {name}") == [(len(long), "éx")]


def test_a_busy_table_is_not_waited_for_for_ever(busy: str) -> None:
    began = time.monotonic()

    with pytest.raises(LockTimeoutError, match="Perhaps in the way: session") as caught:
        run(busy, Statement(1, "r1", "ALTER TABLE t ADD COLUMN c int", transactional=False))
    assert [holder["certain"] for holder in caught.value.details["in_the_way"]] == [False]
    with pytest.raises(LockTimeoutError):
        run(busy, Statement(1, "r1", "UPDATE t SET b = 'z'"))

    assert time.monotonic() - began < 40


def test_a_statement_that_takes_too_long_is_ended(table: str) -> None:
    slow = Statement(1, "r1", "INSERT INTO t SELECT seq, SLEEP(1) FROM seq_1_to_30")

    with pytest.raises(StatementFailedError, match="longer than statement_timeout"):
        run(table, slow, limits=Limits(lock_timeout=1.0, statement_timeout=0.5))


def test_one_apply_at_a_time_on_a_database(table: str) -> None:
    with (
        dialect_for(table).open_writer(table, [ONE], limits=SOON),
        pytest.raises(LockedError, match="In the way: session"),
    ):
        run(table, TWO, limits=Limits(lock_timeout=0.0))
    run(table, TWO)


def test_a_connection_that_breaks_during_ddl_is_settled_by_the_mark(busy: str) -> None:
    patient = Limits(lock_timeout=60.0)

    def cut() -> None:
        waiting = "SELECT id FROM information_schema.processlist WHERE state LIKE '%metadata lock%'"
        found = until(lambda: ask(busy, waiting))
        ask(busy, f"KILL CONNECTION {found[0][0]}")

    cutting = threading.Thread(target=cut)
    cutting.start()
    with pytest.raises(PartiallyAppliedError) as caught:
        run(busy, TWO, INDEX, limits=patient, mark="apply_6")
    cutting.join()

    details = caught.value.details
    assert (details["ran"], details["uncertain"], details["unknown"]) == ([3], 4, True)
    assert mark_of(busy, "apply_6") == Mark("sha256:plan", 1)


def test_marks_go_beside_the_tables_where_no_database_may_be_made(mariadb_server: str, table: str) -> None:
    name = table.rpartition("/")[2]
    ask(mariadb_server, f"CREATE USER narrow_{name[:20]}@'%' IDENTIFIED BY 'p'")
    ask(mariadb_server, f"GRANT ALL ON {name}.* TO narrow_{name[:20]}@'%'")
    url = table.replace("tests:tests", f"narrow_{name[:20]}:p")
    dialect = dialect_for(url)
    with dialect.open_reader(url) as reader:
        before = reader.schema(version_table="alembic_version")

    run(url, INDEX, mark="apply_7")

    assert mark_of(url, "apply_7") == Mark("sha256:plan", 1)
    assert [row[0] for row in ask(table, "SHOW TABLES")] == ["_mcp_migrate_applies", "t"]
    with dialect.open_reader(url) as reader:
        after = reader.schema(version_table="alembic_version")
    assert [t.name for t in after.tables] == [t.name for t in before.tables] == ["t"]
    dialect.clear_marks(url, keep={"apply_7"})
    assert mark_of(url, "apply_7") is not None
    dialect.clear_marks(url, keep=())
    assert [row[0] for row in ask(table, "SHOW TABLES")] == ["t"]
    ask(mariadb_server, f"DROP USER narrow_{name[:20]}@'%'")
