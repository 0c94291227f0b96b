"""What must hold for every MySQL text, also for those nobody thought of?"""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.model import ALWAYS_APPROVED, Effect, Statement
from mcp_migrate.rules import judge
from tests.rules.labelled import SCHEMAS, corpus, effects, judged

_FEW = settings(max_examples=100)
_ALL = corpus("mysql")


@given(st.binary(max_size=80))
@_FEW
def test_every_byte_string_is_judged(raw: bytes) -> None:
    assert judged(raw.decode("latin-1"), "mysql").effects
    assert judged(raw.decode("utf-8", "surrogateescape"), "mysql").effects


@given(
    st.sampled_from([sql for sql, _ in _ALL]), st.sampled_from(["/*! x */", "/*!50000 , 1 */", "/*M! x */"]), st.data()
)
@_FEW
def test_an_executable_comment_never_passes(sql: str, comment: str, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([0, len(sql)]))
    assert judged(f"{sql[:at]} {comment} {sql[at:]}", "mysql").effects & ALWAYS_APPROVED or "#" in sql or "-- " in sql


@pytest.mark.parametrize(("sql", "words"), _ALL)
def test_mariadb_is_judged_alike(sql: str, words: str) -> None:
    [found] = judge([Statement(1, "r", sql)], dialect="mariadb", schema=SCHEMAS["mysql"])
    assert found.effects == effects(words)


@pytest.mark.parametrize(("sql", "words"), _ALL)
def test_without_a_schema_a_person_is_asked_at_least_as_often(sql: str, words: str) -> None:
    [found] = judge([Statement(1, "r", sql)], dialect="mysql", schema=None)
    assert found.effects & ALWAYS_APPROVED or not effects(words) & ALWAYS_APPROVED


def test_without_a_second_reader_everything_is_unknown_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqloxide", None)
    found = judged("CREATE TABLE items (id INT)", "mysql")
    assert Effect.UNKNOWN in found.effects
    assert "sqloxide" in found.why


def test_the_corpus_is_large_enough() -> None:
    assert len(_ALL) >= 170


def test_ordinary_additive_work_is_hardly_ever_unknown() -> None:
    additive = [sql for sql, words in _ALL if "additive" in words.split() and "privilege" not in words.split()]
    strange = [sql for sql in additive if Effect.UNKNOWN in judged(sql, "mysql").effects]
    assert len(additive) >= 70
    assert len(strange) <= len(additive) * 0.02, strange


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT p PRIMARY KEY (version_num))",
        "INSERT INTO alembic_version (version_num) VALUES ('a')",
        "UPDATE alembic_version SET version_num='b' WHERE alembic_version.version_num = 'a'",
        "DELETE FROM alembic_version WHERE alembic_version.version_num = 'a'",
        "DROP TABLE alembic_version",
    ],
)
def test_the_version_step_of_alembic_is_recognised(sql: str) -> None:
    [found] = judge([Statement(1, "r", sql, kind="version")], dialect="mysql", schema=SCHEMAS["mysql"])
    assert (found.effects, found.rule) == (frozenset(), "alembic-version")


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE alembic_version, users",
        "DELETE FROM mysql.user",
        "INSERT INTO alembic_version (version_num) VALUES (SLEEP(1))",
        "UPDATE alembic_version SET version_num='b' WHERE version_num IN (SELECT 1)",
        "DELETE FROM alembic_version /*! WHERE 1 */",
    ],
)
def test_anything_more_is_no_version_step(sql: str) -> None:
    [found] = judge([Statement(1, "r", sql, kind="version")], dialect="mysql", schema=SCHEMAS["mysql"])
    assert found.effects & ALWAYS_APPROVED


_WORDS = ["DROP", "COLUMN", "IF EXISTS", "TABLE", "TEMPORARY", "COMMENT", "ADD"]
"""Words that no statement of the corpus may hold one more of and mean something milder."""
_DANGEROUS = [sql for sql, words in _ALL if effects(words) & ALWAYS_APPROVED and "'" not in sql]


@given(st.sampled_from(_DANGEROUS), st.sampled_from(_WORDS), st.data())
@_FEW
def test_a_word_more_never_makes_a_statement_milder(sql: str, word: str, data: st.DataObject) -> None:
    parts = sql.split(" ")
    at = data.draw(st.integers(1, len(parts)))
    more = " ".join([*parts[:at], word, *parts[at:]])
    assert judged(more, "mysql").effects & ALWAYS_APPROVED or "-- " in sql or "#" in sql


@given(st.sampled_from([sql for sql, words in _ALL if words == "additive" and "'" not in sql]), st.data())
@_FEW
def test_a_clause_that_destroys_is_seen_wherever_it_stands(sql: str, data: st.DataObject) -> None:
    parts = sql.split(" ")
    at = data.draw(st.integers(1, len(parts)))
    before = " ".join(parts[:at])
    more = " ".join([before, ", DROP COLUMN name ,", *parts[at:]])
    inside = before.count("(") > before.count(")")  # there it is no clause, and no server takes it
    assert judged(more, "mysql").effects & ALWAYS_APPROVED or inside or "-- " in sql or "#" in sql
