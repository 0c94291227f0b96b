"""Does SQLite read completely, run exactly the frozen statements, and leave nothing half done?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.sqlite.reads import reads
from mcp_migrate.errors import (
    ConfigInvalidError,
    LockedError,
    StatementFailedError,
    TargetUnreachableError,
    ValidationFailedError,
)
from mcp_migrate.model import Statement
from mcp_migrate.schema import Schema, diff, fingerprint
from tests.schema.coarse import coarse

BASE = """
CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT NOT NULL DEFAULT 'q', y INT UNIQUE, CONSTRAINT c CHECK (y > 0));
CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id) ON DELETE CASCADE, z INT);
CREATE INDEX i ON b (z);
CREATE VIEW v AS SELECT x FROM a;
CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;
"""
ALTERATIONS = {
    "ALTER TABLE a ADD COLUMN n INT": "add_column main.a.n",
    "ALTER TABLE b DROP COLUMN a_id": "drop_column main.b.a_id",
    "ALTER TABLE b RENAME COLUMN z TO w": "drop_column main.b.z",
    "CREATE TABLE d (id INTEGER)": "add_table main.d",
    "DROP TABLE b": "drop_table main.b",
    "DROP INDEX i": "drop_index main.b.i",
    "CREATE UNIQUE INDEX j ON b (z)": "add_index main.b.j",
    "CREATE INDEX j ON b (z) WHERE z > 1": "add_index main.b.j",
    "DROP VIEW v": "drop_view main.v",
    "DROP TRIGGER t": "drop_trigger main.t",
}


def make(path: Path, sql: str = BASE) -> str:
    with sqlite3.connect(path) as database:
        database.executescript(sql)
    database.close()
    return f"sqlite:///{path}"


def read(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


@pytest.mark.parametrize("sql", ALTERATIONS)
def test_each_alteration_changes_the_fingerprint_and_is_named(tmp_path: Path, sql: str) -> None:
    before = read(make(tmp_path / "one.db"))
    after = read(make(tmp_path / "two.db", BASE + sql))
    assert fingerprint(before) != fingerprint(after)
    assert ALTERATIONS[sql] in coarse(before, after)


@pytest.mark.parametrize(
    ("old", "new"), [("DEFAULT 'q'", "DEFAULT 'Q'"), ("y > 0", "y > 1"), ("CASCADE", "SET NULL"), ("NOT NULL", "")]
)
def test_each_part_of_a_definition_counts(tmp_path: Path, old: str, new: str) -> None:
    assert fingerprint(read(make(tmp_path / "1"))) != fingerprint(read(make(tmp_path / "2", BASE.replace(old, new, 1))))


def test_spelling_does_not_count(tmp_path: Path) -> None:
    other = BASE.replace("CREATE TABLE b (id", 'CREATE TABLE "b"\n(\t"id"').replace("x TEXT", '"x"  text')
    assert diff(read(make(tmp_path / "1")), read(make(tmp_path / "2", other))) == ()


def test_a_missing_file_is_an_empty_database_and_a_missing_folder_is_unreachable(tmp_path: Path) -> None:
    assert read(f"sqlite:///{tmp_path}/none.db") == Schema("sqlite")
    with pytest.raises(TargetUnreachableError):
        read(f"sqlite:///{tmp_path}/none/none.db")
    with pytest.raises(ConfigInvalidError):
        read("sqlite:///:memory:")


def write(url: str, frozen: list[Statement], sent: list[Statement]) -> None:
    with dialect_for(url).open_writer(url, frozen, limits=Limits(lock_timeout=0.2, statement_timeout=2)) as writer:
        for statement in sent:
            writer.run(statement)


ADD = Statement(1, "r", "ALTER TABLE b ADD COLUMN w INT")
DROP = Statement(2, "r", "DROP TABLE a")


@pytest.mark.proves("design-2")
@pytest.mark.parametrize("sent", [[DROP], [ADD, ADD], [ADD, DROP, DROP], [Statement(1, "r", ADD.sql + " ")]])
def test_a_statement_that_is_not_the_next_frozen_one_is_not_sent(tmp_path: Path, sent: list[Statement]) -> None:
    url = make(tmp_path / "a.db")
    with pytest.raises(ValidationFailedError):
        write(url, [ADD, DROP], sent)
    assert read(url) == read(make(tmp_path / "same.db"))


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE b; DROP TABLE a",
        "COMMIT",
        "SAVEPOINT s",
        "ATTACH 'x.db' AS x",
        "VACUUM",
        "SELECT no_such_function()",
        "INSERT INTO a (id) VALUES (NULL, 1)",
    ],
)
def test_a_statement_that_fails_or_would_leave_the_transaction_undoes_everything(tmp_path: Path, sql: str) -> None:
    url = make(tmp_path / "a.db")
    frozen = [ADD, Statement(2, "r", sql)]
    with pytest.raises(StatementFailedError, match="Statement 2 of revision r"):
        write(url, frozen, frozen)
    assert read(url) == read(make(tmp_path / "same.db"))


def test_a_statement_that_runs_too_long_is_ended(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    frozen = [Statement(1, "r", endless)]
    with pytest.raises(StatementFailedError, match="statement_timeout"):
        write(make(tmp_path / "a.db"), frozen, frozen)


@pytest.mark.proves("interface-validation-failed")
def test_a_version_statement_moves_exactly_one_row(tmp_path: Path) -> None:
    url = make(tmp_path / "a.db", BASE + "CREATE TABLE alembic_version (version_num TEXT);")
    frozen = [Statement(1, "r", "UPDATE alembic_version SET version_num = 'x'", kind="version")]
    with pytest.raises(ValidationFailedError, match="0 rows"):
        write(url, frozen, frozen)


@pytest.mark.proves("interface-locked")
def test_only_one_writer_at_a_time(tmp_path: Path) -> None:
    url = make(tmp_path / "a.db")
    with dialect_for(url).open_writer(url, [], limits=Limits()), pytest.raises(LockedError):
        write(url, [], [])


def test_a_scratch_database_is_the_schema_without_the_rows_and_is_removed(tmp_path: Path) -> None:
    rows = "INSERT INTO b VALUES (1, NULL, 2); INSERT INTO alembic_version VALUES ('r');"
    url = make(tmp_path / "a.db", BASE + "CREATE TABLE alembic_version (version_num TEXT);" + rows)
    with dialect_for(url).open_scratch(url) as scratch:
        assert read(scratch.url) == read(url)
        with dialect_for(url).open_reader(scratch.url) as reader:
            assert reader.count_rows(["main.b"]) == {"main.b": 0}
            assert reader.revisions("alembic_version") == ("r",)
        path = Path(scratch.url.removeprefix("sqlite:///"))
    assert not path.exists()


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT name FROM sqlite_master", ()),
        ("PRAGMA main.table_info('a')", ()),
        ("PRAGMA foreign_keys", ()),
        ("SELECT count(*) FROM a JOIN b ON a.id = b.a_id", ("a", "b")),
        ("WITH c AS (SELECT * FROM a) SELECT * FROM c", ("a",)),
        ("PRAGMA foreign_keys = ON", None),
        ("PRAGMA writable_schema(1)", None),
        ("SELECT load_extension('x')", None),
        ("DELETE FROM a", None),
        ("SELECT 1; DROP TABLE a", None),
        ("INSERT INTO a SELECT * FROM b", None),
        ("nonsense", None),
    ],
)
def test_what_only_reads_is_known(sql: str, tables: tuple[str, ...] | None) -> None:
    assert reads(sql) == tables
