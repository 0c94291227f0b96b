"""Does a production target open for one step alone, with a credential that dies with it?"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.ledger import Kind
from mcp_migrate.wiring import Wiring
from tests.brokers.conftest import Ground, ground
from tests.brokers.mysql_shop import minted
from tests.brokers.openbao import running, without_user
from tests.crash import applies
from tests.mariadb import ask
from tests.waiting import until
from tests.world import World

pytestmark = pytest.mark.anyio
_MOST = 40
_UP = 'op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))'


@pytest.fixture
def shop(postgres_server: str) -> Iterator[Ground]:
    with ground(postgres_server) as here:
        yield here


def _on_postgresql(world: World, shop: Ground, **more: Any) -> None:
    _in_production(
        world, shop.url, broker="postgres-role", owner_role=shop.owner, reader_role="pg_read_all_data", **more
    )
    shop.ask(f"GRANT pg_read_all_data TO {shop.role} WITH ADMIN TRUE")


def _in_production(world: World, url: str, **credentials: Any) -> None:
    for revision in (world.folder / "migrations" / "versions").glob("*.py"):
        revision.unlink()
    world.write_revision("p1", None, _UP, 'op.drop_table("items")')
    world.write_revision(
        "p2", "p1", 'op.add_column("items", sa.Column("name", sa.Text))', 'op.drop_column("items", "name")'
    )
    target = {"tier": "production", "url": url, "credentials": credentials}
    world.configure(lambda value: value["targets"]["shop"].update(target))


def _that_wait(shop: Ground) -> set[str]:
    """The roles of steps that are connected once one of them waits for a lock."""
    asked = "SELECT usename, wait_event_type FROM pg_stat_activity WHERE starts_with(usename, 'mcp_migrate_step_')"

    def found() -> set[str]:
        seen = shop.ask(asked)
        return {str(name) for name, _ in seen} if "Lock" in dict(seen).values() else set()

    return until(found)


@pytest.mark.proves("design-7", "step-credentials", "step-credentials-recorded")
async def test_production_is_changed_by_a_role_that_is_gone_after_it_or_not_at_all(world: World, shop: Ground) -> None:
    _on_postgresql(world, shop)
    answers: list[Any] = []
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="p1")
        assert "plan_id" in plan, plan
        shop.ask(f"REVOKE {shop.owner} FROM {shop.role}")
        failed = await agent.call("migration_apply", plan_id=plan["plan_id"])
        assert failed.get("code") == "credential_failed", failed
        assert world.events(Kind.STEP_FINISHED)[-1].body["code"] == "credential_failed"
        assert (shop.ask("SELECT to_regclass('items')"), shop.roles()) == ([(None,)], [])
        shop.ask(f"GRANT {shop.owner} TO {shop.role} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        first = await agent.call("migration_apply", plan_id=plan["plan_id"])
        assert (first["status"], first["revision"]) == ("applied", "p1"), first
        plan = await agent.call("migration_plan", target="shop")

        async def apply() -> None:
            answers.append(await agent.call("migration_apply", plan_id=plan["plan_id"]))

        with connect(shop.admin) as busy:
            busy.execute(b"BEGIN")
            busy.execute(b"LOCK TABLE items IN ACCESS SHARE MODE")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(apply)
                roles = await anyio.to_thread.run_sync(_that_wait, shop)
                busy.execute(b"COMMIT")
        status = await agent.call("migration_status", target="shop")
        shop.ask("GRANT SELECT ON items TO PUBLIC")
        widened = await agent.call("migration_status", target="shop")
    assert answers[0]["status"] == "applied", answers
    assert (status["revision"], status.get("unexplained")) == ("p2", None)  # what the step saw is what a reader sees
    assert [each["object"] for each in widened["unexplained"]["differences"]] == ["table public.items"]
    assert (shop.roles(), len(roles)) == ([], 1)
    owners = shop.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'mcp_migrate')")
    assert owners == [(shop.owner,)]

    issued, revoked = world.events(Kind.CREDENTIAL_ISSUED), world.events(Kind.CREDENTIAL_REVOKED)
    assert [event.subject for event in issued] == [event.subject for event in revoked]
    assert {event.body["purpose"] for event in issued} == {"read", "plan", "apply"}
    [applied] = [event for event in issued if event.subject in roles]
    assert (applied.body["broker"], applied.body["principal"]) == ("postgres-role", "agent:demo")
    assert applied.body["objects"] == ["public.items.name"], applied.body
    started = world.events(Kind.STEP_STARTED)[-1]
    assert (applied.call_id, applied.seq > started.seq) == (started.call_id, True)
    assert shop.url.partition("@")[2] not in str([event.body for event in issued])


async def test_a_running_server_takes_a_key_of_the_broker_that_was_changed(world: World, shop: Ground) -> None:
    _on_postgresql(world, shop)
    secret, after = world.folder / "secret", f"{shop.role}_2"
    secret.write_text(shop.url)
    world.configure(lambda value: value["targets"]["shop"].update(url=f"${{file:{secret}}}"))
    async with world.agent() as agent:
        assert "plan_id" in await agent.call("migration_plan", target="shop", to="p1")
        shop.ask(f"ALTER ROLE {shop.role} RENAME TO {after}")
        secret.write_text(shop.url.replace(shop.role, after))
        planned = await agent.call("migration_plan", target="shop", to="p2")
    shop.ask(f"ALTER ROLE {after} RENAME TO {shop.role}")
    assert "plan_id" in planned, planned


@pytest.mark.proves("step-credentials-expire")
async def test_a_server_killed_at_any_step_leaves_no_role_beyond_its_time(world: World, shop: Ground) -> None:
    _on_postgresql(world, shop, ttl="10m")
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="p1")
        assert "plan_id" in plan, plan
    assert shop.roles() == []
    left: set[str] = set()
    with applies(world.folder / "errors") as apply:
        for deadly in range(1, _MOST, 2):
            ended = apply(world.config, plan["plan_id"], deadly)
            left |= set(shop.roles())
            [(latest,)] = shop.ask("SELECT extract(epoch FROM max(rolvaliduntil))::int FROM pg_roles")
            assert latest is None or latest <= time.time() + 600 + 1
            if ended != -signal.SIGKILL:
                break
        else:
            pytest.fail("it never came to its end")
    assert len(left) > 1
    for role in left:  # as they are called when their time is over
        shop.ask(f"ALTER ROLE {role} RENAME TO mcp_migrate_step_1_{role[-8:]}")
    async with world.agent() as agent:
        status = await agent.call("migration_status", target="shop")
    assert (status["revision"], status["in_flight"]) == ("p1", []), status
    assert shop.roles() == []
    swept = {event.subject for event in world.events(Kind.CREDENTIAL_REVOKED) if "did not revoke" in event.body["why"]}
    assert swept == {f"mcp_migrate_step_1_{role[-8:]}" for role in left}


@pytest.mark.proves("design-7", "step-credentials-mysql", "step-credentials-recorded")
async def test_on_mariadb_a_step_has_an_account_that_the_server_ends_when_ours_was_killed(
    world: World, mariadb_server: str, mariadb_url: str
) -> None:
    secret = world.folder.parent / "url"
    with minted(mariadb_server, mariadb_url) as place:
        ask(place.admin, "DROP TABLE kept")
        ask(place.admin, f"ALTER EVENT {place.mint}.expire ON SCHEDULE EVERY 1 SECOND")
        secret.write_text(place.url)
        _in_production(world, f"${{file:{secret}}}", broker="mysql-user", mint=place.mint, ttl="5m")
        world.write_revision("p1", None, _UP, 'op.drop_table("items")')
        world.write_revision("p2", "p1", 'op.execute("CREATE SQL SECURITY INVOKER VIEW seen AS SELECT id FROM items")')
        async with world.agent() as agent:
            plan = await agent.call("migration_plan", target="shop", to="p1")
            assert "plan_id" in plan, plan
        assert place.accounts() == []
        with applies(world.folder / "errors") as apply:
            for deadly in range(12, _MOST):  # before that it only reads
                assert apply(world.config, plan["plan_id"], deadly) == -signal.SIGKILL
                if place.accounts():
                    break
        [left] = place.accounts()
        ask(place.admin, f"UPDATE {place.mint}.steps SET ends = 1")  # noqa: S608  as if that long had passed
        until(lambda: place.accounts() == [])
        async with world.agent() as agent:
            first = await agent.call("migration_apply", plan_id=plan["plan_id"])
            assert first.get("status") == "applied", first
            second = await agent.plan_and_apply("p2")
            assert second.get("status") == "applied", second
        [kept] = place.accounts()
        assert ask(place.admin, "SELECT * FROM seen") == []
        Wiring(load_settings(world.config), pinned_in=[world.pinned]).pipeline.sweep()  # as a server that starts
    ended = {event.subject: event.body for event in world.events(Kind.CREDENTIAL_REVOKED)}
    assert ended[kept]["kept"] == "it is locked and stays as the definer of view seen"
    assert left in ended


@pytest.mark.proves("design-7", "step-credentials-vault", "step-credentials-expire")
async def test_a_lease_of_openbao_changes_production_and_does_not_outlive_a_killed_server(
    world: World, shop: Ground
) -> None:
    shop.ask(f"GRANT pg_read_all_data TO {shop.reader}")
    with running() as bao:
        bao.serves(shop, lasting="5m")
        _in_production(world, without_user(shop.admin), ttl="10m", **bao.given())
        async with world.agent() as agent:
            plan = await agent.call("migration_plan", target="shop", to="p1")
            assert "plan_id" in plan, plan
        assert bao.users(shop) == []
        with applies(world.folder / "errors") as apply:
            for deadly in range(1, _MOST):
                assert apply(world.config, plan["plan_id"], deadly) == -signal.SIGKILL
                if left := bao.users(shop):
                    break
        bao.run("lease", "revoke", "-sync", "-prefix", "database/creds")  # as when their time is over
        assert bao.users(shop) == []
        async with world.agent() as agent:
            first = await agent.call("migration_apply", plan_id=plan["plan_id"])
            assert first.get("status") == "applied", first
            second = await agent.plan_and_apply("p2")
            assert second.get("status") == "applied", second
        assert bao.users(shop) == []
    assert shop.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE tablename = 'items'") == [(shop.owner,)]
    issued, revoked = world.events(Kind.CREDENTIAL_ISSUED), world.events(Kind.CREDENTIAL_REVOKED)
    assert {event.subject for event in issued} - {event.subject for event in revoked} == set(left)
    assert {event.body["broker"] for event in issued} == {"vault"}


def test_the_doctor_tries_the_credentials_and_says_what_the_broker_could_do_beyond(world: World, shop: Ground) -> None:
    _on_postgresql(world, shop)
    done = world.here("doctor")
    assert "target shop, its credentials: a credential was issued, opened the target, and is gone" in done.stdout, (
        done.stdout
    )
    world.configure(lambda value: value["targets"]["shop"].update(url=shop.admin))
    assert "the broker's role is a superuser" in world.here("doctor").stdout
    assert shop.roles() == []
