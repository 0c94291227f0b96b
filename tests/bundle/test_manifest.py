"""Does the manifest of the bundle say of the server what is so?"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mcp_migrate
from mcp_migrate.tools.registry import load

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "config" / "bundle"
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


def _needed(wanted: Requirement, seen: set[tuple[str, str]]) -> Iterator[Requirement]:
    """A requirement and all that comes with it here, each once for each of its extras."""
    yield wanted
    for extra in {"", *wanted.extras}:
        if (wanted.name, extra) not in seen:
            seen.add((wanted.name, extra))
            for each in map(Requirement, requires(wanted.name) or ()):
                if each.marker is None or each.marker.evaluate({"extra": extra}):
                    yield from _needed(each, seen)


def test_whatever_the_bundle_installs_is_pinned_to_a_version_that_the_server_takes() -> None:
    """After a change of a dependency: the command at the head of pins.txt."""
    [asked] = map(Requirement, tomllib.loads((BUNDLE / "pyproject.toml").read_text())["project"]["dependencies"])
    lines = [line for line in (BUNDLE / "pins.txt").read_text().splitlines() if not line.startswith("#")]
    pins = {canonicalize_name(each.name): each.specifier for each in map(Requirement, lines)}
    assert {next(iter(pin)).operator for pin in pins.values()} == {"=="}
    for needed in [*_needed(asked, set())][1:]:
        [pin] = pins[canonicalize_name(needed.name)]
        assert needed.specifier.contains(pin.version), needed
