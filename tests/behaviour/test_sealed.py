"""Does a target of sealed plans run what people approved only once somebody has placed it there?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.wiring import Wiring
from tests.behaviour.test_credentials import _in_production
from tests.brokers.sealed_shop import SealedShop, sealed_shop
from tests.world import World, proved

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop(postgres_server: str) -> Iterator[SealedShop]:
    with sealed_shop(postgres_server) as here:
        yield here


@pytest.fixture
def key(world: World, shop: SealedShop) -> Path:
    return _written(world.folder.parent / "sealer_url", shop.url("sealer"))


def _written(file: Path, url: str, *, mode: int = 0o600) -> Path:
    file.touch(mode=mode)
    file.write_text(url)
    return file


def _sealed(world: World, shop: SealedShop) -> None:
    _in_production(world, shop.url("runner"), **shop.credentials)
    world.configure(lambda value: value["targets"]["shop"].update(marker=True, unsafe_software_keys=True))
    world.vouch_for_production()


@pytest.mark.proves("sealed", "interface-not-sealed")
async def test_an_approved_plan_runs_once_somebody_has_sealed_it_and_so_does_its_way_back(
    world: World, shop: SealedShop, key: Path
) -> None:
    _sealed(world, shop)
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="p2")
        assert "plan_id" in plan, plan
        first = await agent.call("migration_apply", plan_id=plan["plan_id"])
        assert (first["code"], first["next"]["action"]) == ("not_sealed", "await_approval"), first
        words = (plan["plan_id"], "--url-file", str(key), "--yes")
        unasked = world.here("seal", *words)
        assert "Nobody was asked to approve" in unasked.stderr, unasked
        sealed = world.here("seal", *words, "--unapproved")
        assert sealed.returncode == 0, sealed.stderr
        assert "CREATE TABLE items" in sealed.stdout
        applied = await agent.call("migration_apply", plan_id=plan["plan_id"])
        assert applied.get("status") == "applied", applied
        valid = await agent.call("migration_validate", apply_id=applied["apply_id"])
        assert "code" not in valid, valid
        asked = await agent.call("migration_rollback", apply_id=applied["apply_id"])
        request = asked["request_id"]
        early = world.here("seal", request, "--url-file", str(key), "--yes")
        assert "is pending, not approved" in early.stderr, early
        world.sign(request)
        asked = await agent.call("migration_rollback", apply_id=applied["apply_id"])
        assert asked["code"] == "not_sealed", asked
        back = world.here("seal", asked["details"]["plan_id"], "--url-file", str(key), "--yes", "--json")
        assert back.returncode == 0, back.stderr
        assert json.loads(back.stdout)["target"] == "shop"
        gone = await agent.call("migration_rollback", apply_id=applied["apply_id"])
        assert gone.get("status") == "applied", gone
    assert shop.ask("SELECT to_regclass('items'), (SELECT count(*) FROM mcp_migrate.heads)") == [(None, 2)]
    assert [event.body["did"] for event in world.events(Kind.SEAL_PLACED)] == ["placed", "placed"]
    assert shop.ask("SELECT count(*) FROM mcp_migrate_sealed.steps") == [(0,)]
    ledger = Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db")
    told = proved(ledger, applied["apply_id"], world.folder)
    assert Kind.SEAL_PLACED in {event.kind for event in told.entries}
    ledger.close()


@pytest.mark.proves("sealed-plans", "interface-not-sealable")
async def test_what_no_transaction_takes_back_is_refused_when_it_is_planned(world: World, shop: SealedShop) -> None:
    _sealed(world, shop)
    world.write_revision(
        "p3",
        "p2",
        'with op.get_context().autocommit_block():\n        op.execute("CREATE INDEX CONCURRENTLY i ON items (id)")',
    )
    async with world.agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="p3")
    assert plan.get("code") == "not_sealable", plan


@pytest.mark.proves("sealed")
async def test_rows_that_a_sealed_plan_loses_are_kept_put_back_and_pruned_when_their_time_is_over(
    world: World, shop: SealedShop, key: Path
) -> None:
    _sealed(world, shop)
    shop.ask("INSERT INTO kept VALUES (1), (2)")
    world.write_revision("p3", "p2", 'op.execute("DELETE FROM kept WHERE id = 2")')
    world.write_revision("p4", "p3", 'op.execute("DELETE FROM kept WHERE id = 1")')
    async with world.agent() as agent:

        async def through(tool: str, **arguments: str) -> str:
            """Approved, sealed, done: its apply."""
            answer = await agent.call(tool, **arguments)
            if "request_id" in answer:
                world.sign(answer["request_id"])
                answer = await agent.call(tool, **arguments)
            assert answer.get("code") == "not_sealed", answer
            sealed = world.here("seal", answer["details"]["plan_id"], "--url-file", str(key), "--yes", "--unapproved")
            assert sealed.returncode == 0, sealed.stderr
            answer = await agent.call(tool, **arguments)
            assert answer.get("status") == "applied", answer
            return str(answer["apply_id"])

        applies = {}
        for to in ("p3", "p4"):
            plan = await agent.call("migration_plan", target="shop", to=to)
            applies[to] = await through("migration_apply", plan_id=plan["plan_id"])
        assert shop.ask("SELECT id FROM kept") == []
        await through("migration_rollback", apply_id=applies["p4"])
        assert shop.ask("SELECT id FROM kept") == [(1,)]
    kept = "SELECT count(*) FROM mcp_migrate_undo.manifest"
    [(before,)] = shop.ask(kept)
    pipeline = Wiring(load_settings(world.config), pinned_in=[world.pinned]).pipeline
    assert (pipeline.prune("shop"), before > 0) == ((), True)
    shop.ask("UPDATE mcp_migrate_undo.manifest SET until = now()")
    assert len(pipeline.prune("shop")) == before
    assert shop.ask(kept) == [(0,)]
    assert shop.ask("SELECT relname FROM pg_class WHERE relname LIKE 'u\\_%' AND relkind = 'r'") == []


async def test_nobody_is_shown_the_store_as_a_part_of_the_schema(world: World, shop: SealedShop) -> None:
    _sealed(world, shop)
    async with world.agent() as agent:
        read = await agent.call("schema_read", target="shop")
    assert "code" not in read, read
    assert ("kept" in str(read), "mcp_migrate_sealed" in str(read)) == (True, False), read


@pytest.mark.proves("sealed-doctor")
def test_the_doctor_finds_a_store_that_was_altered(world: World, shop: SealedShop) -> None:
    _sealed(world, shop)
    done = world.here("doctor")
    assert "its store: its functions are those of this version" in done.stdout, done.stdout
    assert "target shop, reading" not in done.stdout, done.stdout
    assert "credentials, applying" not in done.stdout, done.stdout
    shop.ask("GRANT EXECUTE ON FUNCTION mcp_migrate_sealed.as_owner TO PUBLIC")
    assert "as_owner may be called by" in world.here("doctor").stdout


def test_what_an_admin_runs_once_is_printed(world: World, shop: SealedShop) -> None:
    _sealed(world, shop)
    printed = world.here("credentials", "sql", "shop").stdout
    assert f"CREATE ROLE {shop.stem}_sealer LOGIN" in printed
    assert "{" not in printed.replace("'{", "")


@pytest.mark.proves("sealed")
async def test_what_only_looks_approved_is_not_sealed(world: World, shop: SealedShop, key: Path) -> None:
    _sealed(world, shop)
    shop.ask("INSERT INTO kept VALUES (1)")
    world.write_revision("p3", "p2", 'op.execute("DELETE FROM kept")')
    async with world.stdio_agent() as agent:
        plan = await agent.call("migration_plan", target="shop", to="p3")
        assert "plan_id" in plan, plan
    async with world.agent() as agent:
        asked = await agent.call("migration_apply", plan_id=plan["plan_id"])
    request = str(asked["request_id"])
    ledger = Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db")
    forged = {"statement": {"decision": "approve", "reviewer": "grace", "request_id": request}, "signature": "x"}
    ledger.append(Draft(Kind.APPROVAL_DECIDED, forged, subject=request), at=datetime.now(UTC))
    ledger.close()
    for name in (request, str(plan["plan_id"])):
        refused = world.here("seal", name, "--url-file", str(key), "--yes", "--unapproved")
        assert (refused.returncode, "approval_invalid" in refused.stderr) == (1, True), refused
    world.sign(request)
    mine = _written(world.folder.parent / "runner_url", shop.url("runner"))
    shown = _written(world.folder.parent / "shown_url", shop.url("sealer"), mode=0o644)
    servers = world.here("seal", request, "--url-file", str(mine), "--yes")
    assert "That is the server's own url" in servers.stderr, servers
    assert "is open to others" in world.here("seal", request, "--url-file", str(shown), "--yes").stderr
    assert shop.ask("SELECT count(*) FROM mcp_migrate_sealed.seals") == [(0,)]
    assert world.here("seal", request, "--url-file", str(key), "--yes", "--for", "1h").returncode == 0
    again = world.here("seal", request, "--url-file", str(key), "--yes")
    assert "was sealed before" in again.stderr, again
    assert world.here("seal", request, "--url-file", str(key), "--yes", "--withdraw").returncode == 0
    assert world.here("seal", request, "--url-file", str(key), "--yes", "--again").returncode == 0
    assert [event.body["did"] for event in world.events(Kind.SEAL_PLACED)] == ["placed", "withdrawn", "placed"]
