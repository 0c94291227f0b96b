# ruff: noqa: S608 - made-up statements of this file
from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.errors import LockedError, StatementFailedError, TargetUnreachableError, ValidationFailedError
from mcp_migrate.model import Statement

SOON = Limits(lock_timeout=0.2, statement_timeout=5.0)
T = Statement(1, "r1", "CREATE TABLE t (a int)")
VERSIONS = Statement(1, "r1", "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)", kind="version")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/target.db"
    return str(request.getfixturevalue("postgres_url"))


def run(url: str, *statements: Statement, limits: Limits = SOON) -> list[int]:
    return send(url, statements, statements, limits=limits)


def send(url: str, frozen: Sequence[Statement], sent: Sequence[Statement], *, limits: Limits = SOON) -> list[int]:
    with dialect_for(url).open_writer(url, frozen, limits=limits) as writer:
        return [writer.run(statement) for statement in sent]


def leave_with(error: type[BaseException], url: str) -> None:
    with dialect_for(url).open_writer(url, [T], limits=SOON) as writer:
        writer.run(T)
        raise error


def swallow_failures(url: str, *statements: Statement) -> None:
    with dialect_for(url).open_writer(url, statements, limits=SOON) as writer:
        for statement in statements:
            with suppress(StatementFailedError):
                writer.run(statement)


def rows(url: str, *tables: str) -> dict[str, int]:
    """Rows of each table that is there, by its plain name."""
    schema = "main" if url.startswith("sqlite") else "public"
    with dialect_for(url).open_reader(url) as reader:
        counted = reader.count_rows([f"{schema}.{table}" for table in tables])
    return {name.partition(".")[2]: count for name, count in counted.items()}


def test_what_ran_stands_when_the_session_is_left(any_url: str) -> None:
    insert = Statement(2, "r1", "INSERT INTO t VALUES (1), (2)")

    assert run(any_url, T, insert)[1] == 2
    assert rows(any_url, "t") == {"t": 2}


