"""Does a call that waits for people wait well, in every kind of client, and decide nothing by itself?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio
import mcp_types as types
import pytest
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated
from pydantic import ConfigDict

from mcp_migrate.cli import run
from mcp_migrate.ledger import Kind
from mcp_migrate.server.pause_words import question
from mcp_migrate.server.tasks import EXTENSION
from tests.world import INTENT, Agent, World

pytestmark = pytest.mark.anyio
BOTH = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


class Person:
    """Sits at the agent's client, is shown addresses, and does something before answering."""

    def __init__(
        self, answers: Literal["accept", "decline", "cancel"], before: Callable[[str], None] = lambda _request: None
    ) -> None:
        self.answers, self.before = answers, before
        self.shown: list[types.ElicitRequestURLParams] = []

    async def __call__(self, _context: Any, asked: types.ElicitRequestParams) -> types.ElicitResult:
        assert isinstance(asked, types.ElicitRequestURLParams)
        self.shown.append(asked)
        self.before("req_" + asked.message.partition("Request req_")[2].partition(",")[0])
        return types.ElicitResult(action=self.answers)


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("dropping"))
    made.write_revision("d1", "a1", 'op.drop_table("orders")')
    return made.prepare(plan="d1")


@pytest.fixture
def world(dropping: World, tmp_path: Path) -> World:
    """The shop, with a plan that drops a table right away."""
    return dropping.copied(tmp_path)


def hold(world: World, text: str) -> None:
    world.configure(lambda c: c.update(pausing={"hold": text}))


def sign(world: World, request_id: str, verdict: str = "approve") -> None:
    """Decide on the command line, without a process for it."""
    reason = ["--reason", "not like this"] if verdict == "deny" else []
    key = str(world.keys["grace"])
    with pytest.raises(SystemExit) as ended:
        run(["approvals", verdict, request_id, "--key", key, "--config", str(world.config), *reason])
    assert not ended.value.code


def tables(world: World) -> set[str]:
    return {name for (name,) in world.query("SELECT name FROM sqlite_master WHERE type = 'table'")}


@BOTH
@pytest.mark.proves("pausing-shows-the-page", "server-both-eras")
async def test_the_call_itself_finishes_when_a_reviewer_signs_meanwhile(world: World, mode: str) -> None:
    person = Person("accept", before=world.sign)
    async with world.stdio_agent(mode=mode, elicitation_callback=person) as agent:
        done = await agent.call("migration_apply", plan_id=agent.planned)
    [shown] = person.shown
    assert done["status"] == "applied"
    assert shown.url.startswith("http://localhost:")
    assert "destructive" in shown.message
    assert "orders" not in tables(world)
    assert world.command("ledger", "verify").returncode == 0


@BOTH
@pytest.mark.proves("pausing-never-decides", "pausing-ends")
async def test_whatever_a_client_answers_only_a_signature_lets_the_call_run(world: World, mode: str) -> None:
    hold(world, "100ms")
    person = Person("decline")
    async with world.agent(mode=mode, pages=True, elicitation_callback=person) as agent:
        declined = await agent.call("migration_apply", plan_id=agent.planned)
        person.answers = "cancel"
        cancelled = await agent.call("migration_apply", plan_id=agent.planned)
        asked_before = len(person.shown)
        person.answers = "accept"
        accepted = await agent.call("migration_apply", plan_id=agent.planned)
        there = tables(world)
        sign(world, accepted["request_id"])
        done = await agent.call("migration_apply", plan_id=agent.planned)
    waiting = (declined, cancelled, accepted)
    assert {answer["status"] for answer in waiting} == {"approval_required"}
    assert len({answer["request_id"] for answer in waiting}) == 1
    assert "declined" in declined["client"]
    assert "could not ask" in cancelled["client"]
    assert "not decided yet" in accepted["client"]
    assert asked_before == 2
    assert len(person.shown) - asked_before <= 3
    assert "orders" in there
    assert done["status"] == "applied"


