from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.told import Left
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import (
    LockTimeoutError,
    PartiallyAppliedError,
    StatementFailedError,
    ValidationFailedError,
)
from mcp_migrate.model import Statement

SOON = Limits(lock_timeout=0.2, statement_timeout=5.0)
T = Statement(1, "r1", "CREATE TABLE t (a int)")
CONCURRENTLY = Statement(2, "r1", "CREATE INDEX CONCURRENTLY i ON t (a)", transactional=False)
FAILS = Statement(3, "r2", "INSERT INTO t VALUES (1 / 0)")


@pytest.fixture
def admin(postgres_url: str) -> Iterator[Any]:
    with connect(postgres_url) as connection:
        yield connection


def run(url: str, *statements: Statement, limits: Limits = SOON) -> list[int]:
    with dialect_for(url).open_writer(url, statements, limits=limits) as writer:
        return [writer.run(statement) for statement in statements]


def refuse_after_all(url: str, error: BaseException) -> None:
    with dialect_for(url).open_writer(url, [T, CONCURRENTLY], limits=SOON) as writer:
        writer.run(T)
        writer.run(CONCURRENTLY)
        raise error


def lose_the_connection(url: str, admin: Any) -> None:
    with dialect_for(url).open_writer(url, [T], limits=SOON) as writer:
        writer.run(T)
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_statement_outside_the_transaction_comes_between_two(postgres_url: str, admin: Any) -> None:
    run(postgres_url, T, CONCURRENTLY, Statement(3, "r2", "INSERT INTO t VALUES (1)"))

    assert admin.execute("SELECT count(*), (SELECT bool_and(indisvalid) FROM pg_index) FROM t").fetchone() == (1, True)


def test_a_failure_after_it_says_exactly_what_stands(postgres_url: str, admin: Any) -> None:
    with pytest.raises(PartiallyAppliedError) as caught:
        run(postgres_url, T, CONCURRENTLY, FAILS)

    assert caught.value.details == {"ran": [1, 2], "failed": 3, "statement": 3, "revision": "r2"}
    assert admin.execute("SELECT to_regclass('i')::text").fetchone() == ("i",)


