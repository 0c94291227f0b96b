"""What becomes of a real application's history that MariaDB does not take, half-way through?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.behaviour.test_histories import History
from tests.mariadb import ask

pytestmark = pytest.mark.anyio


async def test_a_history_that_would_stop_half_way_is_stopped_before_it_starts(tmp_path: Path, mariadb_url: str) -> None:
    """Plain Alembic leaves its first tables behind: MariaDB keeps a column that a unique key has."""
    history = History(tmp_path, "optuna", mariadb_url)

    async with history.stdio_agent() as agent:
        plan = await agent.call("migration_plan", target="shop")

    assert (plan["code"], plan["details"]["revision"]) == ("render_failed", "v2.4.0.a")
    assert "Key column 'step' doesn't exist" in plan["message"]
    assert ask(mariadb_url, "SHOW TABLES") == []
    assert [row for row in ask(mariadb_url, "SHOW DATABASES") if row[0].startswith("mcp_migrate_scratch")] == []
