"""Is every rule in the catalogue, without anyone listing it?"""

from __future__ import annotations

import pytest

from mcp_migrate.model import Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.catalogue import catalogue, effects, rules_of
from tests.rules.labelled import ALL, PLANS, SCHEMAS, judged


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_every_rule_that_a_labelled_statement_meets_is_in_the_catalogue(dialect: str) -> None:
    met = {name for where, sql, _ in ALL if where == dialect for name in judged(sql, dialect).rules}
    assert met <= {rule.id for rule in rules_of(dialect)}
    assert len(met) > 20


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan["name"])
def test_every_rule_that_a_labelled_plan_meets_is_in_the_catalogue(plan: dict[str, object]) -> None:
    dialect, steps = str(plan["dialect"]), plan["steps"]
    assert isinstance(steps, list)
    statements = [Statement(n, "r", sql) for n, (_, sql) in enumerate(steps)]
    met = {name for found in judge(statements, dialect=dialect, schema=SCHEMAS[dialect]) for name in found.rules}
    assert met <= {rule.id for rule in rules_of(dialect)}


def test_rules_made_by_a_helper_and_kept_in_a_table_are_found() -> None:
    assert {"drop-table", "drop-schema", "drop-domain", "not-understood"} <= set(catalogue())


_NAMED_OTHERWISE = {
    "drop-code",  # SQLite has triggers only
    "drop-database",
    "drop-index",  # MySQL names the table of an index
    "outside",
    "reindex",  # PostgreSQL can do a whole table
    "security-definer",
    "session-rights",
    "vacuum",  # SQLite does the whole file
}


def test_the_same_id_means_the_same_kind_of_thing_in_every_database() -> None:
    for name, by_dialect in catalogue().items():
        assert len({rule.of for rule in by_dialect.values()}) <= 1 or name in _NAMED_OTHERWISE, name


def test_the_effects_of_a_rule_are_those_of_every_database() -> None:
    known = effects()
    assert set(known) == set(catalogue())
    for dialect in SCHEMAS:
        for rule in rules_of(dialect):
            assert rule.effects <= known[rule.id]