@pytest.mark.proves("approval-out-of-reach")
@BOTH
async def test_what_too_few_could_approve_is_answered_at_once_and_said_to_everybody(world: World, mode: str) -> None:
    world.configure(lambda c: c.update(people={"grace": ["agent:demo"]}))  # the only reviewer is who asks
    person = Person("accept")
    async with world.agent(mode=mode, pages=True, elicitation_callback=person) as agent:
        answer = await agent.call("migration_apply", plan_id=agent.planned)
        with anyio.fail_after(20):
            status = await agent.call("approval_status", request_id=answer["request_id"], wait_seconds=55)
    few = answer["needs"]["too_few"]
    assert ([each["able"] for each in few], person.shown) == ([0], [])
    assert status["too_few"] == few
    for said in (answer, status):
        assert said["next"]["action"] == "ask_admin"
        assert "reviewers enroll" in said["next"]["hint"]
    [asked] = world.events(Kind.APPROVAL_REQUESTED)
    assert asked.body["too_few"] == few
    assert "TOO FEW" in world.approvals("show", answer["request_id"]).stdout.splitlines()[1]


@pytest.mark.proves("approval-out-of-reach")
async def test_a_question_that_is_asked_anew_takes_the_place_of_the_one_that_nobody_could_approve(world: World) -> None:
    world.configure(lambda c: c.update(people={"grace": ["agent:demo"]}))
    world.configure(lambda c: c["workflows"]["shop-agent"].update(limits={"open_requests": 1}))
    async with world.agent() as agent:
        first = await agent.call("migration_apply", plan_id=agent.planned)
    world.enroll("edsger")
    async with world.agent() as agent:
        newer = await agent.call("migration_apply", plan_id=agent.planned)
        again = await agent.call("migration_apply", plan_id=agent.planned)
        status = await agent.call("approval_status", request_id=first["request_id"])
    assert newer["request_id"] == again["request_id"] != first["request_id"]
    assert status["status"] == "withdrawn"
    [withdrawn] = world.events(Kind.APPROVAL_WITHDRAWN)
    assert (withdrawn.subject, withdrawn.call_id) == (first["request_id"], newer["call_id"])
    assert newer["request_id"] in withdrawn.body["reason"]


async def test_a_denial_ends_the_pause(world: World) -> None:
    person = Person("accept", before=lambda request_id: sign(world, request_id, "deny"))
    async with world.agent(mode="legacy", pages=True, elicitation_callback=person) as agent:
        refused = await agent.call("migration_apply", plan_id=agent.planned)
    assert refused["code"] == "approval_denied"
    assert len(person.shown) == 1


def test_what_is_shown_is_one_line_of_effects_and_rows() -> None:
    answer = {
        "needs": {"approvals": 2, "from": "dba"},
        "effects": ["destructive", "read"],
        "rows": {"a\u202eb\n": 1200, "b": 1, "c": 2, "d": 3},
        "request_id": "req_1",
        "expires_at": "2026-11-24T13:00:00+00:00",
    }
    assert question(answer, again=True) == (
        "It is not decided yet. This change waits for 2 signatures from dba (destructive; 1,200 rows of a\ufffdb\ufffd"
        "; 1 row of b; 2 rows of c; 1 more table). The page shows what it would do and takes the decision; continuing "
        "here only looks whether it was made. Request req_1, open until 2026-11-24 13:00 UTC."
    )


async def paused(agent: Agent, tool: str, arguments: Mapping[str, Any], state: str | None = None) -> Any:
    """Call by hand, as a client that drives the rounds itself."""
    return await agent.client.session.call_tool(
        tool, {"intent": INTENT, **arguments}, request_state=state, allow_input_required=True
    )


def _add_another_agent(config: dict[str, Any]) -> None:
    config["workflows"]["shop-agent"]["principals"].append("agent:other")


