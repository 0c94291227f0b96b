"""Does a target that was applied to know a ledger that is not the one of then, when nobody else does?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_migrate.ledger import Kind, Ledger
from tests.world import World


def _put_back(world: World, kept: Path) -> None:
    for file in (world.folder / ".mcp-migrate").glob("ledger.db*"):
        file.unlink()
    shutil.copytree(kept, world.folder / ".mcp-migrate", dirs_exist_ok=True)


def _verified(world: World) -> tuple[int, Any]:
    done: subprocess.CompletedProcess[str] = world.here("ledger", "verify", "--target", "shop", "--json")
    return done.returncode, json.loads(done.stdout)


@pytest.mark.proves("ledger-marker")
def test_an_old_backup_of_the_ledger_is_found_by_asking_the_database_and_takes_no_apply(tmp_path: Path) -> None:
    world, kept = World(tmp_path), tmp_path / "kept"
    world.configure(lambda value: value["targets"]["shop"].update(marker=True))
    found: dict[str, Any] = {}

    async def live() -> None:
        async with world.agent() as agent:
            await agent.call("migration_status", target="shop")
        shutil.copytree(world.folder / ".mcp-migrate", kept)
        async with world.agent() as agent:
            found.update(await agent.plan_and_apply("b2"))
            assert found["status"] == "applied"

    async def go_on() -> None:
        world.write_revision("d4", "b2", 'op.create_table("later", sa.Column("n", sa.Integer()))')
        async with world.agent() as agent:
            found["refused"] = await agent.plan_and_apply("d4")

    anyio.run(live)
    assert "is what" in world.here("ledger", "reconcile", "shop").stdout
    code, whole = _verified(world)
    named = {each["by"] for each in whole["agreed"]}
    assert (code, whole["ok"], f"{found['apply_id']} in the target shop" in named) == (0, True, True)

    _put_back(world, kept)
    alone = world.here("ledger", "verify")
    assert (alone.returncode, "was not asked: --target shop" in alone.stdout) == (0, True)
    code, cut = _verified(world)
    assert (code, cut["ok"]) == (1, False)
    assert f"{found['apply_id']} in the target shop knows" in cut["findings"][0]["why"]

    for more in ((), ("--accept-as-base",)):
        asked = world.here("ledger", "reconcile", "shop", *more)
        assert (asked.returncode, "not the ledger that the target knows" in asked.stderr) == (1, True)
    anyio.run(go_on)
    assert found["refused"]["code"] == "ledger_corrupt"
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db", create=False) as ledger:
        [ended] = ledger.last(Kind.STEP_FINISHED)
    assert ended.body["status"] == "failed"


_ISSUE = """
import json, sys
from datetime import UTC, datetime, timedelta
asked = json.load(sys.stdin)
until = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
print(json.dumps({"url": sys.argv[1], "role": "one", "expires": until, "handle": "1"}))
"""


@pytest.mark.proves("ledger-marker")
def test_a_ledger_that_takes_nothing_more_is_verified_though_no_step_can_ask_the_target(tmp_path: Path) -> None:
    world, kept = World(tmp_path), tmp_path / "kept"
    (tmp_path / "issue.py").write_text(_ISSUE)
    words = [sys.executable, str(tmp_path / "issue.py"), f"sqlite:///{world.database}"]
    given = {"broker": "command", "command": {"issue": words, "revoke": words}}
    world.configure(lambda value: value["targets"]["shop"].update(marker=True, credentials=given))
    assert world.here("ledger", "reconcile", "shop").returncode == 0
    shutil.copytree(world.folder / ".mcp-migrate", kept)
    code, whole = _verified(world)
    assert (code, any("could not be asked" in each for each in whole["notes"])) == (0, False)
    newer = (world.folder / ".mcp-migrate" / "ledger.db.head").read_bytes()
    _put_back(world, kept)
    (world.folder / ".mcp-migrate" / "ledger.db.head").write_bytes(newer)
    code, cut = _verified(world)
    assert (code, any("could not be asked" in each for each in cut["notes"])) == (1, True)
    assert "its end was cut" in cut["findings"][0]["why"]
