"""Does whoever reviews a change of the configuration see in words whom it gives or takes what?"""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from mcp_migrate.__main__ import main
from tests.world import World


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["config", "diff", *words])
    assert not ended.value.code
    return capsys.readouterr().out


@pytest.mark.proves("config-diff")
def test_who_gains_and_who_loses_is_said_in_words_and_for_machines(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    old = world.folder / "old.yaml"
    shutil.copy(world.config, old)
    new = str(world.config)
    assert said(capsys, str(old), new) == "Nobody gains or loses anything.\n"
    world.configure(lambda value: value.update(pausing={"hold": "1s"}))
    assert said(capsys, str(old), new) == "Nobody gains or loses anything. Something else differs.\n"

    def change(value: dict[str, Any]) -> None:
        value["workflows"]["shop-agent"]["principals"].append("agent:new")
        value["reviewers"]["grace"]["ssh_keys"] = [world.keys["agent"].with_suffix(".pub").read_text().strip()]

    world.configure(change)
    lines = said(capsys, str(old), new).splitlines()
    assert "+ agent:new acts for workflow shop-agent" in lines
    signs = [line for line in lines if "grace signs with SHA256:" in line]
    assert [line[0] for line in signs] == ["+", "-"]
    told = json.loads(said(capsys, str(old), new, "--json"))
    assert [f"+ {each}" for each in told["gained"]] + [f"- {each}" for each in told["lost"]] == lines
    assert not told["same"]
