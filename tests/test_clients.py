"""Are the ready files for clients what their page says, and would each of them start our server?"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.tools.registry import load

ROOT = Path(__file__).parents[1]
EXAMPLES, PAGE = ROOT / "config" / "examples", (ROOT / "docs" / "clients.md").read_text()
FILES = ["claude/mcp.json", "claude/settings.json", "cursor/mcp.json", "vscode/mcp.json", "codex/config.toml"]
FILES += ["gemini/settings.json"]


def told(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text()) if file.suffix == ".toml" else json.loads(file.read_text())


def servers() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in FILES:
        said = told(EXAMPLES / name)
        for key in ("mcpServers", "servers", "mcp_servers"):
            yield from ((name, server) for server in said.get(key, {}).values())


@pytest.mark.parametrize("name", FILES)
def test_each_file_stands_on_the_page_as_it_is(name: str) -> None:
    assert f"```{Path(name).suffix[1:]}\n{(EXAMPLES / name).read_text()}```" in PAGE


def test_no_file_for_a_client_is_forgotten() -> None:
    there = {path.relative_to(EXAMPLES).as_posix() for kind in ("json", "toml") for path in EXAMPLES.rglob(f"*.{kind}")}
    assert there == set(FILES)


def test_each_client_starts_the_server_under_a_name_of_its_own() -> None:
    started = [(name, server["command"], server["args"]) for name, server in servers()]
    assert len(started) == len(FILES) - 1  # all but the permissions
    principals = set()
    for name, command, (serve, config, path, as_, principal) in started:
        assert (command, serve, config, as_) == ("mcp-migrate", "serve", "--config", "--as"), name
        assert path.startswith(("/", "${workspaceFolder}/")), name
        principals.add(principal)
    assert len(principals) == len(started)


def test_what_needs_no_question_changes_nothing() -> None:
    prefix, allowed = "mcp__mcp-migrate__", told(EXAMPLES / "claude" / "settings.json")["permissions"]["allow"]
    tools = load({})
    assert all(tools[name.removeprefix(prefix)].spec.annotations.read_only for name in allowed)
