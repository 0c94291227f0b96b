"""Does what was approved for one database stay off another that appears behind its URL at the last moment?"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.brokers.keys import Keys
from mcp_migrate.brokers.unsafe_static import UnsafeStatic
from mcp_migrate.dialects import dialect_for
from mcp_migrate.errors import MigrateError, PlanStaleError
from mcp_migrate.model import (
    Approved,
    Call,
    Caller,
    Classified,
    Granted,
    LeftHead,
    Permitted,
    Plan,
    Prepared,
    Reverse,
    Statement,
)
from mcp_migrate.schema import shape
from mcp_migrate.settings import Target
from mcp_migrate.stages.execute import execute
from mcp_migrate.tools.applies import run_plan
from tests.approvals.conftest import NOON
from tests.brokers.conftest import Written

DROP = Statement(1, "c3", "ALTER TABLE t DROP COLUMN c")


def made(path: Path) -> str:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (a INTEGER, c INTEGER)")
    database.close()
    return f"sqlite:///{path}"


def approved(url: str, identity: Any) -> Approved:
    with dialect_for(url).open_reader(url) as reader:
        before = shape(reader.schema(version_table="main.alembic_version"))
    back = Reverse(available=False, restores_schema=False)
    plan = Plan("shop", "sqlite", None, "c3", before, None, "main.alembic_version", (DROP,), back)
    call = Call("call_1", "migration_apply", {}, "drop it", Caller("agent:one"), NOON, "shop")
    granted = Granted(call, "schema", "Ada", "migration_apply", (0,))
    prepared = Prepared(granted, work=run_plan, plan=plan, identity=identity)
    classified = Classified(prepared, (), frozenset(), (), {})
    return Approved(Permitted(classified, 0), "req_1", ("grace",), ("nonce",))


def run(url: str, what: Approved) -> None:
    target = Target.model_validate({"tier": "development", "alembic": "/shop/alembic.ini", "url": url})
    keys = Keys({"shop": target}.__getitem__, UnsafeStatic, Written(), "agent:one")
    with execute(what, apply_id="apply_1", target=target, keys=keys, progress=lambda *_: None, journal=Unwritten()):
        pass


class Unwritten:
    """The journal of an apply that is alone, and of which no statement is on the record by itself."""

    def may_run(self) -> bool:
        return True

    def others(self) -> tuple[str, ...]:
        return ()

    def head(self, left: Sequence[LeftHead]) -> LeftHead:
        raise AssertionError(f"no target here has a marker, and {left} was found")

    def began(self, statement: Statement, *, clear: bool) -> None:
        raise AssertionError((statement, clear))

    def ended(self, statement: Statement, error: MigrateError | None) -> None:
        raise AssertionError((statement, error))


def columns(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        found = [row[1] for row in database.execute("PRAGMA table_info(t)")]
    database.close()
    return found


@pytest.mark.proves("approval-binding")
def test_a_database_that_took_the_place_of_the_approved_one_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    url = made(path)
    with dialect_for(url).open_reader(url) as reader:
        identity = dict(reader.identity())
    other = {**identity, "inode": "0:0"}
    with pytest.raises(PlanStaleError, match="another database"):
        run(url, approved(url, other))
    assert columns(path) == ["a", "c"]
    run(url, approved(url, identity))
    assert columns(path) == ["a"]
