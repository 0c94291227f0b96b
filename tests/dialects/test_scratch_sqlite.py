from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.sqlite.reader import sqlite_path
from mcp_migrate.errors import RehearsalFailedError, TargetUnreachableError


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/target.db"


def plain(url: str) -> str:
    return url.removeprefix("sqlite:///")


def make(url: str, *statements: str) -> None:
    with closing(sqlite3.connect(plain(url), isolation_level=None)) as connection:
        connection.create_function("ours", 1, lambda value: value, deterministic=True)
        for statement in statements:
            connection.execute(statement)


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(plain(url))) as connection:
        return connection.execute(sql).fetchall()


def test_a_scratch_has_the_schema_and_the_revision_but_no_other_rows(sqlite_url: str) -> None:
    make(
        sqlite_url,
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a text)",
        "CREATE INDEX i ON t (lower(a)) WHERE id > 1",
        "CREATE VIEW v AS SELECT * FROM w",
        "CREATE VIEW w AS SELECT * FROM t",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM alembic_version; END",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO t (a) VALUES ('secret')",
        "INSERT INTO alembic_version VALUES ('r1')",
        "ANALYZE",
        "PRAGMA user_version = 7",
    )
    objects = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"

    with dialect_for("sqlite").open_scratch(sqlite_url) as scratch:
        assert scratch.holds_schema
        assert ask(scratch.url, objects) == ask(sqlite_url, objects)
        assert ask(scratch.url, "SELECT * FROM alembic_version") == [("r1",)]
        assert ask(scratch.url, "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM sqlite_sequence)") == [(0, 0)]
        assert ask(scratch.url, "PRAGMA user_version") == [(7,)]


def test_a_target_that_is_not_there_yet_has_an_empty_scratch_and_is_not_made(sqlite_url: str) -> None:
    with dialect_for("sqlite").open_scratch(sqlite_url) as scratch:
        assert ask(scratch.url, "SELECT * FROM sqlite_schema") == []

    assert not Path(plain(sqlite_url)).exists()


def test_nobody_else_can_look_into_it_and_it_is_gone_afterwards(sqlite_url: str) -> None:
    make(sqlite_url, "CREATE TABLE t (a)")

    def fail() -> None:
        with dialect_for("sqlite").open_scratch(sqlite_url) as scratch:
            folders.append(Path(plain(scratch.url)).parent)
            assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700
            raise KeyError

    folders: list[Path] = []
    with pytest.raises(KeyError):
        fail()
    assert not folders[0].exists()


def test_what_happens_in_it_does_not_reach_the_target(sqlite_url: str) -> None:
    make(sqlite_url, "CREATE TABLE t (a)")

    with dialect_for("sqlite").open_scratch(sqlite_url) as scratch:
        make(scratch.url, "DROP TABLE t")

    assert ask(sqlite_url, "SELECT name FROM sqlite_schema") == [("t",)]


def test_a_full_text_table_is_copied_with_what_belongs_to_it(sqlite_url: str) -> None:
    make(sqlite_url, "CREATE VIRTUAL TABLE f USING fts5 (a)", "CREATE TABLE f_notes (a)")
    names = "SELECT name FROM sqlite_schema ORDER BY 1"

    with dialect_for("sqlite").open_scratch(sqlite_url) as scratch:
        assert ask(scratch.url, names) == ask(sqlite_url, names)


def test_a_target_in_another_encoding_is_copied_in_it(sqlite_url: str) -> None:
    make(sqlite_url, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (a)")

    with dialect_for("sqlite").open_scratch(sqlite_url) as scratch:
        assert ask(scratch.url, "PRAGMA encoding") == [("UTF-16le",)]


def test_a_schema_that_needs_more_than_sqlite_is_refused_by_name(sqlite_url: str) -> None:
    make(sqlite_url, "CREATE TABLE t (a)", "CREATE INDEX special ON t (ours(a))")

    with (
        pytest.raises(RehearsalFailedError, match=r"index special .* no such function"),
        dialect_for("sqlite").open_scratch(sqlite_url),
    ):
        pass


def test_a_file_that_is_no_database_is_said_to_be_none(sqlite_url: str) -> None:
    Path(plain(sqlite_url)).write_bytes(b"no database" * 1000)

    with pytest.raises(TargetUnreachableError), dialect_for("sqlite").open_scratch(sqlite_url):
        pass


def test_what_a_server_that_died_left_behind_is_swept_and_nothing_younger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, young, other = (tmp_path / name for name in ("mcp-migrate-scratch-a", "mcp-migrate-scratch-b", "others"))
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "scratch.db").touch()
    for folder in (old, other):
        os.utime(folder, (0, 0))
    with dialect_for("sqlite").open_scratch(f"sqlite:///{tmp_path / 'none.db'}"):
        assert not old.exists()
        assert young.exists()
        assert other.exists()


def test_what_is_in_use_is_not_swept_when_the_clock_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'none.db'}"
    with dialect_for("sqlite").open_scratch(url) as used:
        os.utime(sqlite_path(used.url).parent, (0, 0))
        with dialect_for("sqlite").open_scratch(url):
            assert sqlite_path(used.url).exists()
