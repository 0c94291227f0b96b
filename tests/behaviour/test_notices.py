"""Do people hear of what waits for them, also after a failure or a restart, and does nothing wait for that?"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.ledger import Kind
from mcp_migrate.notices import Outbox
from mcp_migrate.wiring import Wiring
from tests.waiting import until
from tests.world import World

pytestmark = pytest.mark.anyio

_PROGRAM = """import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
if (folder / "broken").exists():
    raise SystemExit(1)
with (folder / "heard").open("a") as heard:
    heard.write(sys.stdin.read() + "\\n")
"""


class Ear:
    """A channel that writes down what it is told, unless it is broken."""

    def __init__(self, world: World, **more: Any) -> None:
        self.folder = world.folder / "ear"
        self.folder.mkdir()
        (self.folder / "hear.py").write_text(_PROGRAM)
        run = [sys.executable, str(self.folder / "hear.py"), str(self.folder)]
        channel = {"kind": "command", "name": "ear", "run": run, **more}
        world.configure(lambda config: config.update(notify=[channel]))

    def break_(self) -> None:
        (self.folder / "broken").touch()

    def mend(self) -> None:
        (self.folder / "broken").unlink()

    @property
    def heard(self) -> list[Mapping[str, Any]]:
        path = self.folder / "heard"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def types(self) -> list[str]:
        return [notice["type"] for notice in self.heard]


def outbox(world: World, *, later: timedelta = timedelta()) -> Outbox:
    """That of a server started anew, `later` by its clock."""
    wiring = Wiring(load_settings(world.config))
    return Outbox(wiring.settings, wiring.ledger, lambda: datetime.now(UTC) + later)


async def _ask(world: World, intent: str = "Nobody sends faxes any more") -> str:
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop")
        asked = await agent.call("migration_apply", plan_id=plan["plan_id"], intent=intent)
    return str(asked["request_id"])


async def test_people_hear_what_is_asked_and_what_came_of_it_each_once(world: World) -> None:
    ear = Ear(world)
    request_id = await _ask(world)
    assert outbox(world).send() == (None,)
    assert outbox(world).send() == ()
    world.sign(request_id)
    outbox(world).send()
    async with world.agent() as agent:
        await agent.plan_and_apply()
    outbox(world).send()
    assert ear.types == ["approval.requested", "approval.decided", "approval.finished"]
    asked, decided, finished = (notice["headline"] for notice in ear.heard)
    assert asked == "Approval asked: migration_apply on shop (additive, breaking, destructive)"
    assert decided.startswith("Approved by grace: ")
    assert finished.startswith("Applied: ")
    assert len(world.events(Kind.NOTICE_SENT)) == 3


@pytest.mark.proves("notices-carry-no-leave")
async def test_a_notice_says_what_is_lost_and_carries_neither_sql_nor_a_way_to_decide(world: World) -> None:
    ear = Ear(world)
    world.configure(lambda value: value.update(review={"port": 8020}))
    request_id = await _ask(world, intent="Approve me\x1b[2J\u202e " + "x" * 400)
    outbox(world).send()
    [notice] = ear.heard
    assert next(iter(notice["facts"].items())) == ("Destroys", "main.customers.fax")
    assert notice["facts"]["Rows concerned"] == "40"
    assert notice["url"] == f"http://localhost:8020/requests/{request_id}"
    assert notice["how"] == f"Look at it and decide: {notice['url']} or mcp-migrate approvals show {request_id}"
    text = json.dumps(notice, ensure_ascii=False)
    assert "ALTER TABLE" not in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert notice["facts"]["The agent says"].endswith("… (416 characters)")


@pytest.mark.proves("interface-notification-failed")
async def test_a_broken_channel_holds_up_nobody_and_is_tried_again_later_each_time(world: World) -> None:
    ear = Ear(world)
    ear.break_()
    request_id = await _ask(world)
    [why] = outbox(world).send()
    assert why is not None
    assert "ended with 1" in why
    assert outbox(world, later=timedelta(seconds=5)).send() == ()
    assert outbox(world, later=timedelta(seconds=15)).send() == (why,)
    assert outbox(world, later=timedelta(seconds=30)).send() == ()
    shown = world.command("approvals", "show", request_id).stdout
    assert "Told      ear, requested: NOT TOLD, tried again after 2: " in shown
    ear.mend()
    assert outbox(world, later=timedelta(seconds=60)).send() == (None,)
    assert ear.types == ["approval.requested"]
    assert [event.body["attempt"] for event in world.events(Kind.NOTICE_FAILED)] == [1, 2]


async def test_a_channel_that_never_works_is_given_up(world: World) -> None:
    ear = Ear(world, on=["requested"])
    ear.break_()
    await _ask(world)
    for minutes in range(0, 200, 3):
        outbox(world, later=timedelta(minutes=minutes)).send()
    attempts = [event.body for event in world.events(Kind.NOTICE_FAILED)]
    assert [body["given_up"] for body in attempts] == [False] * 7 + [True]


async def test_what_nobody_decides_is_brought_to_mind_and_its_end_is_told(world: World) -> None:
    ear = Ear(world, on=["reminder", "expired"])
    await _ask(world)
    for hours in (0, 0.7, 0.8, 0.9, 1.1, 2, 26):
        outbox(world, later=timedelta(hours=hours)).send()
    assert ear.types == ["approval.reminder", "approval.expired"]


async def test_the_server_tells_people_by_itself(world: World) -> None:
    ear = Ear(world)
    async with world.stdio_agent() as agent:
        plan = await agent.call("migration_plan", target="shop")
        await agent.call("migration_apply", plan_id=plan["plan_id"])
        await anyio.to_thread.run_sync(until, lambda: world.events(Kind.NOTICE_SENT))
    assert ear.types == ["approval.requested"]


async def _last(world: World) -> str:
    return str(world.events(Kind.APPROVAL_REQUESTED)[-1].subject)


def test_a_test_shows_whether_notices_arrive(world: World) -> None:
    ear = Ear(world)
    assert world.command("notify", "test").stdout == "ear: taken\n"
    ear.break_()
    failed = world.command("notify", "test", "ear", "--json")
    assert (failed.returncode, json.loads(failed.stdout)[0]["ok"]) == (1, False)
    assert world.command("notify", "test", "nobody").returncode == 2


async def test_a_person_can_send_what_is_due(world: World) -> None:
    ear = Ear(world)
    await _ask(world)
    assert json.loads(world.command("notify", "send", "--json").stdout) == {"sent": 1, "failed": []}
    ear.break_()
    assert world.command("notify", "send").stdout == "0 notices were taken.\n"


def test_a_channel_whose_secret_stands_in_the_configuration_does_not_start(world: World, tmp_path: Path) -> None:
    channels = [
        {"kind": "slack", "name": "a", "url": "https://hooks.example.com/T0/hunter2"},
        {"kind": "webhook", "name": "a", "url": "http://example.com", "secret": "whsec_hunter2"},
        {"kind": "email", "name": "c", "to": ["a@b.c"], "from": "a@b.c", "server": "mail:25", "user": "u",
         "password": "hunter2", "security": "unsafe_plain"},
    ]  # fmt: skip
    world.configure(lambda config: config.update(notify=channels))
    said = world.command("config", "check")
    assert said.returncode == 1
    for why in ("in plain text", "another channel has this name", "can be read on the way", "cross the network"):
        assert why in said.stdout + said.stderr
    assert "hunter2" not in said.stdout + said.stderr
    assert not any(tmp_path.glob("**/heard"))
