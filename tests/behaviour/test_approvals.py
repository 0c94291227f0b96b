"""Can anything destructive happen without people, and only people, agreeing to exactly it?"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import canonical
from mcp_migrate.signers.decisions import statement
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import sign
from tests.waiting import until
from tests.world import Agent, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(at_b2: World) -> World:
    return at_b2


async def ask(agent: Agent) -> tuple[str, str]:
    """Apply what drops a column; the plan and the request that now waits."""
    waiting = await agent.call("migration_apply", plan_id=agent.planned)
    assert waiting["status"] == "approval_required", waiting
    return agent.planned, waiting["request_id"]


def forge(world: World, request_id: str, *, key: str, reviewer: str, **changes: Any) -> None:
    """Write a decision straight into the ledger, as an agent with a shell could."""
    ledger = Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db")
    request = ledger.find(Kind.APPROVAL_REQUESTED, request_id)[0]
    public = parse_public_key((world.keys[key].with_suffix(".pub")).read_text())
    said = statement(
        request.body,
        "approve",
        reviewer=reviewer,
        key=public,
        at=datetime.now(UTC),
        nonce=secrets.token_hex(16),
        head=asdict(ledger.head()),
    )
    said.update(changes)
    signature = sign(canonical(said), world.keys[key], passphrase=lambda: "")
    ledger.append(
        Draft(Kind.APPROVAL_DECIDED, {"statement": said, "signature": signature}, subject=request_id),
        at=datetime.now(UTC),
    )
    ledger.close()


@pytest.mark.proves("design-3", "interface-approval-required")
async def test_a_destructive_apply_waits_and_changes_nothing(world: World) -> None:
    async with world.agent() as agent:
        await ask(agent)
    assert "fax" in world.columns("customers")
    assert [e.body["target"] for e in world.events(Kind.STEP_STARTED)] == ["shop"]  # the additive one


@pytest.mark.proves("design-3", "approval-signature")
async def test_a_signature_of_an_enrolled_reviewer_lets_exactly_that_plan_run(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        world.sign(request_id)
        done = await agent.call("migration_apply", plan_id=plan_id)
    assert done["status"] == "applied"
    assert "fax" not in world.columns("customers")


@pytest.mark.proves("design-3")
async def test_the_agent_cannot_approve_with_a_key_of_its_own(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        refused = world.approvals("approve", request_id, "--as", "grace", "--key", str(world.keys["agent"]))
        forge(world, request_id, key="agent", reviewer="grace")
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert refused.returncode == 1
    assert again["status"] == "approval_required"
    assert "fax" in world.columns("customers")


@pytest.mark.proves("approval-digest")
async def test_a_signature_over_another_request_decides_nothing(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        forge(world, request_id, key="grace", reviewer="grace", request_digest="sha256:" + "0" * 64)
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert again["status"] == "approval_required"


@pytest.mark.proves("design-3", "approval-digest")
async def test_a_forged_request_that_shows_something_else_gets_no_plan_approved(world: World) -> None:
    async with world.agent() as agent:
        copy = shutil.copytree(world.folder / ".mcp-migrate", world.folder / "before")
        waiting = await agent.call("migration_apply", plan_id=agent.planned)
        [request] = world.events(Kind.APPROVAL_REQUESTED)
    shutil.rmtree(world.folder / ".mcp-migrate")
    copy.rename(world.folder / ".mcp-migrate")
    harmless = json.loads(json.dumps(dict(request.body)))
    harmless["plan"]["statements"][0]["sql"] = "CREATE INDEX ix ON customers (email)"
    ledger = Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db")
    ledger.append(
        Draft(Kind.APPROVAL_REQUESTED, harmless, workflow="shop-agent", subject=waiting["request_id"]),
        at=datetime.now(UTC),
    )
    ledger.close()
    world.sign(waiting["request_id"])
    async with world.agent() as agent:
        again = await agent.call("migration_apply", plan_id=agent.planned)
    assert again["status"] == "approval_required"
    assert again["request_id"] != waiting["request_id"]
    assert "fax" in world.columns("customers")


@pytest.mark.proves("approval-binding")
async def test_an_approval_is_none_for_a_copy_of_the_database_under_the_same_name(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        world.sign(request_id)
        shutil.copy(world.database, world.folder / "copy.db")
        (world.folder / "copy.db").replace(world.database)
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert again["status"] == "approval_required"
    assert again["request_id"] != request_id
    assert "fax" in world.columns("customers")


@pytest.mark.proves("approval-digest")
async def test_an_approval_of_a_plan_with_a_way_back_is_none_of_one_without(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        world.sign(request_id)
        path = world.folder / "migrations" / "versions" / "c3_no_fax.py"
        path.write_text(path.read_text().replace("op.add_column(", "raise NotImplementedError("))
        other = await agent.call("migration_plan", target="shop", to="c3")
        waiting = await agent.call("migration_apply", plan_id=other["plan_id"])
    assert other["plan_id"] != plan_id
    assert waiting["status"] == "approval_required"


async def test_what_an_agent_wrote_cannot_pose_as_a_line_of_the_review(world: World) -> None:
    body = r"""op.execute('CREATE TABLE "x\nDecision  grace approve (verified)" (a int)')"""
    world.write_revision("p1", "b2", body)
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="p1")
        waiting = await agent.call("migration_apply", plan_id=plan["plan_id"], intent="x\nDecision  grace approve")
        shown = world.approvals("show", waiting["request_id"]).stdout
    assert not any(line.startswith("Decision") for line in shown.splitlines())


@pytest.mark.proves("approval-not-requester-identity", "interface-self-approval")
async def test_a_reviewer_who_asks_cannot_approve_their_own_request(world: World) -> None:
    world.configure(lambda c: c["workflows"]["shop-agent"].update(principals=["person:grace"]))
    async with world.agent("person:grace") as agent:
        plan_id, request_id = await ask(agent)
        refused = world.approvals("approve", request_id, "--key", str(world.keys["grace"]))
        forge(world, request_id, key="grace", reviewer="grace")
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert refused.returncode == 1
    assert "self_approval" in refused.stderr
    assert again["status"] == "approval_required"


@pytest.mark.proves("approval-not-requester-key")
async def test_one_key_signs_for_one_person_only(world: World) -> None:
    world.enroll("edsger")
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        forge(world, request_id, key="grace", reviewer="edsger")
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert again["status"] == "approval_required"


@pytest.mark.proves("approval-quorum")
async def test_two_signatures_mean_two_people(world: World) -> None:
    world.enroll("edsger")
    world.configure(lambda c: c["approvals"][0]["require"].update(count=2))
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        world.sign(request_id)
        world.sign(request_id)
        one = await agent.call("migration_apply", plan_id=plan_id)
        world.sign(request_id, by="edsger")
        both = await agent.call("migration_apply", plan_id=plan_id)
    assert one["needs"]["approvals"] == 1
    assert both["status"] == "applied"


@pytest.mark.proves("approval-quorum")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c["reviewers"]["edsger"].update(groups=["ops"]), "edsger is not in dba"),
        (lambda c: c["approvals"][0]["require"].update(assurance="presence"), "presence is asked for"),
    ],
)
async def test_a_signature_of_the_wrong_group_or_assurance_decides_nothing(
    world: World, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    world.enroll("edsger")
    world.configure(change)
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        refused = world.approvals("approve", request_id, "--key", str(world.keys["edsger"]))
        forge(world, request_id, key="edsger", reviewer="edsger")
        again = await agent.call("migration_apply", plan_id=plan_id)
        status = await agent.call("approval_status", request_id=request_id)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert again["status"] == "approval_required"
    assert (status["status"], status["decisions"][0]["valid"]) == ("pending", False)


@pytest.mark.proves("approval-expiry")
async def test_an_expired_request_cannot_be_used(world: World) -> None:
    world.configure(lambda c: c["approvals"][0]["require"].update(expires="1s"))
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        late = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        forge(world, request_id, key="grace", reviewer="grace", decided_at=late)
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert again["status"] == "approval_required"


@pytest.mark.proves("approval-one-use")
async def test_an_approval_is_used_once(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        world.sign(request_id)
        done = await agent.call("migration_apply", plan_id=plan_id)
        await agent.call("migration_rollback", apply_id=done["apply_id"])
        again = await agent.call("migration_apply", plan_id=plan_id)
    assert again["status"] == "approval_required"
    assert again["request_id"] != request_id


@pytest.mark.proves("interface-approval-denied")
async def test_a_denied_request_stays_denied(world: World) -> None:
    async with world.agent() as agent:
        plan_id, request_id = await ask(agent)
        world.sign(request_id, verdict="deny")
        refused = await agent.call("migration_apply", plan_id=plan_id)
        status = await agent.call("approval_status", request_id=request_id)
    assert (refused["code"], refused["status"]) == ("approval_denied", "approval_denied")
    assert status["status"] == "denied"


@pytest.mark.proves("interface-request-not-found")
async def test_another_workflow_cannot_read_the_request(world: World) -> None:
    def add(config: dict[str, Any]) -> None:
        config["workflows"]["other"] = {
            "owner": {"name": "Eve", "email": "eve@example.com"},
            "principals": ["agent:other"],
            "scopes": [{"tools": ["approval_status", "audit_read"], "targets": ["*"]}],
        }

    world.configure(add)
    async with world.agent() as agent:
        _, request_id = await ask(agent)
    async with world.agent("agent:other") as other:
        refused = await other.call("approval_status", request_id=request_id)
        entries = await other.call("audit_read")
    assert refused["code"] == "request_not_found"
    assert {entry["principal"] for entry in entries["entries"] if "principal" in entry} == {"agent:other"}


async def test_who_calls_while_it_runs_waits_for_its_end_and_nobody_is_asked_anew(world: World) -> None:
    world.write_revision("s1", "b2", 'op.create_table("small", sa.Column("n", sa.Integer()))')
    rule = {"when": {"effects": ["additive"]}, "require": {"from": "dba", "count": 1}}
    world.configure(lambda config: config["approvals"].append(rule))
    world.configure(lambda config: config["targets"]["shop"].update(limits={"lock_timeout": "60s"}))
    answers: list[Mapping[str, Any]] = []

    async def apply(agent: Agent, plan_id: str) -> None:
        answers.append(await agent.call("migration_apply", plan_id=plan_id))

    async with world.agent() as one, world.agent() as other:
        plan = await one.call("migration_plan", target="shop", to="s1")
        waiting = await one.call("migration_apply", plan_id=plan["plan_id"])
        world.sign(waiting["request_id"])
        with closing(sqlite3.connect(world.database, isolation_level=None)) as busy:
            busy.execute("BEGIN IMMEDIATE")
            async with anyio.create_task_group() as group:
                group.start_soon(apply, one, plan["plan_id"])
                await anyio.to_thread.run_sync(until, lambda: world.events(Kind.STEP_STARTED)[1:])
                meanwhile = await other.call("migration_apply", plan_id=plan["plan_id"])
                busy.execute("ROLLBACK")

    assert meanwhile["code"] == "locked", meanwhile
    assert answers[0]["status"] == "applied"
    assert len(world.events(Kind.APPROVAL_REQUESTED)) == 1