def test_its_own_failure_is_no_rollback_even_when_it_came_first(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    unique = Statement(1, "r1", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", transactional=False)

    with pytest.raises(PartiallyAppliedError) as caught:
        run(postgres_url, unique)
    assert caught.value.details["ran"] == []
    assert admin.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").fetchone() == (False,)


@pytest.mark.parametrize(
    "error", [ValidationFailedError("It is elsewhere.", hint="Rolled back."), ValueError("x"), KeyboardInterrupt()]
)
def test_a_refusal_after_it_is_told_as_partial_as_well(postgres_url: str, error: BaseException) -> None:
    with pytest.raises(PartiallyAppliedError) as caught:
        refuse_after_all(postgres_url, error)

    assert caught.value.details["ran"] == [1, 2]


@pytest.mark.parametrize("last", [(), (Statement(2, "r1", "REINDEX TABLE CONCURRENTLY parent", transactional=False),)])
def test_a_commit_that_is_refused_is_told_and_nothing_stands(postgres_url: str, admin: Any, last: Any) -> None:
    admin.execute("CREATE TABLE parent (a int PRIMARY KEY)")
    admin.execute("CREATE TABLE child (a int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")

    with pytest.raises(StatementFailedError, match="could not be committed"):
        run(postgres_url, Statement(1, "r1", "INSERT INTO child VALUES (5)"), *last)
    assert admin.execute("SELECT count(*) FROM child").fetchone() == (0,)


def test_a_commit_whose_answer_is_lost_is_not_called_a_rollback(postgres_url: str, admin: Any) -> None:
    with pytest.raises(PartiallyAppliedError, match="not known"):
        lose_the_connection(postgres_url, admin)


def test_a_session_that_dies_during_a_statement_was_rolled_back(postgres_url: str, admin: Any) -> None:
    with pytest.raises(StatementFailedError, match="terminating connection"):
        run(postgres_url, T, Statement(2, "r1", "SELECT pg_terminate_backend(pg_backend_pid())"))
    assert admin.execute("SELECT to_regclass('t')").fetchone() == (None,)


@pytest.mark.proves("who-is-in-the-way")
def test_a_lock_that_is_not_to_be_had_is_told_as_such(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE TABLE t (a int)")
    admin.execute("BEGIN")
    admin.execute("LOCK TABLE t")
    admin.execute("SET application_name = 'a long report'")

    with pytest.raises(LockTimeoutError, match=r"In the way: session \d+ \(a long report, user ") as caught:
        run(postgres_url, Statement(1, "r1", "ALTER TABLE t ADD b int"))

    [holder] = caught.value.details["in_the_way"]
    expected = {"pid": admin.info.backend_pid, "application": "a long report", "state": "idle in transaction"}
    assert expected.items() <= holder.items()
    assert holder["transaction_seconds"] > 0
    assert holder["certain"]
    assert "LOCK TABLE" not in str(caught.value.details)


@pytest.mark.proves("who-is-in-the-way")
def test_old_transactions_are_those_with_a_lock_on_a_table_that_is_asked_about(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE TABLE t (a int); CREATE TABLE u (a int)")
    admin.execute("BEGIN")
    admin.execute("SELECT FROM t")

    def asked(tables: set[str] | None, seconds: float) -> list[int]:
        return [holder.pid for holder in writer.old_transactions(tables, seconds=seconds)]

    with dialect_for(postgres_url).open_writer(postgres_url, [], limits=SOON) as writer:
        pid = admin.info.backend_pid
        assert (asked({"public.t"}, 0.001), asked(None, 0.001)) == ([pid], [pid])
        assert (asked({"public.u"}, 0.001), asked({"public.t"}, 60), asked(None, 60)) == ([], [], [])


def test_an_index_that_waits_for_a_transaction_names_it(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE TABLE t (a int)")
    admin.execute("BEGIN")
    admin.execute("INSERT INTO t VALUES (1)")

    with pytest.raises(PartiallyAppliedError) as caught:
        run(postgres_url, Statement(1, "r1", "CREATE INDEX CONCURRENTLY i ON t (a)", transactional=False))
    assert [holder["pid"] for holder in caught.value.details["in_the_way"]] == [admin.info.backend_pid]


def test_a_timeout_below_a_millisecond_is_not_none_at_all(postgres_url: str) -> None:
    with pytest.raises(StatementFailedError, match="statement_timeout"):
        run(postgres_url, Statement(1, "r1", "SELECT pg_sleep(1)"), limits=Limits(0.2, 0.0001))


def test_rows_that_others_write_until_a_table_is_locked_are_kept_whatever_the_database_says(
    postgres_url: str, admin: Any
) -> None:
    [(name,)] = admin.execute("SELECT current_database()").fetchall()
    admin.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    admin.execute("CREATE TABLE t (a int)")
    texts = ("LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE", "CREATE TABLE kept AS SELECT * FROM t", "DROP TABLE t")
    statements = [Statement(n, "r1", text) for n, text in enumerate(texts, 1)]

    with dialect_for(postgres_url).open_writer(postgres_url, statements, limits=SOON) as writer:
        assert writer.count_rows(["public.t"]) == {"public.t": 0}
        admin.execute("INSERT INTO t VALUES (1)")
        for statement in statements:
            writer.run(statement)

    assert admin.execute("SELECT a FROM kept").fetchall() == [(1,)]


def test_texts_arrive_in_a_database_of_another_encoding(postgres_url: str, admin: Any) -> None:
    name = admin.info.dbname + "_latin"
    admin.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    url = postgres_url.replace(admin.info.dbname, name)

    run(url, Statement(1, "r1", "CREATE TABLE t AS SELECT 'é'::text AS a"))

    with connect(url) as latin:
        assert latin.execute("SELECT length(a) FROM t").fetchone() == (1,)
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_commit_inside_a_block_or_procedure_is_refused_by_the_server(postgres_url: str, admin: Any) -> None:
    with pytest.raises(StatementFailedError, match="invalid transaction termination"):
        run(postgres_url, T, Statement(2, "r1", "DO $$ BEGIN COMMIT; END $$"))
    assert admin.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_an_index_that_was_never_finished_is_named_with_what_removes_it(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1); CREATE INDEX fine ON t (a)")
    unique = Statement(1, "r1", 'CREATE UNIQUE INDEX CONCURRENTLY "I" ON t (a)', transactional=False)

    with pytest.raises(PartiallyAppliedError):
        run(postgres_url, unique)

    with dialect_for(postgres_url).open_reader(postgres_url) as reader:
        assert reader.left_by(unique) == Left("public.I", "invalid index", 'DROP INDEX CONCURRENTLY public."I"')
        for other in ("CREATE INDEX CONCURRENTLY fine ON t (a)", 'CREATE INDEX CONCURRENTLY "I" ON u (a)', "SELECT 1"):
            assert reader.left_by(Statement(1, "r1", other, transactional=False)) is None


@pytest.mark.proves("reads-hold")
def test_what_was_read_stays_until_the_apply_ends(postgres_url: str, admin: Any) -> None:
    admin.execute("CREATE TABLE t (a int)")
    with dialect_for(postgres_url).open_writer(postgres_url, [], limits=SOON) as writer:
        writer.look("SELECT a FROM t", ())
        admin.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            admin.execute("INSERT INTO t VALUES (1)")
        assert admin.execute("SELECT count(*) FROM t").fetchone() == (0,)
    admin.execute("INSERT INTO t VALUES (1)")
    admin.execute("BEGIN; INSERT INTO t VALUES (2)")
    with (
        pytest.raises(LockTimeoutError),
        dialect_for(postgres_url).open_writer(postgres_url, [], limits=SOON) as writer,
    ):
        writer.look("SELECT a FROM t", ())
