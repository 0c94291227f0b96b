"""Does nothing change a frozen target, whatever was planned and approved, and does reading go on?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.errors import NotPermittedError
from mcp_migrate.leave.freezing import freeze
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import Call, Caller
from mcp_migrate.pipeline import Watch
from mcp_migrate.wiring import Wiring
from tests.world import World


@pytest.mark.proves("freeze-holds", "interface-frozen")
def test_a_frozen_target_is_read_and_planned_and_not_changed_until_it_is_let_go_on(at_a1: World) -> None:
    async def tries() -> dict[str, str]:
        async with at_a1.agent(knowing=True) as agent:
            calls: dict[str, dict[str, Any]] = {
                "schema_read": {"target": "shop"},
                "migration_status": {"target": "shop"},
                "revision_create": {
                    "target": "shop",
                    "message": "a table",
                    "source": "sql",
                    "upgrade_sql": ["CREATE TABLE x (a int)"],
                    "downgrade_sql": ["DROP TABLE x"],
                },
                "migration_apply": {"plan_id": at_a1.planned},
            }
            answers = {name: await agent.call(name, **arguments) for name, arguments in calls.items()}
        return {name: str(answer.get("code") or answer.get("status") or "read") for name, answer in answers.items()}

    done = at_a1.here("freeze", "shop", "--reason", "an incident")
    assert (done.returncode, "shop is frozen" in done.stdout) == (0, True)
    assert anyio.run(tries) == {
        "schema_read": "read",
        "migration_status": "read",
        "revision_create": "frozen",
        "migration_apply": "frozen",
    }
    refused = at_a1.events(Kind.CALL_REFUSED)[-1]
    assert refused.body["rule"]["frozen"]["what"] == "shop"
    assert at_a1.here("freeze", "shop", "--reason", "another").returncode == 0
    assert at_a1.here("doctor").stdout.count("shop is frozen since") == 2
    which = at_a1.here("thaw", "shop", "--reason", "over")
    assert (which.returncode, "2 freezes of shop stand" in which.stderr) == (1, True)
    first = str(at_a1.events(Kind.TARGET_FROZEN)[0].seq)
    assert "1 more stand" in at_a1.here("thaw", "shop", "--reason", "over", "--entry", first).stdout
    assert at_a1.here("status", "shop").stdout.count("FROZEN") == 1
    assert anyio.run(tries)["migration_apply"] == "frozen"
    assert at_a1.here("thaw", "shop", "--reason", "over", "--all").returncode == 0
    assert anyio.run(tries)["migration_apply"] == "applied"


@pytest.mark.proves("freeze-holds")
def test_a_freeze_that_comes_after_the_call_was_permitted_still_stops_it(at_a1: World) -> None:
    wiring, now = Wiring(load_settings(at_a1.config)), datetime.now(UTC)

    def too_late() -> bool:
        freeze("*", "now", "root", wiring.settings, wiring.ledger, now=now)
        return False

    arguments = {"plan_id": at_a1.planned, "intent": "to be overtaken"}
    call = Call("call_1", "migration_apply", arguments, "to be overtaken", Caller("agent:demo"), now)
    with pytest.raises(Exception, match="frozen"):
        wiring.run(call, wiring.registry["migration_apply"], watch=Watch(cancelled=too_late))
    assert "loyalty_points" not in at_a1.columns("customers")
    [finished] = at_a1.events(Kind.STEP_FINISHED)
    assert (finished.body["status"], finished.body["code"]) == ("failed", "frozen")


@pytest.mark.proves("scope-conditions")
def test_a_scope_that_closes_after_the_call_was_permitted_does_not_let_it_run(at_a1: World) -> None:
    signal = at_a1.folder / "signal"
    signal.write_text("open")
    at_a1.configure(lambda c: c["workflows"]["shop-agent"]["scopes"][2].update({"while": {"file": "signal"}}))
    wiring, now = Wiring(load_settings(at_a1.config)), datetime.now(UTC)
    arguments = {"plan_id": at_a1.planned, "intent": "to be overtaken"}
    call = Call("call_1", "migration_apply", arguments, "to be overtaken", Caller("agent:demo"), now)
    tool = wiring.registry["migration_apply"]
    with pytest.raises(NotPermittedError) as refused:
        wiring.run(call, tool, watch=Watch(cancelled=lambda: bool(signal.write_text("closed")) and False))
    assert "says `open`, and that is not so" in refused.value.details["scopes"][0]
    assert "loyalty_points" not in at_a1.columns("customers")
    signal.write_text("open")
    later = replace(call, call_id="call_2")
    assert wiring.run(later, tool, watch=Watch())["status"] == "applied"


@pytest.mark.proves("launch-tokens")
def test_a_name_whose_proof_ends_while_the_call_waits_changes_nothing(at_a1: World) -> None:
    wiring, now = Wiring(load_settings(at_a1.config)), datetime.now(UTC)
    clock = [now]
    pipeline = replace(wiring.pipeline, clock=lambda: clock[0])
    ends = now + timedelta(hours=1)
    caller = Caller("agent:demo", "launch-token", launch="launch_1", until=ends)
    call = Call("call_1", "migration_apply", {"plan_id": at_a1.planned}, "to be overtaken", caller, now)
    tool = wiring.registry["migration_apply"]
    with pytest.raises(NotPermittedError, match="ended"):
        pipeline.run(call, tool, watch=Watch(cancelled=lambda: bool(clock.__setitem__(0, ends))))
    assert "loyalty_points" not in at_a1.columns("customers")
    clock[0] = now
    with pytest.raises(NotPermittedError, match="ended"):  # made again, after people were waited for
        pipeline.run(replace(call, call_id="call_2", at=ends), tool)
    assert pipeline.run(replace(call, call_id="call_3"), tool)["status"] == "applied"


@pytest.mark.proves("scope-conditions")
def test_a_scope_is_open_while_an_approval_with_the_calls_ticket_is(at_b2: World) -> None:
    def narrow(config: Any) -> None:
        scopes = config["workflows"]["shop-agent"]["scopes"]
        for scope in scopes:
            scope["tools"] = [name for name in scope["tools"] if not name.startswith("schema_")] or ["audit_read"]
        scopes.append({"tools": ["schema_read"], "targets": ["shop"], "while": {"approval": "ticket"}})

    async def looks() -> list[bool]:
        async with at_b2.agent(knowing=True) as agent:

            async def reads(ticket: str) -> bool:
                return "schema" in await agent.call("schema_read", target="shop", ticket=ticket)

            change = {"plan_id": at_b2.planned, "ticket": "T-1"}
            asked = await agent.call("migration_apply", **change)
            seen = [await reads("T-1")]
            at_b2.sign(asked["request_id"])
            seen += [await reads("T-1"), await reads("T-2")]
            assert (await agent.call("migration_apply", **change))["status"] == "applied"
            return [*seen, await reads("T-1")]

    at_b2.configure(narrow)
    assert anyio.run(looks) == [False, True, False, False]


@pytest.mark.proves("keeps-trying-waits", "interface-paused", "limits-hold", "interface-limit-reached")
def test_an_agent_that_keeps_trying_is_paused_and_a_workflow_is_held_to_its_limits(at_a1: World) -> None:
    limits = {"pause": {"after": 3, "within": "10m", "for": "30m"}, "plan_statements": 1}
    at_a1.configure(lambda c: c["workflows"]["shop-agent"].update(limits=limits))

    more: dict[str, Any] = {"target": "shop", "tables": ["a" * 300] * 5, "intent": "b" * 400}

    async def tries() -> list[str]:
        async with at_a1.agent(knowing=True) as agent:
            long = await agent.call("migration_plan", target="shop", to="b2")
            wrong = [await agent.call("migration_apply", plan_id=f"plan_{n}") for n in range(3)]
            await agent.call("no_such_tool", **{**more, "intent": "c" * 9_000})
            return [answer["code"] for answer in (long, *wrong, await agent.call("schema_read", **more))]

    assert anyio.run(tries) == ["limit_reached", *["plan_not_found"] * 3, "paused"]
    [paused] = at_a1.events(Kind.PRINCIPAL_PAUSED)
    assert (paused.body["principal"], paused.body["refusals"]) == ("agent:demo", 3)
    last = at_a1.events(Kind.CALL_REFUSED)[-2:]
    assert [event.body["code"] for event in last] == ["unknown_tool", "paused"]
    assert all(len(event.canonical()) < 3_000 and event.body["bytes"] > 1_500 for event in last)  # told by their size


@pytest.mark.proves("limits-hold")
def test_a_plan_waits_while_another_server_makes_as_many_as_the_workflow_may(at_a1: World) -> None:
    at_a1.configure(lambda c: c["workflows"]["shop-agent"].update(limits={"plans_at_once": 1}))

    def elsewhere(kind: Kind, **body: Any) -> None:
        with Ledger.open(f"sqlite:///{at_a1.folder}/.mcp-migrate/ledger.db") as ledger:
            ledger.append(Draft(kind, body, "shop-agent", call_id="call_elsewhere"), at=datetime.now(UTC))

    async def applies() -> str:
        async with at_a1.agent(knowing=True) as agent:
            assert "revision" in await agent.call("migration_status", target="shop"), "what makes no plan goes on"
            answer = await agent.call("migration_apply", plan_id=at_a1.planned)
        return str(answer.get("code") or answer["status"])

    elsewhere(Kind.CALL_RECEIVED, plans=True)
    assert anyio.run(applies) == "limit_reached"
    elsewhere(Kind.CALL_FINISHED)
    assert anyio.run(applies) == "applied"