@pytest.mark.proves("interface-request-state-invalid")
async def test_a_state_that_is_not_ours_for_this_call_is_refused_and_recorded(world: World) -> None:
    world.configure(_add_another_agent)
    person = Person("decline")
    async with world.agent(pages=True, elicitation_callback=person) as agent:
        apply = {"plan_id": agent.planned}
        state = (await paused(agent, "migration_apply", apply)).request_state
        sign(world, world.events(Kind.APPROVAL_REQUESTED)[-1].body["request_id"])
        refused = [
            await paused(agent, "migration_apply", apply, state[:-1]),
            await paused(agent, "migration_apply", {**apply, "ticket": "T-1"}, state),
            await paused(agent, "schema_read", {"target": "shop"}, state),
        ]
        async with world.agent("agent:other", pages=True, elicitation_callback=person) as other:
            refused.append(await paused(other, "migration_apply", apply, state))
        there = tables(world)
        own = await paused(agent, "migration_apply", apply, state)
    recorded = {event.call_id for event in world.events(Kind.CALL_REFUSED)}
    assert {answer.structured_content["code"] for answer in refused} == {"request_state_invalid"}
    assert {answer.structured_content["call_id"] for answer in refused} == recorded
    assert "orders" in there
    assert own.structured_content["status"] == "applied"


async def test_no_page_is_shown_where_none_is_served(world: World) -> None:
    person = Person("accept")
    async with world.agent(elicitation_callback=person) as agent:
        waiting = await agent.call("migration_apply", plan_id=agent.planned)
    assert (waiting["status"], waiting["review_url"], person.shown) == ("approval_required", None, [])


