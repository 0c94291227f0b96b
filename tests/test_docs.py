"""Do the pages say all that can be met, and lead where they say?"""

from __future__ import annotations

import inspect
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate import errors
from mcp_migrate.__main__ import load_settings
from mcp_migrate.leave.alone import alone
from mcp_migrate.settings import json_schema
from mcp_migrate.signers.sign import generate_key
from mcp_migrate.tools.registry import load

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = [line.lstrip("#").strip() for line in page.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads} | set(
        re.findall(r'<a (?:id|name)="([^"]+)"', page.read_text())
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_to_something(page: Path) -> None:
    broken = []
    for link in _LINK.findall(page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        there = (page.parent / name) if name else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(link)
    assert not broken


@pytest.mark.proves("pages-complete")
def test_each_page_is_in_the_navigation_of_the_site_once() -> None:
    docs = ROOT / "docs"
    navigation = runpy.run_path(str(docs / "conf.py"))["navigation"]
    lists = [docs / "index.md", docs / "adr" / "README.md"]
    led_to = [
        (page.parent / name).with_suffix(".md")
        for page in lists
        for _heading, names in navigation(page.read_text())
        for name in names
    ]
    assert sorted(led_to) == sorted({*docs.rglob("*.md")} - {docs / "index.md"})


@pytest.mark.proves("pages-complete")
def test_each_error_code_has_its_section_and_each_section_its_code() -> None:
    codes = {
        kind.code
        for _name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.MigrateError) and kind is not errors.MigrateError
    }
    told = set(re.findall(r"^### (\w+)$", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE))
    assert told == codes | {"approval_required"}  # which is a status


def options(schema: dict[str, Any], part: dict[str, Any]) -> Iterator[str]:
    yield from part.get("properties", {})
    for said in part.get("$defs", {}).values():
        yield from options(schema, said)


def test_each_option_of_the_configuration_is_explained_on_a_page_or_in_the_commented_file() -> None:
    pages = [page for page in PAGES if page.parent.name != "reference"]  # which lists them all by itself
    written = "\n".join(page.read_text() for page in pages) + (ROOT / "config" / "mcp-migrate.yaml").read_text()
    schema = json_schema()
    words = set(re.findall(r"\w+", written))
    assert set(options(schema, schema)) - words == set()


def test_each_option_that_a_page_explains_exists() -> None:
    schema = json_schema()
    known = {*options(schema, schema)}
    table = re.compile(r"^\| key \| meaning \| default \|\n(?:\|.*\n)+", re.MULTILINE)
    told = {
        word
        for page in PAGES
        for rows in table.findall(page.read_text())
        for row in rows.splitlines()[2:]
        for path in re.findall(r"`([\w.]+)`", row.split("|")[1])
        for word in path.split(".")
    }
    assert told
    assert told - known == set()


@pytest.mark.parametrize("page", [page for page in PAGES if "```json" in page.read_text()], ids=lambda page: page.name)
def test_what_is_to_be_copied_as_json_is_json(page: Path) -> None:
    for block in re.findall(r"^```json\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        assert json.loads(block)


def test_the_subagent_may_use_each_tool_and_nothing_that_runs_commands() -> None:
    text = (ROOT / "config" / "examples" / "claude" / "agents" / "schema-migrator.md").read_text()
    [line] = re.findall(r"^tools: (.*)$", text, re.MULTILINE)
    given = set(line.split(", "))
    assert given - {"Read", "Grep", "Glob", "Edit"} == {f"mcp__mcp-migrate__{tool.spec.name}" for tool in load({})}


def test_the_configuration_of_a_team_in_production_holds_and_lets_nobody_act_alone(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    [said] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for name in ("root", "grace"):
        generate_key(tmp_path / name)
        said = said.replace(f"ssh-ed25519 AAAA… {name}", (tmp_path / f"{name}.pub").read_text().strip())
    (tmp_path / "mcp-migrate.yaml").write_text(said)
    settings = load_settings(tmp_path / "mcp-migrate.yaml")
    assert alone(settings, "shop") == ()
    [unit] = re.findall(r"^```ini\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    remembers = settings.ledger_head.parent.name
    assert f"ReadWritePaths=/etc/mcp-migrate/{remembers} " in unit  # which the rest of its folder is not
