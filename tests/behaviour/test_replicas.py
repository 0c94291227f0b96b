"""Do servers that share a ledger, and nothing else, stand in for each other?"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
import pytest

from mcp_migrate.ledger import Event, Kind, Ledger
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import sign
from mcp_migrate.web.weighing import questions
from tests.ports import free_port
from tests.server.issuer import issuing
from tests.team import Team, for_a_team, paused, serving, shown
from tests.web.visitor import field_of, statement_of
from tests.world import World

pytestmark = pytest.mark.anyio


def decide(asked: Event, world: World, *, at: Team, begun_at: Team) -> None:
    """Approve on the pages of one replica with a form that another one handed out."""
    page = f"/requests/{asked.body['request_id']}"
    weighed = {each.field: each.answer for each in questions(asked.body)}
    key = parse_public_key((world.folder / "grace_key.pub").read_text())
    with httpx2.Client() as browser:

        def send(path: str, fields: dict[str, str]) -> httpx2.Response:
            return browser.post(at.url + page + path, data=fields, headers={"origin": at.url})

        form = {"mark": field_of(browser.get(begun_at.url + page).text, "mark"), "reason": "", **weighed}
        draft = send("/sign", {**form, "signer": f"grace {key.fingerprint}", "verdict": "approve"})
        signature = sign(statement_of(draft.text), world.keys["grace"], passphrase=lambda: "")
        carried = {name: field_of(draft.text, name) for name in ("mark", "statement")}
        assert send("/decision", {**carried, "signature": signature}).status_code == 303


@pytest.mark.proves("team-replicas")
async def test_a_call_that_one_replica_paused_is_finished_by_another_after_the_first_has_died(
    tmp_path: Path, postgres_url: str
) -> None:
    world = World(tmp_path)
    world.write_revision("d1", "a1", 'op.drop_table("orders")')
    secrets = {"ledger": postgres_url, "redaction_key": "r" * 40}
    for name, text in secrets.items():
        (tmp_path / name).write_text(text)
    world.configure(lambda c: c.update({name: f"${{file:{tmp_path / name}}}" for name in secrets}))
    modern: dict[str, Any] = {"mode": "2026-07-28", "elicitation_callback": shown}
    first, second = free_port(), free_port()
    with issuing() as issuer:
        for_a_team(world, issuer, f"http://localhost:{second}")
        with serving(world, issuer, port=first) as a, serving(world, issuer, port=second) as b:
            async with a.agent(**modern) as agent:
                plan = await agent.call("migration_plan", target="shop", to="d1")
                asked = await paused(agent, plan["plan_id"])
            with Ledger.open(postgres_url) as ledger:
                [request] = ledger.last(Kind.APPROVAL_REQUESTED)
                decide(request, world, at=b, begun_at=a)
                a.process.send_signal(signal.SIGKILL)
                async with b.agent(**modern) as agent:
                    done = await paused(agent, plan["plan_id"], asked.request_state)
                [finished] = ledger.read(kind=Kind.STEP_FINISHED)
    assert isinstance(asked, types.InputRequiredResult)
    assert done.structured_content["status"] == "applied"
    assert finished.body["status"] == "applied"
    assert ("orders",) not in world.query("SELECT name FROM sqlite_master")