class Task(types.Result):
    """The handle of a call that waits in the background."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    status_message: str


class _TaskParams(types.RequestParams):
    task_id: str
    input_responses: dict[str, Any] | None = None


class _TaskRequest(types.Request[_TaskParams, str]):
    method: str
    params: _TaskParams


class _TaskAnswer(types.Result):
    model_config = ConfigDict(extra="allow")


async def _never(_task: Task, _context: ClaimContext) -> types.CallToolResult:
    raise AssertionError


class KnowsTasks(ClientExtension):
    """A client that declares the extension, and whose test drives it."""

    identifier = EXTENSION

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Task, resolve=_never)]


async def ask_task(agent: Agent, method: str, task_id: str, said: Mapping[str, Any] | None = None) -> dict[str, Any]:
    params = _TaskParams(task_id=task_id, input_responses=None if said is None else dict(said))
    request = _TaskRequest(method=f"tasks/{method}", params=params)
    answer = await agent.client.session.send_request(request, _TaskAnswer)
    return answer.model_dump(by_alias=True)


async def until_done(agent: Agent, task_id: str) -> dict[str, Any]:
    while (task := await ask_task(agent, "get", task_id))["status"] == "working":  # noqa: ASYNC110  a client polls
        await anyio.sleep(0.05)
    return task


async def apply_as_task(agent: Agent, plan_id: str) -> Task:
    arguments = {"intent": INTENT, "plan_id": plan_id}
    task = await agent.client.session.call_tool("migration_apply", arguments, allow_claimed=True)
    assert isinstance(task, Task)
    return task


@pytest.mark.proves("pausing-tasks")
async def test_a_task_outlives_both_sides_and_tells_what_came_of_it(world: World) -> None:
    knows: dict[str, Any] = {"extensions": [KnowsTasks()], "elicitation_callback": Person("accept")}
    async with world.agent(pages=True, **knows) as agent:
        task_id = (await apply_as_task(agent, agent.planned)).task_id
        asked = await ask_task(agent, "get", task_id)
        [key] = asked["inputRequests"]
        await ask_task(agent, "update", task_id, {key: {"action": "accept"}})
        waiting = await ask_task(agent, "get", task_id)
    there = tables(world)
    sign(world, world.events(Kind.APPROVAL_REQUESTED)[-1].body["request_id"])
    async with world.stdio_agent(**knows) as agent:
        async with anyio.create_task_group() as impatient:
            for _ in range(5):
                impatient.start_soon(ask_task, agent, "get", task_id)
        await ask_task(agent, "cancel", task_id)
        done = await until_done(agent, task_id)
    async with world.agent(**knows) as agent:
        later = await ask_task(agent, "get", task_id)
    assert (asked["status"], waiting["status"]) == ("input_required", "working")
    assert asked["inputRequests"][key]["params"]["url"] in waiting["statusMessage"]
    assert "orders" in there
    assert done["status"] == later["status"] == "completed"
    first, second = done["result"]["structuredContent"], later["result"]["structuredContent"]
    assert first["status"] == second["status"] == "applied"
    assert first["apply_id"] == second["apply_id"]
    assert len(world.events(Kind.STEP_STARTED)) == 1


@pytest.mark.proves("pausing-tasks", "pausing-never-decides")
async def test_a_task_belongs_to_who_asked_and_ends_without_a_decision(world: World) -> None:
    world.configure(_add_another_agent)
    knows: dict[str, Any] = {"extensions": [KnowsTasks()], "elicitation_callback": Person("accept")}
    async with world.agent(pages=True, **knows) as agent:
        declined, cancelled, denied = [(await apply_as_task(agent, agent.planned)).task_id for _ in range(3)]
        [key] = (await ask_task(agent, "get", declined))["inputRequests"]
        await ask_task(agent, "update", declined, {key: {"action": "decline"}, "other": {"action": "accept"}})
        after_no = await ask_task(agent, "get", declined)
        await ask_task(agent, "cancel", cancelled)
        after_cancel = await ask_task(agent, "get", cancelled)
        sign(world, world.events(Kind.APPROVAL_REQUESTED)[-1].body["request_id"], "deny")
        after_denial = await until_done(agent, denied)
        async with world.agent("agent:other", **knows) as other:
            with pytest.raises(MCPError, match="no such task"):
                await ask_task(other, "get", denied)
    assert after_no["result"]["structuredContent"]["status"] == "approval_required"
    assert after_cancel["status"] == "cancelled"
    assert after_denial["result"]["structuredContent"]["code"] == "approval_denied"
    assert "orders" in tables(world)


@pytest.mark.proves("pausing-tasks", "pausing-ends")
async def test_a_task_whose_request_expires_ends_and_asks_nothing_anew(world: World) -> None:
    world.configure(lambda c: c["approvals"][0]["require"].update(expires="1s"))
    async with world.agent(extensions=[KnowsTasks()]) as agent:
        task = await apply_as_task(agent, agent.planned)
        ended = await until_done(agent, task.task_id)
    assert "approvals show" in task.status_message
    assert ended["result"]["isError"]
    assert ended["result"]["structuredContent"]["code"] == "approval_expired"
    assert len(world.events(Kind.APPROVAL_REQUESTED)) == 1


@pytest.mark.proves("pausing-updates")
async def test_a_subscriber_hears_of_the_decision_and_reads_it(world: World) -> None:
    heard = anyio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            heard.set()

    async with world.agent() as agent, world.agent(mode="legacy", message_handler=hear) as earlier:
        waiting = await agent.call("migration_apply", plan_id=agent.planned)
        uri = f"approval://{waiting['request_id']}"
        await earlier.client.session.send_request(
            types.SubscribeRequest(params=types.SubscribeRequestParams(uri=uri)), types.EmptyResult
        )
        with pytest.raises(MCPError, match="no request"):
            await earlier.client.session.send_request(
                types.SubscribeRequest(params=types.SubscribeRequestParams(uri="approval://req_0")), types.EmptyResult
            )
        async with agent.client.listen(resource_subscriptions=[uri]) as changes:
            pending = json.loads(getattr((await agent.client.read_resource(uri)).contents[0], "text", ""))
            quiet = not heard.is_set()
            sign(world, waiting["request_id"])
            with anyio.fail_after(30):
                await heard.wait()
                changed = await anext(aiter(changes))
        decided = json.loads(getattr((await agent.client.read_resource(uri)).contents[0], "text", ""))
    assert quiet
    assert changed == ResourceUpdated(uri)
    assert (pending["status"], decided["status"]) == ("pending", "approved")
