from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.errors import LockTimeoutError, StatementFailedError
from mcp_migrate.model import Statement

SOON = Limits(lock_timeout=0.1, statement_timeout=5.0)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/target.db"


@pytest.fixture
def database(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        yield connection


def run(url: str, *statements: Statement) -> list[int]:
    with dialect_for(url).open_writer(url, statements, limits=SOON) as writer:
        return [writer.run(statement) for statement in statements]


def test_a_file_that_is_not_there_is_made_in_a_folder_that_is(sqlite_url: str) -> None:
    run(sqlite_url, Statement(1, "r1", "CREATE TABLE t (a)"))

    assert Path(sqlite_url.removeprefix("sqlite:///")).is_file()


@pytest.mark.parametrize("sql", ["VACUUM", "VACUUM INTO 'other.db'", "ATTACH 'other.db' AS other"])
def test_what_cannot_be_in_a_transaction_or_leaves_the_file_fails(
    sqlite_url: str, database: sqlite3.Connection, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StatementFailedError):
        run(sqlite_url, Statement(1, "r1", "INSERT INTO t VALUES (1)"), Statement(2, "r1", sql))
    assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert not (tmp_path / "other.db").exists()


def test_a_reader_in_the_way_of_the_commit_is_a_lock_timeout_and_nothing_stands(
    sqlite_url: str, database: sqlite3.Connection
) -> None:
    database.execute("BEGIN")
    database.execute("SELECT * FROM t").fetchall()

    with pytest.raises(LockTimeoutError, match="reading"):
        run(sqlite_url, Statement(1, "r1", "INSERT INTO t VALUES (1)"))
    database.execute("COMMIT")
    assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_rows_of_a_returning_clause_are_counted(sqlite_url: str, database: sqlite3.Connection) -> None:
    assert run(sqlite_url, Statement(1, "r1", "INSERT INTO t VALUES (1), (2) RETURNING a")) == [2]
    assert database.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_a_file_that_is_no_database_is_not_touched(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.write_bytes(b"no database" * 1000)

    with pytest.raises(StatementFailedError, match="no database"):
        run(sqlite_url, Statement(1, "r1", "CREATE TABLE t (a)"))
    assert path.read_bytes() == b"no database" * 1000
