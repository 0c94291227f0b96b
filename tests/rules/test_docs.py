"""Does docs/rules.md say what the rules say? ``UPDATE_DOCS=1`` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_migrate.model import Effect
from mcp_migrate.rules.catalogue import catalogue
from mcp_migrate.rules.coverage import LEFT, SOURCES, Row, rows
from mcp_migrate.rules.docs import entry, page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_rules_is_what_the_rules_say() -> None:
    if os.environ.get("UPDATE_DOCS"):
        (DOCS / "rules.md").write_text(page(), encoding="utf-8")
    assert (DOCS / "rules.md").read_text(encoding="utf-8") == page(), "run the tests once with UPDATE_DOCS=1"


def test_no_gap_of_a_template_is_shown_to_readers() -> None:
    assert not [
        line for name in catalogue() for line in entry(name).splitlines() if line.startswith("-") and "{" in line
    ]


def test_every_effect_is_told() -> None:
    told = (DOCS / "effects.md").read_text(encoding="utf-8")
    assert [effect for effect in Effect if f"## {effect}" not in told] == []


@pytest.mark.parametrize("row", tuple(rows()), ids=lambda row: f"{row.tool}: {row.check}")
def test_each_check_of_others_is_answered_by_a_rule_or_left_with_a_reason(row: Row) -> None:
    assert set(row.rules) <= set(catalogue())
    assert bool(row.rules) != (row.left in LEFT.values())


def test_each_tool_is_named_with_its_source() -> None:
    assert {row.tool for row in rows()} == set(SOURCES)
