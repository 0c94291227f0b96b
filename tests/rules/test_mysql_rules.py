"""Does each rule of MySQL find its examples, and is what it offers instead really safer?"""

from __future__ import annotations

import pytest

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.interface import Rule
from mcp_migrate.rules.mysql import change_rules, column_rules, row_rules, table
from tests.rules.labelled import SCHEMAS, judged

_RULES = [r for m in (table, column_rules, row_rules, change_rules) for r in vars(m).values() if isinstance(r, Rule)]


def _last(example: str) -> Judgement:
    statements = [Statement(n, "r", sql) for n, sql in enumerate(example.split(";\n"))]
    return judge(statements, dialect="mysql", schema=SCHEMAS["mysql"])[-1]


@pytest.mark.parametrize(("rule", "example"), [(r, e) for r in _RULES for e in r.flags])
def test_a_rule_finds_its_examples(rule: Rule, example: str) -> None:
    assert rule.id in _last(example).rules


@pytest.mark.parametrize(("rule", "example"), [(r, e) for r in _RULES for e in r.passes])
def test_a_rule_lets_near_misses_go(rule: Rule, example: str) -> None:
    assert rule.id not in _last(example).rules


@pytest.mark.parametrize("rule", _RULES, ids=lambda r: r.id)
def test_a_rule_says_why_and_where_it_is_from(rule: Rule) -> None:
    assert rule.rationale
    assert rule.source.startswith("https://")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON users (name) LOCK=EXCLUSIVE",
        "ALTER TABLE users ADD COLUMN a INT, ALGORITHM=COPY",
        "ALTER TABLE users ADD COLUMN a INT, LOCK=SHARED",
    ],
)
def test_what_is_offered_instead_blocks_nobody(sql: str) -> None:
    safer = judged(sql, "mysql").safer
    assert safer
    assert Effect.BLOCKING in judged(sql, "mysql").effects
    assert judged(safer, "mysql").effects == {Effect.ADDITIVE}


@pytest.mark.parametrize(
    ("sql", "objects"),
    [
        ("ALTER TABLE users DROP COLUMN name", ("shop.users.name",)),
        ("DROP TABLE users, other.things", ("shop.users", "other.things")),
        ("WITH users AS (SELECT id FROM users) SELECT id FROM users", ("shop.users",)),
        ("WITH x AS (SELECT id FROM orders) SELECT id FROM x", ("shop.orders",)),
        ("UPDATE users AS u JOIN orders AS o ON o.id = u.id SET u.name = 'x'", ("shop.users", "shop.orders")),
    ],
)
def test_objects_are_named_in_the_database_of_the_connection(sql: str, objects: tuple[str, ...]) -> None:
    assert judged(sql, "mysql").objects == objects


def test_ddl_commits_at_once() -> None:
    assert not judged("ALTER TABLE users ADD COLUMN a INT", "mysql").transactional
    assert judged("UPDATE users SET name = 'x'", "mysql").transactional
