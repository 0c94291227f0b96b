"""Is a denied change known again, however it is written, and is nothing else taken for it?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.approvals.changes import changes_of, words_of

WORDS = ["ALTER", "TABLE", "customers", "DROP", "COLUMN", "fax"]


def asked(*statements: tuple[str, str, list[str], list[str]], dialect: str = "sqlite") -> dict[str, Any]:
    """What a request says of statements (kind, sql, effects, objects)."""
    return {
        "plan": {
            "dialect": dialect,
            "statements": [
                {"n": n, "sql": sql, "kind": kind, "parameters": []}
                for n, (kind, sql, _, _) in enumerate(statements, 1)
            ],
        },
        "judgements": [
            {"n": n, "effects": effects, "objects": objects} for n, (_, _, effects, objects) in enumerate(statements, 1)
        ],
    }


def one(sql: str, effects: list[str], objects: list[str]) -> Any:
    [change] = changes_of(asked(("change", sql, effects, objects)))
    return change


gaps = st.sampled_from([" ", "\n", "\t  ", " /* why */ ", " -- why\n"])
spellings = st.tuples(*(st.sampled_from([word, word.lower(), word.title()]) for word in WORDS))


@given(spellings, st.lists(gaps, min_size=6, max_size=6), st.sampled_from(["", ";", " ; ;", " -- end"]))
@pytest.mark.parametrize("dialect", ["postgresql", "sqlite", "mysql"])
@pytest.mark.proves("approval-denial-sticks")
def test_spelling_makes_no_new_change(dialect: str, spelled: tuple[str, ...], between: list[str], end: str) -> None:
    text = "".join(f"{gap}{word}" for gap, word in zip(between, spelled, strict=True)) + end
    assert list(words_of(text, dialect)) == [word.casefold() for word in WORDS]


@pytest.mark.parametrize(
    "quoted", ['ALTER TABLE "customers" DROP COLUMN "fax"', "ALTER TABLE customers DROP COLUMN [fax]"]
)
def test_quotes_around_names_make_no_new_change(quoted: str) -> None:
    assert list(words_of(quoted, "sqlite")) == [word.casefold() for word in WORDS]


def test_the_words_inside_a_body_are_compared_as_well() -> None:
    first = "DO $$ BEGIN\n  DELETE FROM a; -- all\nEND $$"
    assert list(words_of(first, "postgresql")) == list(words_of("do $$begin delete  from A; end$$;", "postgresql"))


def test_what_no_lexer_reads_is_compared_without_its_white_space() -> None:
    assert list(words_of("SELECT  'open", "sqlite")) == ["select 'open"]


@pytest.mark.parametrize(
    ("effects", "objects", "again"),
    [
        (["breaking", "destructive"], ["main.customers.fax"], True),
        (["destructive"], ["main.CUSTOMERS"], True),  # the table goes, and the column with it
        (["destructive"], ["main.customers.email"], False),
        (["destructive"], ["main.customers.faxes"], False),
        (["breaking"], ["main.customers.fax"], False),  # a rename loses nothing
        (["additive"], ["main.customers.fax"], False),
        (["destructive"], ["?"], False),
    ],
)
@pytest.mark.proves("approval-denial-sticks")
def test_the_worst_of_it_on_the_same_object_is_the_same_change(
    effects: list[str], objects: list[str], *, again: bool
) -> None:
    denied = one("ALTER TABLE customers DROP COLUMN fax", ["destructive", "breaking"], ["main.customers.fax"])
    assert one("other words", effects, objects).repeats(denied) == again


def test_what_only_blocks_is_the_same_change_by_its_words_alone() -> None:
    denied = one("CREATE INDEX a ON t (b)", ["additive", "blocking"], ["main.t"])
    assert not one("CREATE INDEX c ON t (d)", ["additive", "blocking"], ["main.t"]).repeats(denied)
    assert one("create index a on t (b)", ["additive", "blocking"], ["main.t"]).repeats(denied)


def test_the_version_table_is_no_change_unless_there_is_nothing_else() -> None:
    version: tuple[str, str, list[str], list[str]] = ("version", "UPDATE alembic_version SET version_num='c3'", [], [])
    both = changes_of(asked(version, ("change", "DROP TABLE a", ["destructive"], ["main.a"])))
    assert [change.n for change in both] == [2]
    [alone] = changes_of(asked(version))
    assert alone.repeats(alone)


def test_a_tool_without_a_plan_is_compared_by_its_subject() -> None:
    call = {"plan": None, "tool": "purge", "subject": {"queue": "a"}, "effects": ["unknown"], "objects": []}
    [denied], [same] = changes_of(call), changes_of({**call, "effects": ["data"]})
    [other] = changes_of({**call, "subject": {"queue": "b"}})
    assert (same.repeats(denied), other.repeats(denied)) == (True, False)
