"""Is everything noticed that reaches the driver, however it is written?"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest

from mcp_migrate.migrations.child.driver import watch


class Pretended:
    """As much of a pymysql connection as is watched."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []

    def query(self, sql: str | bytes) -> None:
        self.sent.append(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "--x\nDELETE FROM t",
        "-- x\r\nDELETE FROM t",
        "BEGIN; DELETE FROM t",
        "COMMIT; DROP TABLE t",
        "ROLLBACK AND CHAIN",
        "SAVEPOINT a; DELETE FROM t",
        "END IF; DROP TABLE t",
        "RELEASE a /* b */; DROP TABLE t",
        "BEGINNING",
        "SAVEPOINT `a`; DROP TABLE t; -- `",
    ],
)
def test_a_statement_that_begins_like_control_is_told(sql: str) -> None:
    told: list[str] = []
    connection = Pretended()
    watch(connection, told.append)
    connection.query(sql)
    connection.query(sql.encode())
    assert told == [sql, sql]
    assert connection.sent == [sql, sql.encode()]


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN",
        "begin immediate",
        "COMMIT;",
        "ROLLBACK TO SAVEPOINT sa_savepoint_1",
        'RELEASE "a"',
        "-- TRIGGER t",
        " END ",
    ],
)
def test_control_by_itself_is_the_drivers_own(sql: str) -> None:
    told: list[str] = []
    connection = Pretended()
    watch(connection, told.append)
    connection.query(sql)
    assert told == []


def test_on_sqlite_a_comment_hides_nothing() -> None:
    told: list[str] = []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        watch(connection, told.append)
        with suppress(sqlite3.Error):
            connection.execute("--x\nDELETE FROM t")
    assert told == ["--x\nDELETE FROM t"]
