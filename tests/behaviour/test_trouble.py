"""Does each kind of trouble have a clear error with its code, and change nothing?"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_migrate.ledger import Kind
from tests.world import World

pytestmark = pytest.mark.anyio


async def plan(world: World, to: str = "head") -> Mapping[str, Any]:
    before = world.database.read_bytes()
    async with world.agent() as agent:
        answer = await agent.call("migration_plan", target="shop", to=to)
    assert world.database.read_bytes() == before
    return answer


@pytest.mark.proves("bad-input-unreachable-target", "interface-target-unreachable")
async def test_a_file_that_is_no_database_is_unreachable(world: World) -> None:
    world.database.write_bytes(b"this is no database, it is a sentence of more than a hundred bytes" * 20)
    assert (await plan(world))["code"] == "target_unreachable"


@pytest.mark.proves("bad-input-unreachable-target")
async def test_a_server_that_is_not_there_is_unreachable_and_no_password_is_told(world: World) -> None:
    world.configure(lambda c: c["targets"]["shop"].update(url="postgresql://bob:${file:pw}@127.0.0.1:1/none"))
    secret = world.folder / "pw"
    secret.write_text("hunter2\n")
    world.configure(lambda c: c["targets"]["shop"].update(url=f"postgresql://bob:${{file:{secret}}}@127.0.0.1:1/x"))
    answer = await plan(world)
    assert answer["code"] == "target_unreachable"
    assert "hunter2" not in str(answer)


@pytest.mark.proves("bad-input-broken-env", "interface-render-failed")
async def test_a_broken_env_py_is_named_with_its_reason(world: World) -> None:
    (world.folder / "migrations" / "env.py").write_text("raise RuntimeError('no settings for you')\n")
    answer = await plan(world)
    assert answer["code"] == "render_failed"
    assert "no settings for you" in answer["message"]


@pytest.mark.proves("bad-input-multiple-heads")
async def test_several_heads_are_named(world: World) -> None:
    world.write_revision("h1", "b2", "pass")
    answer = await plan(world)
    assert answer["code"] == "render_failed"
    assert {"c3", "h1"} <= set(answer["message"].replace(",", " ").replace(".", " ").split())


@pytest.mark.proves("bad-input-missing-revision")
async def test_a_revision_that_is_not_there_is_named(world: World) -> None:
    assert (await plan(world, to="nowhere"))["code"] == "render_failed"
    world.write_revision("o1", "missing", "pass")
    answer = await plan(world)
    assert answer["code"] == "render_failed"
    assert "missing" in answer["message"]


@pytest.mark.proves("bad-input-syntax-error")
async def test_a_revision_with_a_syntax_error_is_named_with_its_line(world: World) -> None:
    path = world.write_revision("s1", "c3", "this is no python")
    answer = await plan(world)
    assert answer["code"] == "render_failed"
    assert path.name in str(answer)


@pytest.mark.proves("bad-input-dirty-version-table")
@pytest.mark.parametrize("rows", [["a1", "b2"], ["unheard_of"]])
async def test_a_dirty_version_table_is_refused(world: World, rows: list[str]) -> None:
    with sqlite3.connect(world.database) as database:
        database.execute("DELETE FROM alembic_version")
        database.executemany("INSERT INTO alembic_version VALUES (?)", [(row,) for row in rows])
    database.close()
    answer = await plan(world)
    assert answer["code"] in {"validation_failed", "render_failed"}
    assert all(row in answer["message"] for row in rows)


@pytest.mark.proves("bad-input-config-typo")
async def test_a_typo_in_the_configuration_is_found_where_it_stands(world: World) -> None:
    world.config.write_text(world.config.read_text().replace("    tier: staging", "    teir: staging"))
    done = world.command("config", "check")
    assert done.returncode == 1
    assert "mcp-migrate.yaml:4:5: targets.shop.teir: this key is not known. Did you mean tier?" in done.stdout


@pytest.mark.proves("design-6", "bad-input-ledger-unwritable", "interface-ledger-unavailable")
async def test_without_a_ledger_nothing_executes(at_a1: World) -> None:
    ledger = at_a1.folder / ".mcp-migrate" / "ledger.db"
    limit = ledger.stat().st_size  # a disk without a byte to spare
    script = (
        "import anyio, sys; from pathlib import Path; from tests.world import Agent; "
        "from mcp_migrate.__main__ import load_settings; from mcp_migrate.wiring import Wiring; "
        "from mcp_migrate.server.app import build_server; "
        "from mcp_migrate.server.calls import Calls; from mcp_migrate.server.who import always; "
        "from mcp_migrate.model import Caller; from mcp import Client\n"
        "async def main():\n"
        "    wiring = Wiring(load_settings(Path(sys.argv[1])))\n"
        "    server = build_server(wiring.registry, wiring, always(Caller('agent:demo')), Calls())\n"
        "    async with Client(server) as client:\n"
        "        print((await Agent(client).call('migration_apply', plan_id=sys.argv[2]))['code'])\n"
        "anyio.run(main)\n"
    )
    done = subprocess.run(  # noqa: ASYNC221  nothing else runs meanwhile
        [sys.executable, "-c", script, str(at_a1.config), at_a1.planned],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.stdout.strip() == "ledger_unavailable", done.stderr
    assert "loyalty_points" not in at_a1.columns("customers")


@pytest.mark.proves("design-6", "ledger-intent-before-execute")
async def test_the_intent_is_durable_before_the_first_statement_and_the_outcome_after_the_last(at_a1: World) -> None:
    async with at_a1.agent() as agent:
        await agent.call("migration_apply", plan_id=agent.planned)
    kinds = [event.kind for event in at_a1.events()]
    after = [Kind.SCHEMA_SEEN, Kind.STEP_FINISHED, Kind.CALL_FINISHED]  # in one commit
    assert kinds[-5:] == [Kind.CALL_RECEIVED, Kind.STEP_STARTED, *after]
    [started] = at_a1.events(Kind.STEP_STARTED)
    assert started.body["intent"] == "Bring the shop to where it should be"


@pytest.mark.proves("bad-input-two-servers-one-ledger")
async def test_two_servers_on_one_ledger_make_one_record(world: World) -> None:
    async with world.stdio_agent() as one, world.stdio_agent() as two, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(lambda: one.call("schema_read", target="shop"))
            group.start_soon(lambda: two.call("schema_read", target="shop"))
    assert len(world.events(Kind.CALL_FINISHED)) == 20
    assert world.command("ledger", "verify").returncode == 0


async def test_two_applies_of_one_plan_at_once_run_it_once(at_a1: World) -> None:
    answers: list[Mapping[str, Any]] = []
    async with at_a1.stdio_agent() as one, at_a1.stdio_agent() as two:

        async def apply(agent: Any) -> None:
            answers.append(await agent.call("migration_apply", plan_id=at_a1.planned))

        async with anyio.create_task_group() as group:
            group.start_soon(apply, one)
            group.start_soon(apply, two)
    done = [answer for answer in answers if answer.get("status") == "applied"]
    refused = [answer["code"] for answer in answers if "code" in answer]
    assert len({answer["apply_id"] for answer in done}) == 1
    assert set(refused) <= {"locked", "plan_stale"}
    finished = [event.body["status"] for event in at_a1.events(Kind.STEP_FINISHED)]
    assert finished.count("applied") == 1


@pytest.mark.proves("design-4")
async def test_what_is_not_understood_needs_approval(world: World) -> None:
    world.write_revision("k1", "a1", 'op.execute("PRAGMA optimize")', "pass")
    async with world.agent() as agent:
        made = await agent.call("migration_plan", target="shop", to="k1")
        waiting = await agent.call("migration_apply", plan_id=made["plan_id"])
    assert "unknown" in made["effects"]
    assert waiting["status"] == "approval_required"


@pytest.mark.proves("design-4")
async def test_a_revision_that_reads_rows_which_may_not_be_copied_is_unknown(world: World) -> None:
    world.configure(lambda config: config["targets"]["shop"].update(rehearsal={"rows": "never"}))
    body = 'op.get_bind().execute(sa.text("SELECT count(*) FROM orders")).scalar()'
    world.write_revision("r1", "a1", body + '\n    op.add_column("orders", sa.Column("note", sa.Text()))')
    async with world.agent() as agent:
        made = await agent.call("migration_plan", target="shop", to="r1")
    assert "unknown" in made["effects"]
    assert "orders" in made["doubts"][0]
