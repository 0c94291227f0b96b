"""Does the diff speak of the objects that differ, of all of them, and of no others?"""

from __future__ import annotations

from pathlib import Path

from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.schema import Schema, diff
from tests.dialects.alterations import ALTERATIONS, BASE, ROLES, SINCE_15
from tests.schema.coarse import coarse


def read(url: str) -> Schema:
    with dialect_for(url).open_reader(url) as reader:
        return reader.schema(version_table="alembic_version")


def run(url: str, sql: str) -> None:
    with connect(url) as connection:
        connection.execute(sql.encode())


def _told(before: Schema, after: Schema) -> set[str]:
    """The objects of all changes, under the names of both sides."""
    changes = diff(before, after)
    moved = [c for c in changes if c.kind.startswith(("rename", "move")) and "value" not in c.kind]
    names = {name for c in moved for name in (c.before, c.after)}
    return {c.object for c in changes} | {str(name) for name in names}


def test_each_of_many_alterations_is_told_of_the_same_objects(postgres_url: str) -> None:
    run(postgres_url, ROLES + BASE)
    before = read(postgres_url)
    for sql in (*ALTERATIONS, *SINCE_15):
        run(postgres_url, sql)
        after = read(postgres_url)
        plain = {name.partition(" ")[2] for name in coarse(before, after)}
        told = _told(before, after)
        assert told, sql
        assert all(any(name.startswith(other) for other in plain) for name in told), (sql, told, plain)
        missed = {name for name in plain if not any(other.startswith(name) for other in told)}
        assert not missed or "SET SCHEMA" in sql, (sql, missed)
        before = after


def test_a_schema_equals_itself(postgres_url: str, tmp_path: Path) -> None:
    run(postgres_url, ROLES + BASE)
    assert diff(read(postgres_url), read(postgres_url)) == ()
    assert diff(read(f"sqlite:///{tmp_path}/none.db"), read(f"sqlite:///{tmp_path}/none.db")) == ()
