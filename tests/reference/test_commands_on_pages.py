"""Does each command that a page shows exist, with the options that it shows?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mcp_migrate.__main__ import serve_parser
from mcp_migrate.cli.app import app
from tests.reference.commands import every

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(path for path in (ROOT / "config").rglob("*") if path.suffix in {".md", ".yaml", ".yml"}),
]
COMMANDS = {name.strip(): command for name, command in every(typer.main.get_command(app), "")}
_SHOWN = re.compile(r"(?<![\w/.-])mcp-migrate ([a-z][^`\n]*)")


def _options(name: str) -> set[str]:
    if name == "serve":
        return set(serve_parser()._option_string_actions)
    found: Any = COMMANDS[name]
    return {option for parameter in found.params for option in parameter.opts} | {"--help"}


def wrong(shown: str) -> Iterator[str]:
    """What of one line does not exist. Where bars stand for several commands their options are taken together."""
    words = re.split(r"\s{2,}| && | # ", shown)[0].split()
    near = [name for name in COMMANDS if name.split()[0] in (words if "|" in words else words[:1])]
    exact = [name for name in near if words[: len(name.split())] == name.split()]
    if near and not exact and len(words) > 1:
        yield f"{' '.join(words[:2])} is no command"
    known = {option for name in (near if "|" in words else exact) for option in _options(name)}
    asked = re.findall(r"(?<!\S)\[?(--[a-z][a-z-]*)", " ".join(words)) if near else []
    yield from (f"{word} in {shown}" for word in asked if word not in known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_on_a_page_exists_with_its_options(page: Path) -> None:
    assert [said for shown in _SHOWN.findall(page.read_text()) for said in wrong(shown)] == []
