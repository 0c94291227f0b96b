"""Does the doctor find what does not keep a promise, and say what to do about it?"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcp_migrate.cli.doctor.people import within_reach
from mcp_migrate.cli.doctor.targets import _clock, _excess
from mcp_migrate.dialects.powers import Powers
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.settings import Settings
from mcp_migrate.signers.roster import configured
from mcp_migrate.signers.sign import generate_key
from tests.server.issuer import issuing
from tests.team import for_a_team
from tests.world import World


def found(world: World, *words: str) -> Mapping[str, Mapping[str, str]]:
    return {each["about"]: each for each in json.loads(world.here("doctor", "--json", *words).stdout)}


def troubled(config: dict[str, Any]) -> None:
    config["approvals"].append(
        {"when": {"effects": ["data"]}, "require": {"from": "dba", "count": 1, "assurance": "verified"}}
    )
    config["notify"] = [
        {"kind": "command", "name": "hears", "run": ["/bin/true"]},
        {"kind": "command", "name": "deaf", "run": ["/bin/false"]},
    ]
    config["checkpoints"] = {
        "origin": "shop.example/ledger",
        "key": {"file": "log_key"},
        "witnesses": [{"kind": "file", "name": "mount", "path": "elsewhere.txt"}],
    }


@pytest.mark.proves("doctor-fixes")
def test_what_keeps_no_promise_is_found_and_has_a_fix(world: World) -> None:
    world.configure(troubled)
    generate_key(world.folder / "log_key")
    seen = found(world)
    assert {
        about: each["state"] for about, each in seen.items() if about.startswith(("approvals", "channel", "ledger,"))
    } == {
        "approvals[1]": "fails",
        "channel hears": "note",
        "channel deaf": "note",
        "ledger, known outside by mount": "fails",
        "ledger, its place": "note",
    }
    assert [about for about, each in seen.items() if each["state"] != "ok" and not each["fix"]] == []


def test_what_was_mended_is_well(world: World) -> None:
    world.configure(troubled)
    generate_key(world.folder / "log_key")
    assert world.here("ledger", "checkpoint").returncode == 0
    seen = found(world, "--notify")
    assert {about: seen[about]["state"] for about in ("ledger, known outside by mount", "channel hears")} == {
        "ledger, known outside by mount": "ok",
        "channel hears": "ok",
    }
    assert seen["channel deaf"]["state"] == "fails"


def test_a_clock_that_was_set_back_is_found_by_the_ledger(world: World) -> None:
    found(world)
    with Ledger.open(f"sqlite:///{world.folder}/.mcp-migrate/ledger.db") as ledger:
        ledger.append(Draft(Kind.TARGET_THAWED, {}, subject="shop"), at=datetime.now(UTC) + timedelta(hours=1))
    assert found(world)["clock"]["state"] == "fails"


def test_a_reviewers_key_in_the_agents_home_is_found_and_a_security_key_is_not(world: World) -> None:
    roster = configured(Settings.model_validate(json.loads(json.dumps(_settings(world)))))
    mine = world.keys["grace"].with_suffix(".pub")
    line = mine.read_text() if mine.exists() else _settings(world)["reviewers"]["grace"]["ssh_keys"][0]
    [said] = within_reach(roster, [line])
    assert "reviewer grace" in said.said
    assert list(within_reach(roster, ["no key at all"])) == []


def _settings(world: World) -> dict[str, Any]:
    import yaml

    value: dict[str, Any] = yaml.safe_load(world.config.read_text())
    return value


@pytest.mark.parametrize(
    ("powers", "reads", "state"),
    [
        (Powers("shop_reader"), True, "ok"),
        (Powers("shop_reader", changes=("rows of public.t",)), True, "fails"),
        (Powers("postgres", rules=True), True, "fails"),
        (Powers("postgres", rules=True, changes=("rows of public.t",)), False, "note"),
        (Powers("shop", changes=("rows of public.t",)), False, "ok"),
    ],
)
def test_a_step_that_only_reads_is_a_role_that_can_do_no_more(powers: Powers, reads: bool, state: str) -> None:  # noqa: FBT001  a column of the table
    [finding] = _excess("role", powers, reads=reads)
    assert (finding.state, bool(finding.fix)) == (state, state != "ok")


@pytest.mark.parametrize(("ahead", "state"), [(0.4, "ok"), (-20.0, "note"), (3_600.0, "fails")])
def test_clocks_that_differ_are_told_as_far_as_it_matters(ahead: float, state: str) -> None:
    assert _clock("clock", ahead).state == state


@pytest.mark.skipif(os.name != "posix", reason="modes are told otherwise there")
def test_a_secret_that_everybody_of_the_machine_can_read_is_found(world: World) -> None:
    (world.folder / "key").write_text("k" * 40)
    world.configure(lambda config: config.update(redaction_key=f"${{file:{world.folder / 'key'}}}"))
    (world.folder / "key").chmod(0o640)
    assert "secret in a file" not in found(world)
    (world.folder / "key").chmod(0o644)
    assert found(world)["secret in a file"]["state"] == "fails"


def test_an_issuer_that_does_not_answer_is_found(world: World) -> None:
    with issuing() as issuer:
        for_a_team(world, issuer, "http://localhost:8050")
        assert found(world)["issuer of tokens"]["state"] == "ok"
    assert found(world)["issuer of tokens"]["state"] == "fails"
