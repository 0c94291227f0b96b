"""Do the examples in the documentation of a rule show what they say?"""

from __future__ import annotations

from typing import Literal

import pytest

from mcp_migrate.model import Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.catalogue import rules_of
from mcp_migrate.rules.interface import Rule
from tests.rules.labelled import SCHEMAS

WITHOUT = {
    "mysql alembic-version",
}
"""Rules that are not documented yet, by database. The list only gets shorter."""

Kind = Literal["change", "version", "preserve", "restore"]
KINDS: dict[str, Kind] = {
    "alembic-version": "version",
    "keep-undo-data": "preserve",
    "put-back-undo-data": "restore",
    "note-undo-data": "restore",
    "park-dropped": "preserve",
    "bring-back-parked": "restore",
    "silence-triggers": "restore",
}
"""What a statement has to be for the rules on what the planner itself puts into plans."""

RULES = [(dialect, rule) for dialect in SCHEMAS for rule in rules_of(dialect)]


def _names(value: object) -> str:
    return value.id if isinstance(value, Rule) else str(value)


def _judged(example: str, dialect: str, rule: Rule) -> tuple[Judgement, ...]:
    """The statements that are meant: all of them where SQLite tells a table made again at the first one."""
    kind = KINDS.get(rule.id, "change")
    statements = [
        Statement(n, "r", sql, transactional=rule.transactional, kind=kind)
        for n, sql in enumerate(example.split(";\n"), 1)
    ]
    judged = judge(statements, dialect=dialect, schema=SCHEMAS[dialect])
    return judged if "RENAME TO" in example and dialect == "sqlite" else judged[-1:]


@pytest.mark.parametrize(("dialect", "rule"), RULES, ids=_names)
def test_each_example_meets_the_rule_it_belongs_to(dialect: str, rule: Rule) -> None:
    for example in rule.flags:
        judged = _judged(example, dialect, rule)
        assert any(rule.id in j.rules for j in judged), (example, [(j.rules, j.why) for j in judged])


@pytest.mark.parametrize(("dialect", "rule"), RULES, ids=_names)
def test_no_near_miss_meets_the_rule_it_belongs_to(dialect: str, rule: Rule) -> None:
    for example in rule.passes:
        judged = _judged(example, dialect, rule)
        assert all(rule.id not in j.rules for j in judged), (example, [(j.rules, j.why) for j in judged])


def test_only_the_rules_on_the_list_lack_documentation() -> None:
    lacking = {f"{dialect} {rule.id}" for dialect, rule in RULES if not _documented(rule)}
    assert lacking == WITHOUT


def _documented(rule: Rule) -> bool:
    return bool(rule.rationale and rule.source.startswith("https://") and rule.flags and rule.passes)