def test_the_session_reads_what_it_has_done_and_nobody_else_does(any_url: str) -> None:
    with dialect_for(any_url).open_writer(any_url, [VERSIONS], limits=SOON) as writer:
        writer.run(VERSIONS)

        assert writer.revisions("alembic_version") == ()
        assert set(writer.count_rows(["main.alembic_version", "public.alembic_version"]).values()) == {0}
        assert writer.schema(version_table="other").tables[0].name == "alembic_version"
        assert rows(any_url, "alembic_version") == {}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_stands_when_it_is_left_with_an_exception(any_url: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        leave_with(error, any_url)

    assert rows(any_url, "t") == {}
    assert run(any_url, T)  # its lock is free again


@pytest.mark.parametrize(
    "other",
    [
        Statement(1, "r1", "CREATE TABLE t (a int) "),
        Statement(2, "r1", "CREATE TABLE t (a int)"),
        Statement(1, "r2", "CREATE TABLE t (a int)"),
        Statement(1, "r1", "CREATE TABLE t (a int)", parameters=((1,),)),
        Statement(1, "r1", "CREATE TABLE t (a int)", transactional=False),
        Statement(1, "r1", "CREATE TABLE t (a int)", kind="version"),
    ],
)
def test_a_statement_that_is_not_the_next_frozen_one_is_not_sent(any_url: str, other: Statement) -> None:
    with pytest.raises(ValidationFailedError):
        send(any_url, [T], [other])

    assert rows(any_url, "t") == {}


def test_a_statement_runs_only_once(any_url: str) -> None:
    with pytest.raises(ValidationFailedError):
        send(any_url, [T], [T, T])

    assert rows(any_url, "t") == {}


def test_a_failure_that_somebody_swallows_still_ends_the_apply(any_url: str) -> None:
    statements = [
        T,
        Statement(2, "r1", "INSERT INTO nowhere VALUES (1)"),
        Statement(3, "r1", "INSERT INTO t VALUES (1)"),
    ]
    with pytest.raises(StatementFailedError, match="Statement 2"):
        swallow_failures(any_url, *statements)

    assert rows(any_url, "t") == {}


def test_statements_stacked_in_one_text_are_refused(any_url: str) -> None:
    run(any_url, T)

    with pytest.raises(StatementFailedError):
        run(any_url, Statement(1, "r1", "SELECT 1; DROP TABLE t"))
    assert rows(any_url, "t") == {"t": 0}


@pytest.mark.parametrize("sql", ["COMMIT", "ROLLBACK", "BEGIN", "END", "SAVEPOINT s", "commit /* quietly */"])
def test_no_statement_can_end_the_transaction_it_runs_in(any_url: str, sql: str) -> None:
    statements = [T, Statement(2, "r1", sql), Statement(3, "r1", "INSERT INTO nowhere VALUES (1)")]

    with pytest.raises((StatementFailedError, ValidationFailedError)):
        run(any_url, *statements)
    assert rows(any_url, "t") == {}


def test_the_version_table_is_made_moved_by_one_row_and_dropped(any_url: str) -> None:
    insert = Statement(2, "r1", "INSERT INTO alembic_version (version_num) VALUES ('r1')", kind="version")
    update = Statement(3, "r2", "UPDATE alembic_version SET version_num = 'r2'", kind="version")
    drop = Statement(4, "r2", "DROP TABLE alembic_version", kind="version")

    assert run(any_url, VERSIONS, insert, update, drop)[1:3] == [1, 1]


@pytest.mark.parametrize("values", ["('a'), ('b')", None])
def test_a_version_statement_that_moves_another_number_of_rows_is_undone(any_url: str, values: str | None) -> None:
    sql = "INSERT INTO alembic_version VALUES " + values if values else "DELETE FROM alembic_version"

    with pytest.raises(ValidationFailedError, match="instead of one"):
        run(any_url, VERSIONS, Statement(2, "r1", sql, kind="version"))
    assert rows(any_url, "alembic_version") == {}


def test_a_statement_runs_once_for_each_of_its_rows(any_url: str) -> None:
    placeholder = "?" if any_url.startswith("sqlite") else "$1"
    insert = Statement(2, "r1", f"INSERT INTO t VALUES ({placeholder})", parameters=((1,), (None,), (3,)))
    empty = Statement(3, "r1", "INSERT INTO t DEFAULT VALUES", parameters=((), ()))

    assert run(any_url, T, insert, empty)[1:] == [3, 2]
    assert rows(any_url, "t") == {"t": 5}


def test_two_applies_do_not_run_at_the_same_time(any_url: str) -> None:
    with dialect_for(any_url).open_writer(any_url, [T], limits=SOON) as writer:
        with pytest.raises(LockedError):
            run(any_url, T)
        writer.run(T)

    assert rows(any_url, "t") == {"t": 0}


def test_a_statement_that_takes_too_long_is_ended(any_url: str) -> None:
    endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT max(i) FROM n"

    with pytest.raises(StatementFailedError, match="statement_timeout"):
        run(any_url, T, Statement(2, "r1", endless), limits=Limits(0.2, 0.2))
    assert rows(any_url, "t") == {}


def test_the_words_of_the_database_are_cut(any_url: str) -> None:
    with pytest.raises(StatementFailedError) as caught:
        run(any_url, Statement(1, "r1", f'SELECT * FROM "{"x" * 2000}"' + ", nowhere" * 300))

    assert len(caught.value.sentence) < 700


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://u:secret@127.0.0.1:1/d"])
def test_a_target_that_cannot_be_reached_is_said_to_be_so_without_its_password(url: str) -> None:
    with pytest.raises(TargetUnreachableError) as caught:
        run(url, T)

    assert "secret" not in str(caught.value)


def test_long_texts_odd_names_and_marks_arrive_as_they_were_frozen(any_url: str) -> None:
    name = '"Größe 😀 :x %s ?"'
    long = "100%% :x %s ? $1 é" + "x" * 10_000_000
    made = Statement(1, "r1", f"CREATE TABLE {name} (a text)")
    run(any_url, made, Statement(2, "r1", f"INSERT INTO {name} VALUES ('{long}')"))

    with dialect_for(any_url).open_reader(any_url) as reader:
        [table] = reader.schema(version_table="alembic_version").tables
        same = f"SELECT 1 FROM {name} WHERE a = '100%% :x %s ? $1 é' || replace(substr(a, 19), 'y', 'x')"
        whole = f"{same} AND length(a) = {len(long)}"
        assert table.name == name.strip('"')
        assert reader.count_returned(whole, at_most=5, seconds=20.0).rows == 1
