"""Can an auditor prove what happened, and find what was changed, with what stands on the record?"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.signers.sign import generate_key
from tests.forger import forge
from tests.world import World

pytestmark = pytest.mark.anyio
ORIGIN = "shop.example/ledger"


def verified(world: World, *words: str) -> dict[str, Any]:
    done = world.command("ledger", "verify", "--json", *words)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1), done.stderr
    return found


def keep_outside(world: World) -> None:
    generate_key(world.folder / "log_key")
    subprocess.run(["git", "init", "-q", str(world.folder / "outside")], check=True)
    witnesses = [{"name": "git", "kind": "git", "repository": "outside"}]
    told = {"origin": ORIGIN, "key": {"file": "log_key"}, "witnesses": witnesses}
    world.configure(lambda value: value.update(checkpoints=told))


@pytest.mark.proves("ledger-checkpoints-made", "ledger-decisions-verified", "ledger-proof-offline", "ledger-witnesses")
async def test_an_approved_change_is_proved_and_a_forged_decision_is_found(world: World) -> None:
    keep_outside(world)
    async with world.agent() as agent:
        asked = await agent.plan_and_apply("c3")
        world.sign(asked["request_id"])
        plan = await agent.call("migration_plan", target="shop", to="c3")
        done = await agent.call("migration_apply", plan_id=plan["plan_id"])
    assert done["status"] == "applied", done
    kinds = [event.kind for event in world.events()]
    for sealed in (Kind.APPROVAL_DECIDED, Kind.STEP_FINISHED):
        after = kinds[kinds.index(sealed) + 1 :]
        together = [Kind.CALL_FINISHED] if after[0] == Kind.CALL_FINISHED else []  # written in the same commit
        assert after[len(together)] == Kind.CHECKPOINT_SIGNED

    # Grace's signature is an anchor by itself; then the head goes outside.
    assert "grace" in verified(world)["newest_anchor"]["by"]
    checkpoint = json.loads(world.command("ledger", "checkpoint", "--json").stdout)
    assert checkpoint["witnesses"] == {"git": None}
    whole = verified(world, "--witness", str(world.folder / "outside"))
    assert (whole["ok"], whole["decisions"], whole["notes"]) == (True, 1, [])

    # A proof of the decision says the entry on a machine that has the key's name and nothing else.
    decided = kinds.index(Kind.APPROVAL_DECIDED)
    proof = world.folder / "decided.tlog-proof"
    proof.write_text(world.command("ledger", "prove", str(decided)).stdout)
    shown = world.command("ledger", "check", str(proof), "--key", checkpoint["key"])
    assert shown.returncode == 0, shown.stderr
    assert '"reviewer":"grace"' in shown.stdout
    proof.write_text(proof.read_text().replace("index ", "index 1", 1))
    assert world.command("ledger", "check", str(proof)).returncode == 1

    # A drill forges that decision among others: here only what came after the checkpoint goes unnoticed.
    drilled = json.loads(world.command("ledger", "drill", "--json").stdout)
    assert [each["name"] for each in drilled["alterations"] if not each["found"]] == [
        "the last entry is edited, all is hashed again"
    ]
    forged = next(each for each in drilled["alterations"] if "signature of a decision" in each["name"])
    assert any(why.startswith(f"entry {decided}: Its signature does not hold") for why in forged["by"])

    # Whoever owns the file turns the yes into another one, and hashes all of it again.
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        body = rows[decided]["body"].replace('"decision":"approve"', '"decision":"deny"')
        assert body != rows[decided]["body"]
        return [*rows[:decided], {**rows[decided], "body": body}, *rows[decided + 1 :]]

    forge(world.folder / ".mcp-migrate" / "ledger.db", change)
    found = verified(world)
    whys = [finding["why"] for finding in found["findings"] if finding["seq"] == decided]
    assert any("signature does not hold" in why for why in whys), found
    assert any("the witness git vouches for" in finding["why"] for finding in found["findings"])


async def test_entries_are_exported_for_other_tools(world: World) -> None:
    async with world.agent() as agent:
        await agent.call("schema_read", target="shop", intent="=HYPERLINK(the intent of an agent)")
    lines = {
        style: world.command("ledger", "export", "--format", style).stdout.splitlines()
        for style in ("jsonl", "csv", "ocsf")
    }
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db") as ledger:
        events = ledger.read()
    assert [json.loads(line)["leaf"] for line in lines["jsonl"]] == [event.leaf.hex() for event in events]
    assert len(lines["csv"]) == len(events) + 1
    assert not any(cell.startswith("=") for line in lines["csv"] for cell in line.split(","))
    seen = [json.loads(line) for line in lines["ocsf"]]
    assert {each["class_uid"] for each in seen} == {6003}
    assert [each["metadata"]["sequence"] for each in seen] == [event.seq for event in events]
    assert world.command("ledger", "export", "--format", "xml").returncode == 2
