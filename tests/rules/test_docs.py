"""Does docs/rules.md say what the rules say? ``UPDATE_DOCS=1`` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_migrate.model import ALWAYS_APPROVED, Effect
from mcp_migrate.rules.catalogue import catalogue
from mcp_migrate.rules.coverage import LEFT, SOURCES, Row, rows
from mcp_migrate.rules.docs import entry, page
from mcp_migrate.rules.interface import DANGER
from mcp_migrate.rules.splitting import split
from tests.rules.labelled import judged

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


def _examples() -> list[tuple[Effect, str]]:
    """Each statement of the page on effects with the heading it stands under."""
    found: list[tuple[Effect, str]] = []
    for section in (DOCS / "effects.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        fenced = section.split("```sql\n")[1].split("```")[0]
        found += [(Effect(section.split()[0]), sql) for sql in split(fenced, "postgresql").statements]
    return found


@pytest.mark.parametrize(("effect", "sql"), _examples())
def test_the_examples_of_an_effect_have_it(effect: Effect, sql: str) -> None:
    assert effect in judged(sql, "postgresql").effects


def test_which_effects_always_wait_is_told_as_it_is() -> None:
    rows = [line for line in (DOCS / "effects.md").read_text(encoding="utf-8").splitlines() if line.startswith("| [")]
    waits = {line.split("`")[1] for line in rows if line.endswith("| yes |")}
    assert waits == ALWAYS_APPROVED
    assert [line.split("`")[1] for line in rows] == list(DANGER)


@pytest.mark.parametrize("row", tuple(rows()), ids=lambda row: f"{row.tool}: {row.check}")
def test_each_check_of_others_is_answered_by_a_rule_or_left_with_a_reason(row: Row) -> None:
    assert set(row.rules) <= set(catalogue())
    assert bool(row.rules) != (row.left in LEFT.values())


def test_each_tool_is_named_with_its_source() -> None:
    assert {row.tool for row in rows()} == set(SOURCES)
