"""Does each rule of MySQL find its examples, and is what it offers instead really safer?"""

from __future__ import annotations

import pytest

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.interface import Rule
from mcp_migrate.rules.mysql import change_rules, column_rules, find, row_rules, table
from mcp_migrate.schema.model import Column, Schema, Table
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
        ("CREATE TABLE items AS SELECT id FROM users", ("shop.items", "shop.users")),
        ("ALTER TABLE users EXCHANGE PARTITION p WITH TABLE orders", ("shop.users", "shop.orders")),
    ],
)
def test_objects_are_named_in_the_database_of_the_connection(sql: str, objects: tuple[str, ...]) -> None:
    assert judged(sql, "mysql").objects == objects


def test_ddl_commits_at_once() -> None:
    assert not judged("ALTER TABLE users ADD COLUMN a INT", "mysql").transactional
    assert judged("UPDATE users SET name = 'x'", "mysql").transactional


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("UPDATE users AS u JOIN audited AS a ON a.id = u.id SET u.name = 'x'", {"shop.users"}),
        ("UPDATE users AS u, orders AS o SET u.name = 'x', o.total = 1", {"shop.users", "shop.orders"}),
        ("UPDATE users AS u JOIN orders AS o ON o.id = u.id SET name = 'x'", {"shop.users", "shop.orders"}),
        ("DELETE o FROM orders AS o JOIN users AS u ON o.id = u.id", {"shop.orders"}),
        ("DELETE FROM o USING orders AS o JOIN users AS u ON o.id = u.id", {"shop.orders"}),
    ],
)
def test_a_join_names_only_the_changed_tables_as_changed(sql: str, changed: set[str]) -> None:
    [findings] = find([Statement(1, "r", sql)], SCHEMAS["mysql"])
    rules = {row_rules.UPDATE, row_rules.DELETE}
    assert {name for finding in findings if finding.rule in rules for name in finding.objects} == changed


def test_a_column_with_the_collation_of_its_table_is_widened_as_it_is() -> None:
    for own, effects in (("utf8mb4_0900_ai_ci", "additive"), ("latin1_swedish_ci", "blocking destructive")):
        column = Column("name", "varchar(50)", nullable=True, collation=own)
        schema = Schema("mysql", (Table("shop", "t", (column,), options=("collation utf8mb4_0900_ai_ci",)),))
        statement = Statement(1, "r", "ALTER TABLE t MODIFY name VARCHAR(60)")
        [found] = judge([statement], dialect="mysql", schema=schema)
        assert " ".join(sorted(found.effects)) == effects


def test_a_changed_default_is_reported() -> None:
    found = judged("ALTER TABLE users MODIFY name VARCHAR(50) DEFAULT 'y'", "mysql")
    assert "get y instead of x" in found.why


@pytest.mark.parametrize(
    ("sql", "effects"),
    [
        ("ALTER TABLE users DROP COLUMN name", {Effect.ADDITIVE, Effect.DATA}),
        ("ALTER TABLE users RENAME COLUMN name TO nick", {Effect.ADDITIVE}),
        ("ALTER TABLE users MODIFY email VARCHAR(10)", {Effect.ADDITIVE}),
        ("ALTER TABLE orders MODIFY mood ENUM('b','a')", {Effect.ADDITIVE}),
        ("ALTER TABLE users ADD UNIQUE KEY u (name)", {Effect.READ}),
        ("CREATE UNIQUE INDEX u ON users (name, email)", {Effect.READ}),
        ("ALTER TABLE users ADD COLUMN nick VARCHAR(50) NOT NULL", {Effect.ADDITIVE}),
        ("ALTER TABLE users MODIFY email VARCHAR(50) NOT NULL", {Effect.READ}),
    ],
)
def test_what_comes_first_instead_is_milder(sql: str, effects: set[Effect]) -> None:
    safer = judged(sql, "mysql").safer
    assert safer
    assert judged(safer, "mysql").effects == effects
