"""Is every statement of the labelled corpus judged exactly?"""

from __future__ import annotations

from typing import Any

import pytest

from mcp_migrate.model import ALWAYS_APPROVED, Effect, Statement
from mcp_migrate.rules import judge
from tests.rules.labelled import ALL, PLANS, SCHEMAS, corpus, effects, judged

_HARMFUL = frozenset({Effect.DESTRUCTIVE, Effect.PRIVILEGE})


@pytest.mark.parametrize(("dialect", "sql", "words"), ALL)
def test_a_statement_has_exactly_these_effects(dialect: str, sql: str, words: str) -> None:
    found = judged(sql, dialect)
    assert found.effects == effects(words), found.why


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan["name"])
def test_a_plan_is_judged_knowing_what_it_made(plan: dict[str, Any]) -> None:
    statements = [Statement(n, "r", sql) for n, (_, sql) in enumerate(plan["steps"])]
    found = judge(statements, dialect=plan["dialect"], schema=SCHEMAS[plan["dialect"]])
    assert [j.effects for j in found] == [effects(words) for words, _ in plan["steps"]]


@pytest.mark.parametrize(("dialect", "sql", "words"), ALL)
def test_a_judgement_is_complete(dialect: str, sql: str, words: str) -> None:
    found = judged(sql, dialect)
    assert found.rule
    assert found.why.endswith(".")
    assert "{" not in found.why or "{" in sql
    if effects(words) & _HARMFUL:
        assert found.effects & ALWAYS_APPROVED


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus("postgresql")) >= 120
    assert len(corpus("sqlite")) >= 60


@pytest.mark.parametrize(("dialect", "sql", "words"), [case for case in ALL if case[0] == "postgresql"])
def test_without_a_schema_nothing_harmful_is_missed(dialect: str, sql: str, words: str) -> None:
    [found] = judge([Statement(1, "r", sql)], dialect=dialect, schema=None)
    wanted = effects(words) & _HARMFUL
    assert found.effects >= wanted


_ON_A_SCHEMA = {"CREATE TABLE users (id INTEGER)"}
"""Refused because the table is there: alone it is harmless."""


@pytest.mark.parametrize(("dialect", "sql", "words"), [case for case in ALL if case[0] == "sqlite"])
def test_without_a_schema_sqlite_waits_for_a_person_at_least_as_often(dialect: str, sql: str, words: str) -> None:
    [found] = judge([Statement(1, "r", sql)], dialect=dialect, schema=None)
    assert found.effects & ALWAYS_APPROVED or not effects(words) & ALWAYS_APPROVED or sql in _ON_A_SCHEMA
