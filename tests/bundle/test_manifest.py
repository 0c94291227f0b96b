"""Does the manifest of the bundle say of the server what is so?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import mcp_migrate
from mcp_migrate.tools.registry import load

BUNDLE = Path(__file__).parents[2] / "config" / "bundle"
MANIFEST = json.loads((BUNDLE / "manifest.json").read_text())


def test_version_and_tools_are_those_of_the_server() -> None:
    assert MANIFEST["version"] == mcp_migrate.__version__
    said = {tool["name"]: tool["description"] for tool in MANIFEST["tools"]}
    assert said == {tool.spec.name: tool.spec.title for tool in load({})}


def test_all_that_a_person_is_asked_for_is_used_and_there_is_nothing_else_to_fill_in() -> None:
    words = " ".join(MANIFEST["server"]["mcp_config"]["args"])
    assert set(re.findall(r"\$\{user_config\.(\w+)\}", words)) == set(MANIFEST["user_config"])
    assert (BUNDLE / MANIFEST["server"]["entry_point"]).is_file()
    for said in MANIFEST["user_config"].values():  # applications look for what is required in what was filled in alone
        assert said.get("required", False) is not ("default" in said)
