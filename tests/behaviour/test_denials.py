"""Does a no stay a no, whoever asks again and however, until a person says otherwise?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import canonical
from mcp_migrate.signers.decisions import Verdict, statement
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import sign
from tests.world import Agent, World

pytestmark = pytest.mark.anyio
DROP = "ALTER TABLE customers DROP COLUMN fax"


def execute(*statements: str) -> str:
    return "\n    ".join(f"op.execute({statement!r})" for statement in statements)


async def ask(agent: Agent, to: str) -> Any:
    plan_id = agent.planned if to == "c3" else (await agent.call("migration_plan", target="shop", to=to))["plan_id"]
    return await agent.call("migration_apply", plan_id=plan_id)


def write(world: World, request_id: str, verdict: Verdict, *, by: str = "grace", lifts: Iterable[str] = ()) -> str:
    """Put a signed decision straight into the ledger; its nonce."""
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db") as ledger:
        [request] = ledger.find(Kind.APPROVAL_REQUESTED, request_id)
        said = statement(
            request.body,
            verdict,
            reviewer="grace",
            key=parse_public_key(world.keys[by].with_suffix(".pub").read_text()),
            at=datetime.now(UTC),
            nonce=secrets.token_hex(16),
            head=asdict(ledger.head()),
            reason="customers still fax",
            lifts=lifts,
        )
        body = {"statement": said, "signature": sign(canonical(said), world.keys[by], passphrase=lambda: "")}
        kind = Kind.APPROVAL_REOPENED if verdict == "reopen" else Kind.APPROVAL_DECIDED
        ledger.append(Draft(kind, body, workflow=request.workflow, subject=request_id), at=datetime.now(UTC))
    return str(said["nonce"])


@pytest.mark.parametrize(
    "again",
    [
        [f"  {DROP.lower()} /* please */ ;"],
        ["CREATE TABLE notes (id INTEGER)", 'ALTER TABLE "customers" DROP "fax"'],
        ["DROP TABLE orders", "DROP TABLE customers"],
    ],
    ids=["spelt otherwise", "in a larger plan", "with the whole table"],
)
@pytest.mark.proves("approval-denial-sticks", "interface-approval-denied")
async def test_a_denied_change_is_refused_at_once_in_another_plan(world: World, again: list[str]) -> None:
    world.write_revision("d1", "a1", execute(DROP))
    world.write_revision("d2", "a1", execute(*again))
    async with world.agent() as agent:
        request_id = (await ask(agent, "d1"))["request_id"]
        write(world, request_id, "deny")
        refused = await ask(agent, "d2")
    assert refused["code"] == "approval_denied"
    assert (refused["details"]["reviewer"], refused["details"]["request_id"]) == ("grace", request_id)
    assert len(world.events(Kind.APPROVAL_REQUESTED)) == 1
    assert "fax" in world.columns("customers")


@pytest.mark.proves("approval-denial-sticks", "approval-narrower")
async def test_of_a_denied_plan_each_dangerous_part_is_denied_and_the_harmless_one_is_not(world: World) -> None:
    harmless = "CREATE TABLE notes (id INTEGER)"
    world.write_revision("d1", "a1", execute(harmless, DROP, "DROP TABLE orders"))
    world.write_revision("d2", "a1", execute("DROP TABLE orders"))
    world.write_revision("d3", "a1", execute(harmless), execute("DROP TABLE notes"))
    async with world.agent() as agent:
        waiting = await ask(agent, "d1")
        write(world, waiting["request_id"], "deny")
        part, rest = await ask(agent, "d2"), await ask(agent, "d3")
    assert waiting["needs"]["narrower"] == "A plan without statement 5, 8 needs nobody's approval."
    assert {"rule": "approvals[0]", "why": "effects: breaking, destructive, unknown", "statements": [5, 8]} in waiting[
        "needs"
    ]["because"]
    assert (part["code"], rest["status"]) == ("approval_denied", "applied")


@pytest.mark.proves("approval-denial-sticks")
async def test_a_denial_holds_for_other_workflows_and_a_forged_one_for_nobody(world: World) -> None:
    def add(config: dict[str, Any]) -> None:
        other = {**config["workflows"]["shop-agent"], "principals": ["agent:other"]}
        config["workflows"]["other"] = other

    world.configure(add)
    world.write_revision("d1", "a1", execute(DROP))
    async with world.agent() as agent, world.agent("agent:other") as other:
        request_id = (await ask(agent, "d1"))["request_id"]
        write(world, request_id, "deny", by="agent")
        forged = await ask(other, "d1")
        write(world, request_id, "deny")
        denied = await ask(other, "d1")
    assert (forged["status"], denied["code"]) == ("approval_required", "approval_denied")


@pytest.mark.proves("approval-reopen")
async def test_only_a_reviewer_reopens_what_was_denied_and_that_approves_nothing(at_b2: World) -> None:
    async with at_b2.agent() as agent:
        denied = await ask(agent, "c3")
        request_id = denied["request_id"]
        nonce = write(at_b2, request_id, "deny")
        write(at_b2, request_id, "reopen", by="agent", lifts=[nonce])
        write(at_b2, request_id, "reopen", lifts=["0" * 32])
        still = await ask(agent, "c3")
        words = ("approvals", "reopen", request_id, "--reason", "the faxes are gone", "--key")
        own = at_b2.command(*words, str(at_b2.keys["agent"]))
        done = at_b2.command(*words, str(at_b2.keys["grace"]))
        status = await agent.call("approval_status", request_id=request_id)
        anew = await ask(agent, "c3")
        write(at_b2, anew["request_id"], "deny")
        again = await ask(agent, "c3")
    assert (still["code"], own.returncode) == ("approval_denied", 1)
    assert (done.returncode, status["status"], status["reopened"]) == (0, "denied", True), done.stderr
    assert anew["status"] == "approval_required"
    assert anew["request_id"] != request_id
    assert again["code"] == "approval_denied"


@pytest.mark.proves("approval-withdraw")
async def test_only_who_asked_withdraws_and_a_withdrawn_request_is_never_used(at_b2: World) -> None:
    at_b2.configure(lambda c: c["workflows"]["shop-agent"]["principals"].append("agent:second"))
    async with at_b2.agent() as agent:
        request_id = (await ask(agent, "c3"))["request_id"]
        words = ("approvals", "withdraw", request_id, "--reason", "not needed", "--as")
        other = at_b2.command(*words, "agent:second")
        done = at_b2.command(*words, "agent:demo")
        write(at_b2, request_id, "approve")
        status = await agent.call("approval_status", request_id=request_id)
        anew = await ask(agent, "c3")
    assert ("self_approval" in other.stderr, done.returncode) == (True, 0), done.stderr
    assert status["status"] == "withdrawn"
    assert (anew["status"], anew["request_id"] == request_id) == ("approval_required", False)


@pytest.mark.proves("interface-too-many-requests")
async def test_a_workflow_has_only_so_many_open_requests(world: World) -> None:
    world.configure(lambda c: c["workflows"]["shop-agent"].update(limits={"open_requests": 1}))
    world.write_revision("d1", "a1", execute(DROP))
    world.write_revision("d2", "a1", execute("DROP TABLE orders"))
    async with world.agent() as agent:
        first = await ask(agent, "d1")
        second = await ask(agent, "d2")
        same = await ask(agent, "d1")
        write(world, first["request_id"], "deny")
        after = await ask(agent, "d2")
    assert (second["code"], second["next"]["action"]) == ("too_many_requests", "await_approval")
    assert second["details"]["open_requests"] == [first["request_id"]]
    assert (same["status"], after["status"]) == ("approval_required", "approval_required")


@pytest.mark.proves("approval-canary")
async def test_a_made_up_question_that_is_approved_leaves_the_table_where_it_is(world: World) -> None:
    asked = world.approvals("canary", "--target", "shop", "--table", "main.customers", "--json")
    request_id = json.loads(asked.stdout)["request_id"]
    shown = world.approvals("show", request_id).stdout
    told = world.approvals("approve", request_id, "--key", str(world.keys["grace"])).stdout
    async with world.agent() as agent:
        entries = await agent.call("audit_read", limit=200)
        await agent.plan_and_apply("b2")
    assert 'DROP TABLE "main"."customers"' in shown
    assert "canary" not in shown.casefold()
    assert "It was a canary" in told
    assert "fax" in world.columns("customers")
    assert "approval.canary" not in {entry["kind"] for entry in entries["entries"]}
    assert "APPROVED 1 canaries" in world.approvals("report").stdout
