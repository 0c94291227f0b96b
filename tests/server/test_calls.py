"""Does one caller leave room for the others, however much it asks for?"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from mcp_migrate.pipeline import Watch
from mcp_migrate.server import calls as module
from mcp_migrate.server.calls import Calls
from mcp_migrate.server.progress import Progress

pytestmark = pytest.mark.anyio


class Silent(Progress):
    """Of a call whose client hears nothing."""

    def __init__(self) -> None:
        self._before = self._last = 0


class Crowd:
    """Calls that end when they are let go."""

    def __init__(self) -> None:
        self.calls, self.ends, self.begun = Calls(), threading.Event(), list[str]()

    async def busy(self, whose: str, *, waits: bool = False) -> None:
        def work(watch: Watch) -> Mapping[str, Any]:
            self.begun.append(whose)
            while not self.ends.wait(0.02) and not (waits and watch.cancelled()):
                pass
            return {}

        await self.calls.run(work, Silent(), whose=whose, waits=waits)

    async def seen(self, number: int) -> None:
        while len(self.begun) < number:  # noqa: ASYNC110  threads begin
            await anyio.sleep(0.01)


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    monkeypatch.setattr(module, "_THREADS", 4)
    monkeypatch.setattr(module, "_OF_ONE", 2)
    monkeypatch.setattr(module, "_WAITERS", 2)
    return Crowd()


@pytest.mark.proves("team-fair")
async def test_whoever_makes_many_calls_waits_for_its_own_and_nobody_else_does(crowd: Crowd) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(crowd.busy, "one")
            await crowd.seen(2)
            await anyio.sleep(0.05)
            group.start_soon(crowd.busy, "other")
            await crowd.seen(3)
            assert crowd.begun == ["one", "one", "other"]
            assert await anyio.to_thread.run_sync(lambda: "looked") == "looked"
            crowd.ends.set()
    assert len(crowd.begun) == 11
    assert not crowd.calls._shares


@pytest.mark.proves("team-fair")
async def test_without_room_to_wait_for_people_a_call_is_answered_at_once(crowd: Crowd) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(lambda: crowd.busy("one", waits=True))
            await crowd.seen(2)
            for _ in range(5):
                await crowd.busy("other", waits=True)
            assert not crowd.ends.is_set()
            crowd.ends.set()


async def test_a_call_that_its_client_gives_up_before_its_turn_is_not_made(crowd: Crowd) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(crowd.busy, "one")
            await crowd.seen(2)
            with anyio.move_on_after(0.1):
                await crowd.busy("one")
            crowd.ends.set()
    assert crowd.begun == ["one", "one"]
