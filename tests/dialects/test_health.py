"""Is what no fingerprint tells found, and only that?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.told import Counted
from mcp_migrate.drivers.postgresql import connect
from tests.mariadb import ask

LONG = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 90000000) SELECT n FROM c WHERE n < 0"


def faults(url: str) -> dict[str, tuple[str, ...]]:
    with dialect_for(url).open_reader(url) as reader:
        return dict(reader.faults(seconds=5))


def counted(url: str, sql: str, *, at_most: int = 10, seconds: float = 5) -> Counted:
    with dialect_for(url).open_reader(url) as reader:
        return reader.count_returned(sql, at_most=at_most, seconds=seconds)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.executescript(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INT REFERENCES p);"
            "CREATE VIEW v AS SELECT p FROM c; INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 1)"
        )
    return f"sqlite:///{tmp_path}/a.db"


def test_a_sound_sqlite_database_has_no_faults(sqlite_url: str) -> None:
    assert faults(sqlite_url) == {"views compile": (), "foreign keys hold": ()}


def test_a_broken_view_and_orphaned_rows_are_found_on_sqlite(sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        database.executescript("DELETE FROM p; CREATE VIEW w AS SELECT gone FROM c")
    assert faults(sqlite_url) == {
        "views compile": ("main.w: no such column: gone",),
        "foreign keys hold": ("main.c: 2 rows refer to rows of p that are not there",),
    }


def test_sound_postgresql_has_no_faults_and_each_kind_is_found(postgres_url: str) -> None:
    with connect(postgres_url) as database:
        for sql in (
            "CREATE TABLE t (id serial PRIMARY KEY, n int, m int GENERATED ALWAYS AS IDENTITY (INCREMENT -1))",
            "INSERT INTO t (n) VALUES (1), (1)",
        ):
            database.execute(sql.encode())
        sound = faults(postgres_url)
        for sql in (
            "INSERT INTO t (id, n) VALUES (3, 1)",
            "INSERT INTO t (id, n, m) OVERRIDING SYSTEM VALUE VALUES (9, 1, -3)",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 1) NOT VALID",
        ):
            database.execute(sql.encode())
        with pytest.raises(Exception, match="duplicated"):
            database.execute(b"CREATE UNIQUE INDEX CONCURRENTLY u ON t (n)")
    assert sound == {
        "indexes are valid": (),
        "constraints were checked on all rows": (),
        "counters are ahead of their columns": (),
    }
    taken = "its next value is taken already"
    assert faults(postgres_url) == {
        "indexes are valid": ("public.u on t is invalid",),
        "constraints were checked on all rows": ("public.t.c",),
        "counters are ahead of their columns": (f"public.t_id_seq, which counts for public.t.id: {taken}",),
    }


def test_a_broken_view_is_found_on_mariadb(mariadb_url: str) -> None:
    for sql in ("CREATE TABLE t (a int, b int)", "CREATE VIEW v AS SELECT a, b FROM t"):
        ask(mariadb_url, sql)
    assert faults(mariadb_url) == {"views compile": ()}
    ask(mariadb_url, "ALTER TABLE t DROP COLUMN b")
    [found] = faults(mariadb_url)["views compile"]
    assert found.startswith(f"{mariadb_url.rpartition('/')[2]}.v: View ")
    assert "references invalid" in found


def test_rows_are_counted_to_a_bound_on_sqlite(sqlite_url: str) -> None:
    assert counted(sqlite_url, "SELECT * FROM c -- all;\n;", at_most=10) == Counted(2)
    assert counted(sqlite_url, "SELECT * FROM c", at_most=1) == Counted(1)
    assert counted(sqlite_url, LONG, seconds=0.05).why_not == "it took longer than 0.05 s"
    assert counted(sqlite_url, "DELETE FROM c").why_not is not None
    assert counted(sqlite_url, "SELECT 1); DELETE FROM c; --").why_not is not None
    assert counted(sqlite_url, "SELECT * FROM c") == Counted(2)


def test_rows_are_counted_to_a_bound_on_postgresql(postgres_url: str) -> None:
    with connect(postgres_url) as database:
        database.execute(b"CREATE TABLE c AS SELECT n, 'secret' AS word FROM generate_series(1, 5) n")
    with dialect_for(postgres_url).open_reader(postgres_url) as reader:
        slow = reader.count_returned("SELECT pg_sleep(9)", at_most=9, seconds=0.05)
        value = reader.count_returned("SELECT word::int FROM c", at_most=9, seconds=5)
        assert value.why_not is None or "secret" not in value.why_not
        forced = reader.count_returned("SELECT 1 FROM c WHERE word::int > 0", at_most=9, seconds=5)
        writes = reader.count_returned("DELETE FROM c RETURNING 1", at_most=9, seconds=5)
        leaves = reader.count_returned("SELECT 1) AS a) AS b; COMMIT; DELETE FROM c; --", at_most=9, seconds=5)
        all_of_them = reader.count_returned("SELECT * FROM c;", at_most=3, seconds=5)
    assert slow.why_not == "it took longer than 0.05 s"
    assert forced.why_not == "the database answered with error 22P02"
    assert writes.why_not is not None
    assert leaves.why_not is not None
    assert all_of_them == Counted(3)


def test_rows_are_counted_to_a_bound_on_mariadb(mariadb_url: str) -> None:
    ask(mariadb_url, "CREATE TABLE c (n int)")
    ask(mariadb_url, "INSERT INTO c VALUES (1), (2), (3)")
    assert counted(mariadb_url, "SELECT * FROM c;", at_most=2) == Counted(2)
    assert counted(mariadb_url, "SELECT sleep(9)", seconds=0.05).why_not == "it took longer than 0.05 s"
    assert counted(mariadb_url, "DELETE FROM c").why_not is not None
    assert counted(mariadb_url, "SELECT 1 AS a, 2 AS a").why_not == "Duplicate column name 'a'"
