"""Does a database say which one it is, so that what was approved for it does not run on another?"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.drivers.postgresql import connect


def identity(url: str) -> dict[str, str]:
    with dialect_for(url).open_reader(url) as reader:
        return dict(reader.identity())


def identity_for_writing(url: str) -> dict[str, str]:
    with dialect_for(url).open_writer(url, (), limits=Limits()) as writer:
        return dict(writer.identity())


def made(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (a INTEGER)")
    database.close()


@pytest.mark.parametrize("server", ["postgres_url", "mariadb_url"])
def test_reader_and_writer_see_the_same_database(server: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server)
    assert identity(url) == identity_for_writing(url)
    assert all(identity(url).values())


def test_another_database_of_one_server_is_another(postgres_url: str, postgres_server: str) -> None:
    here, other = identity(postgres_url), identity(postgres_server)
    assert here["system"] == other["system"]
    assert here["system"].isdigit()
    assert here["database"] != other["database"]


def test_a_role_that_may_not_ask_for_the_number_is_told_so(postgres_url: str) -> None:
    ask: Any = "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE curious LOGIN"
    with connect(postgres_url) as admin:
        admin.execute(ask)
        admin.execute("SET SESSION AUTHORIZATION curious")
        from mcp_migrate.dialects.postgresql.reader import PostgresReader

        found = PostgresReader(admin).identity()
        admin.execute("RESET SESSION AUTHORIZATION")
        admin.execute("DROP ROLE curious")
    assert found["system"].startswith("not readable for this role, at ")
    assert found["database"].isdigit()


def test_a_file_that_is_not_there_yet_is_the_one_that_is_made_for_writing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    before = identity(url)
    assert before == identity_for_writing(url) == identity(url)
    made(tmp_path / "new.db")
    assert identity(url) != before


def test_a_copy_of_a_file_is_another_database_and_a_link_to_it_is_not(tmp_path: Path) -> None:
    original, copy, link = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "link.db"
    made(original)
    first = identity(f"sqlite:///{original}")
    shutil.copy(original, copy)
    link.symlink_to(original)
    assert identity(f"sqlite:///{copy}") != first
    assert identity(f"sqlite:///{link}") == first == identity_for_writing(f"sqlite:///{original}")
    shutil.move(copy, original)
    assert identity(f"sqlite:///{original}") != first
