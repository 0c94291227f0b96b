"""Does a database keep what applies leave there of the ledger's head, for itself alone, and tell nobody else?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.told import Mark
from mcp_migrate.model import LeftHead, Statement

ONE, TWO = (LeftHead(f"apply_{n}", n * 10, f"{n}" * 64) for n in (1, 2))


def leave(url: str, head: LeftHead) -> None:
    """As an apply does that makes a table."""
    table = f"CREATE TABLE {head.apply_id} (a int)"
    statement = Statement(1, "r1", table, transactional=not url.startswith("mariadb"))
    with dialect_for(url).open_writer(url, [statement], limits=Limits()) as writer:
        writer.leave_mark(head.apply_id, "sha256:plan")
        writer.leave_head(head)
        writer.run(statement)


def left(url: str) -> tuple[LeftHead, ...]:
    """What is known there; each table that shows was made by an apply that has its mark."""
    with dialect_for(url).open_reader(url) as reader:
        shown = [table.name.rpartition(".")[2] for table in reader.schema(version_table="alembic_version").tables]
        heads = reader.heads()
        assert sorted(shown) == sorted(head.apply_id for head in heads)
        assert {reader.mark(name) for name in shown} <= {Mark("sha256:plan", 1)}
    return heads


@pytest.mark.parametrize("server", ["sqlite", "postgres_url", "mariadb_url"])
@pytest.mark.proves("ledger-marker")
def test_heads_stay_where_they_were_left_the_largest_first_and_are_no_part_of_the_schema(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/shop.db" if server == "sqlite" else str(request.getfixturevalue(server))
    assert left(url) == ()
    leave(url, TWO)
    leave(url, ONE)
    assert left(url) == (TWO, ONE)


@pytest.mark.proves("ledger-marker")
def test_what_a_copy_brought_along_is_not_of_this_database(tmp_path: Path) -> None:
    leave(f"sqlite:///{tmp_path}/shop.db", ONE)
    shutil.copy(tmp_path / "shop.db", tmp_path / "staging.db")
    with dialect_for(f"sqlite:///{tmp_path}/staging.db").open_reader(f"sqlite:///{tmp_path}/staging.db") as reader:
        assert reader.heads() == ()
