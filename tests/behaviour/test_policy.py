"""Is a configuration that nobody vouches for, or that changed, one by which nothing changes?"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.leave.policy import Policy
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import Tier, canonical
from mcp_migrate.settings import Settings, load
from mcp_migrate.settings.manifest import manifest
from mcp_migrate.settings.pinned import pinned
from mcp_migrate.signers.sign import public_key_of, sign
from mcp_migrate.signers.vouching import NAMESPACE, signature_file, statement
from mcp_migrate.tools.registry import load as tools
from tests.behaviour.test_own_tools import FORGET, with_tools
from tests.behaviour.test_python_tools import with_tool
from tests.settings.test_loading import TOOLS
from tests.world import World

pytestmark = pytest.mark.anyio


@pytest.mark.proves("policy-vouched-for")
async def test_a_configuration_that_changes_while_the_server_runs_freezes_what_it_governs(at_a1: World) -> None:
    at_a1.vouch()
    before = at_a1.config.read_text()
    async with at_a1.agent(knowing=True) as agent:
        assert "plan_id" in await agent.call("migration_plan", target="shop", to="b2")
        at_a1.configure(lambda c: c["workflows"]["shop-agent"]["principals"].append("agent:mallory"))
        refused = await agent.call("migration_apply", plan_id=at_a1.planned)
        again = await agent.call("migration_apply", plan_id=at_a1.planned)
        assert (refused["code"], again["code"]) == ("frozen", "frozen")
        assert "changed since this server began" in refused["message"]
        assert "config sign" in refused["next"]["hint"]
        assert (await agent.call("schema_read", target="shop"))["revision"] == "a1"
        [told] = at_a1.events(Kind.CONFIG_CHANGED)
        assert "agent:mallory acts for workflow shop-agent" in told.body["gained"]
        at_a1.config.write_text(before)
        assert (await agent.call("migration_apply", plan_id=at_a1.planned))["status"] == "applied"


@pytest.mark.proves("policy-vouched-for")
async def test_a_server_that_begins_with_an_unsigned_change_reads_until_it_is_signed(at_a1: World) -> None:
    at_a1.vouch()
    at_a1.configure(lambda c: c["workflows"]["shop-agent"]["principals"].append("agent:mallory"))
    async with at_a1.agent("agent:mallory", knowing=True) as agent:
        refused = await agent.call("migration_apply", plan_id=at_a1.planned)
        assert (await agent.call("schema_read", target="shop"))["revision"] == "a1"
    assert "it is not what was signed: mcp-migrate.yaml" in refused["message"]
    at_a1.vouch()
    async with at_a1.agent(knowing=True) as agent:
        assert (await agent.call("migration_apply", plan_id=at_a1.planned))["status"] == "applied"
    assert [event.body["signed"] is None for event in at_a1.events(Kind.CONFIG_LOADED)] == [True, True, False]


def read(world: World) -> Settings:
    return load(world.config, known_tools=lambda _folders: TOOLS)


def policy(world: World) -> Policy:
    return Policy.now(read(world), lambda: pinned([world.pinned]))


def broken(world: World, change: Callable[[dict[str, Any]], Any]) -> None:
    path = world.config.with_name("mcp-migrate.yaml.sig")
    entry = json.loads(path.read_text())
    change(entry)
    path.write_text(json.dumps(entry))


BAD: dict[str, tuple[Callable[[World], Any], str]] = {
    "another key": (
        lambda w: w.pinned.write_text(w.keys["agent"].with_suffix(".pub").read_text()),
        "no key that is pinned",
    ),
    "no signature": (lambda w: w.config.with_name("mcp-migrate.yaml.sig").unlink(), "nobody signed it"),
    "no JSON": (lambda w: w.config.with_name("mcp-migrate.yaml.sig").write_text("{"), "cannot be read"),
    "another time": (lambda w: broken(w, lambda e: e["statement"].update(signed_at="2036-01-01")), "refused"),
    "another format": (lambda w: broken(w, lambda e: e["statement"].update(format="x")), "none of this version"),
    "a spec edited": (lambda w: (w.folder / "tools" / "a.yaml").write_text("b"), "tools/a.yaml"),
    "a spec added": (lambda w: (w.folder / "tools" / "b.yaml").write_text("b"), "tools/b.yaml"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.proves("policy-vouched-for")
async def test_only_a_pinned_key_over_exactly_these_files_vouches(world: World, bad: str) -> None:
    (world.folder / "tools").mkdir()
    world.vouch()
    (world.folder / "tools" / "a.yaml").write_text("a")
    settings = read(world).model_copy(update={"tool_specs": (world.folder / "tools",)})
    change, why = BAD[bad]
    sign_again(world, settings)
    assert Policy.now(settings, lambda: pinned([world.pinned])).vouched() is not None
    change(world)
    with pytest.raises(ApprovalInvalidError, match=why):
        Policy.now(settings, lambda: pinned([world.pinned])).vouched()


def sign_again(world: World, settings: Settings) -> None:
    """With tool specs that are none, which the command would refuse."""
    key = world.keys["vouching"]
    said = statement(manifest(settings, world.config), key=public_key_of(key, passphrase=str), at=datetime.now(UTC))
    entry = {"statement": said, "signature": sign(canonical(said), key, passphrase=str, namespace=NAMESPACE)}
    signature_file(world.config).write_text(json.dumps(entry))


@pytest.mark.proves("policy-vouched-for")
async def test_production_needs_a_pinned_key_and_other_targets_only_where_keys_are_pinned(world: World) -> None:
    assert policy(world).vouched() is None
    settings = read(world)
    target = settings.targets["shop"].model_copy(update={"tier": Tier.PRODUCTION})
    held = Policy.now(settings.model_copy(update={"targets": {"shop": target}}), lambda: pinned([world.pinned]))
    with pytest.raises(ApprovalInvalidError, match="no key is pinned"):
        held.vouched()
    world.pinned.write_text("# nobody yet\n")
    with pytest.raises(ApprovalInvalidError, match="no key is pinned"):
        held.vouched()
    world.vouch()
    assert policy(world).vouched() is not None


@pytest.mark.proves("policy-vouched-for")
async def test_an_older_configuration_does_not_come_back_with_its_old_signature(at_a1: World, tmp_path: Path) -> None:
    at_a1.vouch()
    now = policy(at_a1)
    with Ledger.open(f"sqlite:///{tmp_path}/ledger-of-ours.db") as ledger:
        assert now.objection(ledger) is None
        later = {"digest": "sha256:newer", "signed": {"key": "k", "at": "2999-01-01T00:00:00+00:00"}}
        ledger.append(Draft(Kind.CONFIG_LOADED, later), at=now.vouched().at)  # type: ignore[union-attr]
        found = now.objection(ledger)
        assert found is not None
        assert "older" in found.reason


@pytest.mark.proves("policy-vouched-for")
async def test_an_older_one_does_not_come_back_however_often_servers_were_started_since(at_a1: World) -> None:
    at_a1.vouch()
    now = policy(at_a1)
    with Ledger.open(f"sqlite:///{at_a1.folder}/ledger-of-ours.db") as ledger:
        newer = Draft(Kind.CONFIG_LOADED, {"signed": {"key": "k", "at": "2999-01-01T00:00:00+00:00"}})
        started = (Draft(Kind.CONFIG_LOADED, {"signed": None}) for _ in range(250))
        ledger.append(newer, *started, at=datetime.now(UTC))
        assert now.objection(ledger) is not None


@pytest.mark.proves("policy-vouched-for")
async def test_a_spec_that_was_another_when_it_was_read_does_not_count_once_it_is_put_back(world: World) -> None:
    folder, settings = with_a_spec(world)
    signed = (folder / "forget_fax.yaml").read_text()
    (folder / "forget_fax.yaml").write_text(signed.replace("WHERE email = {email}", "WHERE email <> {email}"))
    registry = tools({folder: None})
    (folder / "forget_fax.yaml").write_text(signed)
    held = Policy.now(settings, lambda: pinned([world.pinned]), registry.read)
    with Ledger.open(f"sqlite:///{world.folder}/ledger-of-ours.db") as ledger:
        found = held.objection(ledger)
    assert found is not None
    assert "changed since this server began" in found.reason


@pytest.mark.proves("policy-vouched-for", "python-tools-source")
async def test_the_python_of_a_tool_that_was_another_when_it_was_read_does_not_count_once_it_is_put_back(
    world: World,
) -> None:
    with_tool(world)
    folder = world.folder / "team_tools"
    (folder / "inner").mkdir()
    helper = folder / "inner" / "helper.py"
    helper.write_text("MOST = 1\n")
    world.vouch()
    settings = load(world.config, known_tools=lambda folders: [tool.scope for tool in tools(folders)])
    helper.write_text("MOST = 1_000\n")
    registry = tools({folder: None})
    helper.write_text("MOST = 1\n")
    source = registry["forget_faxes"].found.source
    assert source is not None
    assert source.files["inner/helper.py"] == b"MOST = 1_000\n", "what was read is what would run"
    with Ledger.open(f"sqlite:///{world.folder}/ledger-of-ours.db") as ledger:
        found = Policy.now(settings, lambda: pinned([world.pinned]), registry.read).objection(ledger)
        assert found is not None
        assert "changed since this server began" in found.reason
        again = Policy.now(settings, lambda: pinned([world.pinned]), tools({folder: None}).read)
        assert again.objection(ledger) is None


@pytest.mark.proves("policy-vouched-for")
async def test_specs_that_the_server_could_write_are_vouched_for_where_the_configuration_is_out_of_its_reach(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, settings = with_a_spec(world)
    signature_file(world.config).unlink()
    monkeypatch.setattr("os.geteuid", lambda: world.config.stat().st_uid + 1)
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) == folder)
    with pytest.raises(ApprovalInvalidError, match="nobody signed it"):
        Policy.now(settings, lambda: pinned([world.pinned])).vouched()
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert Policy.now(settings, lambda: pinned([world.pinned])).vouched() is None


def with_a_spec(world: World) -> tuple[Path, Settings]:
    with_tools(world, FORGET).vouch()
    settings = load(world.config, known_tools=lambda folders: [tool.scope for tool in tools(folders)])
    return settings.tool_specs[0], settings


async def test_keys_that_cannot_be_read_are_told(world: World) -> None:
    world.pinned.mkdir()
    with pytest.raises(ConfigInvalidError, match="cannot be read"):
        policy(world).vouched()
