"""Does the real server, in a process of its own, behave for real clients?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from mcp_migrate.ledger import Kind
from tests.command import COMMAND
from tests.waiting import until
from tests.world import INTENT, World

pytestmark = pytest.mark.anyio
TOOLS = {
    "schema_read",
    "schema_diff",
    "revision_create",
    "migration_plan",
    "migration_apply",
    "migration_rollback",
    "migration_validate",
    "migration_status",
    "approval_status",
    "audit_read",
    "access_explain",
}


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
@pytest.mark.proves("server-both-eras", "interface-call-id")
async def test_both_protocol_eras_tell_the_whole_story(world: World, mode: str) -> None:
    async with world.stdio_agent(mode=mode) as agent:
        tools = await agent.client.list_tools()
        schema = await agent.call("schema_read", target="shop")
        applied = await agent.plan_and_apply("b2")
        waiting = await agent.plan_and_apply("c3")
        world.sign(waiting["request_id"])
        dropped = await agent.plan_and_apply("c3")
        back = await agent.call("migration_rollback", apply_id=dropped["apply_id"])
        entries = await agent.call("audit_read", limit=200)
    assert {tool.name for tool in tools.tools} == TOOLS
    assert "customers" in schema["schema"]
    assert [a["status"] for a in (applied, waiting, dropped, back)] == [
        "applied",
        "approval_required",
        "applied",
        "applied",
    ]
    assert all(answer["call_id"].startswith("call_") for answer in (schema, applied, waiting, dropped, back))
    assert {"call.received", "plan.frozen", "approval.requested", "step.started", "step.finished"} <= {
        entry["kind"] for entry in entries["entries"]
    }
    assert world.command("ledger", "verify").returncode == 0


@pytest.mark.proves("interface-config-invalid")
async def test_the_configuration_errors_that_stop_the_server_go_to_standard_error(world: World) -> None:
    world.configure(lambda c: c.update(targts={}))
    served = world.command("serve")
    assert (served.returncode, served.stdout) == (1, "")
    assert "config_invalid" in served.stderr


@pytest.mark.proves("local-profile")
async def test_a_folder_with_an_alembic_ini_needs_no_configuration(world: World) -> None:
    world.config.unlink()
    server = world.stdio()
    server.args = [*COMMAND[1:], "serve"]
    from mcp import Client

    async with Client(server) as client:
        result = await client.call_tool("migration_status", {"intent": INTENT, "target": "local"})
        plan = await client.call_tool("migration_plan", {"intent": INTENT, "target": "local"})
        plan_id = plan.structured_content["plan_id"]
        asked = await client.call_tool("migration_apply", {"intent": INTENT, "plan_id": plan_id})
    assert result.structured_content["revision"] == "a1"
    assert asked.structured_content["next"]["action"] == "ask_admin", "nobody has a key in this home"
    assert "ssh-keygen" in asked.structured_content["next"]["hint"]


class RawServer:
    """The server with our hands on its pipes, for how it ends."""

    def __init__(self, world: World) -> None:
        parameters = world.stdio()
        self.process = subprocess.Popen(
            [parameters.command, *parameters.args],
            cwd=world.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._id = 0

    @property
    def stdin(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    def send(self, method: str, params: dict[str, Any]) -> None:
        self._id += 1
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": {**params, "_meta": meta}}
        self.stdin.write(json.dumps(message) + "\n")
        self.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self.send("tools/call", {"name": tool, "arguments": {"intent": INTENT, **arguments}})
        answer: dict[str, Any] = self.answer()["result"]["structuredContent"]
        return answer

    def close(self) -> tuple[str, str]:
        return self.process.communicate(timeout=120)


def applying(world: World) -> RawServer:
    """A server in the middle of an apply, which is its second request and takes a second or two."""
    world.write_slow_revision()
    server = RawServer(world)
    plan = server.call("migration_plan", target="shop", to="s1")
    server.send("tools/call", {"name": "migration_apply", "arguments": {"intent": INTENT, "plan_id": plan["plan_id"]}})
    until(lambda: world.events(Kind.STEP_STARTED))
    assert world.events(Kind.STEP_FINISHED) == ()
    return server


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGINT"])
@pytest.mark.proves("shutdown-clean")
async def test_the_server_ends_cleanly(world: World, how: str) -> None:
    server = RawServer(world)
    assert server.call("schema_read", target="shop")["tables_total"] == 2
    if how == "end of input":
        server.close()
    else:
        os.kill(server.process.pid, getattr(signal, how))
        server.process.wait(timeout=120)
        server.close()
    assert server.process.returncode == 0
    assert world.command("ledger", "verify").returncode == 0


@pytest.mark.proves("shutdown-apply-finishes")
async def test_an_apply_in_hand_is_finished_and_recorded_when_the_server_is_told_to_stop(
    world: World,
) -> None:
    server = applying(world)
    os.kill(server.process.pid, signal.SIGTERM)
    server.close()
    [finished] = world.events(Kind.STEP_FINISHED)
    assert finished.body["status"] == "applied"
    assert world.query("SELECT count(*) FROM big") == [(2_000_000,)]


@pytest.mark.proves("interface-budget")
async def test_all_tools_together_stay_within_their_budget(world: World) -> None:
    async with world.agent() as agent:
        tools = (await agent.client.list_tools()).tools
    told = sum(len(t.name) + len(t.description or "") + len(json.dumps(t.input_schema)) for t in tools)
    assert told < 9_000
    assert sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in tools) < 16_000
    assert all(len(tool.description or "") < 1_000 for tool in tools)


@pytest.mark.proves("server-snapshot")
async def test_what_tools_list_says_is_what_was_reviewed(world: World) -> None:
    async with world.agent() as agent:
        tools = (await agent.client.list_tools()).tools
    listed = {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}
    snapshot = Path(__file__).with_name("tools_list.json")
    if "UPDATE_SNAPSHOTS" in os.environ:
        snapshot.write_text(json.dumps(listed, indent=2, sort_keys=True) + "\n")
    assert listed == json.loads(snapshot.read_text())


def test_the_module_can_be_started_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_migrate", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("mcp-migrate ")


def test_a_client_that_lists_the_tools_waits_for_nothing_that_only_calls_need() -> None:
    heavy = {"mcp_migrate.pipeline", "mcp_migrate.stages", "alembic", "sqlalchemy", "sqlglot", "postgast"}
    code = f"import sys, mcp_migrate.server.app, mcp_migrate.wiring; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
