"""Does the doctor say what would stop a configuration from working?"""

from __future__ import annotations

import json
from typing import Any

from tests.world import World


def _findings(world: World) -> dict[str, Any]:
    return {finding["about"]: finding for finding in json.loads(world.command("doctor", "--json").stdout)}


def test_a_configuration_that_works_has_no_failure(world: World) -> None:
    done = world.command("doctor")
    assert done.returncode == 0
    assert "target shop: sqlite, at a1" in done.stdout


def test_the_cage_is_named_with_what_it_leaves_open(world: World) -> None:
    found = _findings(world)
    cages = {about: finding["said"] for about, finding in found.items() if about.startswith("cage")}
    assert any(said.startswith("used;") for said in cages.values())
    assert all(said.startswith(("used;", "not here:")) for said in cages.values())


def test_a_target_that_cannot_be_used_says_why_and_fails(world: World) -> None:
    def elsewhere(config: dict[str, Any]) -> None:
        config["targets"]["shop"]["url"] = "sqlite:////nowhere/at/all/shop.db"

    world.configure(elsewhere)
    found = _findings(world)
    assert found["target shop"]["state"] == "fails"
    assert "target_unreachable" in found["target shop"]["said"]
    assert found["target shop, its project"]["state"] == "ok"
    assert world.command("doctor").returncode == 1
