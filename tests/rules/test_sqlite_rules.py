"""Do the rules for SQLite hold what their documentation says, and does judging a plan change nothing around it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.rules.interface import Rule
from mcp_migrate.rules.locks import BLOCKS, strongest
from mcp_migrate.rules.sqlite import rebuilds, rows, table, upkeep
from tests.rules.labelled import SCHEMAS, judged

RULES = [
    value
    for module in (table, rows, rebuilds, upkeep)
    for value in vars(module).values()
    if isinstance(value, Rule)
]  # fmt: skip


def _plan(*texts: str, transactional: bool = True) -> tuple[Judgement, ...]:
    statements = [Statement(n, "r", sql, transactional=transactional) for n, sql in enumerate(texts, 1)]
    return judge(statements, dialect="sqlite", schema=SCHEMAS["sqlite"])


@pytest.mark.parametrize("which", RULES, ids=lambda which: which.id)
def test_a_rule_says_why_and_where_it_is_from(which: Rule) -> None:
    assert which.rationale.endswith(".")
    assert which.source.startswith("https://")
    assert which.lock is None or which.lock in BLOCKS


@pytest.mark.parametrize(("which", "text"), [(r, text) for r in RULES for text in r.flags])
def test_a_rule_finds_its_examples(which: Rule, text: str) -> None:
    found = _plan(*text.split(";\n"))[-1]
    assert which.id in found.rules, found.why


@pytest.mark.parametrize(("which", "text"), [(r, text) for r in RULES for text in r.passes])
def test_a_rule_passes_its_near_misses(which: Rule, text: str) -> None:
    found = _plan(*text.split(";\n"))[-1]
    assert which.id not in found.rules, found.why


def test_ids_are_given_once() -> None:
    assert len({which.id for which in RULES}) == len(RULES)


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE users ADD COLUMN n INTEGER NOT NULL", "ALTER TABLE users ADD at TEXT DEFAULT CURRENT_TIMESTAMP"],
)
def test_a_safer_way_runs_and_is_safer(sql: str) -> None:
    found = judged(sql, "sqlite")
    assert found.safer is not None
    assert judged(found.safer, "sqlite").effects == {Effect.ADDITIVE} < found.effects


def test_the_writers_lock_and_the_files_lock_are_told() -> None:
    assert strongest(["WRITE", "EXCLUSIVE FILE"]) == "EXCLUSIVE FILE"
    vacuum = judged("VACUUM", "sqlite")
    assert (vacuum.lock, vacuum.rewrites, vacuum.transactional) == ("EXCLUSIVE FILE", True, False)
    added, dropped = (judged(f"ALTER TABLE users {what}", "sqlite") for what in ("ADD n TEXT", "DROP COLUMN name"))
    assert (added.rewrites, dropped.rewrites, added.lock) == (False, True, "WRITE")


def test_a_switch_of_foreign_keys_counts_only_outside_of_a_transaction() -> None:
    [inside] = _plan("PRAGMA foreign_keys = OFF")
    [outside] = _plan("PRAGMA foreign_keys = OFF", transactional=False)
    assert inside.effects == {Effect.READ}
    assert outside.effects == {Effect.BREAKING}
    assert not outside.transactional


def test_what_is_judged_is_not_run(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    _plan(f"VACUUM INTO '{copy}'", f"ATTACH '{copy}' AS x", f"PRAGMA temp_store_directory = '{tmp_path}'")
    assert not list(tmp_path.iterdir())


def test_a_query_of_a_new_table_is_not_run() -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(9999999) FROM n"
    assert judged(f"CREATE TABLE copy AS {endless}", "sqlite").effects == {Effect.ADDITIVE, Effect.DATA}


def test_a_dropped_trigger_says_what_it_did() -> None:
    assert "main.orders" in judged("DROP TRIGGER watch", "sqlite").why


def test_a_table_that_takes_a_trigger_along_names_it() -> None:
    found = judged("DROP TABLE audited", "sqlite")
    assert set(found.objects) == {"main.audited", "main.watch"}
    assert "lose-trigger" in found.rules


def test_what_a_refused_name_belongs_to_is_told() -> None:
    assert "this server" in judged("DROP TABLE _mcp_migrate_undo", "sqlite").why
    assert "transaction" in judged("COMMIT", "sqlite").why


def test_a_long_plan_is_judged_in_a_time_that_grows_with_its_length() -> None:
    texts = [f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, a TEXT)" for n in range(2_000)]
    assert {j.rule for j in _plan(*texts)} == {"create-table"}
