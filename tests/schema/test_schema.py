"""Do fingerprint, diff and text keep their laws?

The names that are tried hold dots, spaces and words of our own, which could make two objects pass for one.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.schema import (
    Column,
    Constraint,
    Index,
    Other,
    Schema,
    Table,
    diff,
    fingerprint,
    fingerprints,
    pages,
)

words = st.text("abé.\"' \n", min_size=1, max_size=4) | st.sampled_from(["a on main.b", "comment a", "default a"])
columns = st.builds(
    Column,
    words,
    st.sampled_from(["INTEGER", "TEXT"]),
    st.booleans(),
    default=st.none() | words,
    comment=st.none() | words,
    options=st.lists(words, max_size=2).map(tuple),
)
constraints = st.builds(Constraint, st.sampled_from(["check", "unique"]), st.none() | words, st.just(()), words)
tables = st.builds(
    Table,
    st.sampled_from(["main", "main.a"]),
    words,
    st.lists(columns, max_size=4, unique_by=lambda c: c.name).map(tuple),
    st.lists(constraints, max_size=3).map(tuple),
    st.lists(st.builds(Index, words, words), max_size=2, unique_by=lambda i: i.name).map(tuple),
)
others = st.builds(Other, st.sampled_from(["view", "trigger"]), st.just("main"), words, words, st.none() | words)
schemas = st.builds(
    Schema,
    st.just("sqlite"),
    st.lists(tables, max_size=4, unique_by=lambda t: (t.schema, t.name)).map(tuple),
    st.lists(others, max_size=3, unique_by=lambda o: (o.kind, o.name, o.table)).map(tuple),
)


@given(schemas)
def test_order_does_not_matter(schema: Schema) -> None:
    shuffled = Schema(
        schema.dialect,
        tuple(
            replace(t, columns=t.columns[::-1], constraints=t.constraints[::-1], indexes=t.indexes[::-1])
            for t in reversed(schema.tables)
        ),
        tuple(reversed(schema.others)),
    )
    assert fingerprint(shuffled) == fingerprint(schema)
    assert diff(schema, shuffled) == ()


@given(schemas, schemas)
def test_there_is_a_difference_exactly_when_the_fingerprints_differ(one: Schema, two: Schema) -> None:
    assert (diff(one, two) == ()) == (fingerprint(one) == fingerprint(two))


@given(schemas)
def test_every_object_has_a_fingerprint_of_its_own(schema: Schema) -> None:
    assert len(fingerprints(schema)) == len(schema.tables) + len(schema.others)


def test_the_text_as_it_was_written_does_not_count_and_every_other_field_does() -> None:
    written = {("Index", "text"), ("Table", "definition"), ("Other", "text")}
    kinds = (Column, Constraint, Index, Table, Other)
    assert written == {(k.__name__, f.name) for k in kinds for f in fields(k) if not f.metadata.get("counted", True)}


def test_twins_are_counted() -> None:
    check = Constraint("check", None, (), "CHECK (a > 0)")
    one, two = (Schema("sqlite", (Table("main", "t", (), (check,) * n),)) for n in (1, 2))
    assert [change.kind for change in diff(one, two)] == ["add_constraint"]
    assert [change.kind for change in diff(two, one)] == ["drop_constraint"]


def test_schemas_of_different_databases_differ() -> None:
    assert [change.kind for change in diff(Schema("sqlite"), Schema("postgresql"))] == ["alter_database"]


def test_a_difference_is_told_without_characters_that_command() -> None:
    view = Other("view", "main", "v\x1b[2J", "SELECT '\u202e'\u2028\U000e0041")
    (change,) = diff(Schema("sqlite"), Schema("sqlite", (), (view,)))
    assert (change.object, change.after) == ("main.v\\u001b[2J", "SELECT '\\u202e'\\u2028\\U000e0041")


@given(schemas, st.integers(40, 400))
def test_pages_show_every_table_once(schema: Schema, limit: int) -> None:
    seen, cursor = [], None
    while True:
        page = pages(schema, detail="outline", cursor=cursor, limit_chars=limit)
        assert page.text.count("\n-- ") == 0
        seen += [line for line in page.text.split("\n") if not line.startswith("-- ")]
        cursor = page.next_cursor
        if cursor is None:
            break
        assert cursor.isprintable()
    assert page.tables_total == len(schema.tables)
    assert len(seen) == len(schema.tables) + len(schema.others)


def test_text_from_a_database_cannot_command_a_terminal() -> None:
    evil = Column("a\x1b[31m\u202eb", "TEXT", nullable=True, comment="x" * 500)
    text = pages(Schema("sqlite", (Table("main", "t", (evil,)),)), detail="full").text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "(500 characters)" in text


def test_a_cursor_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InvalidArgumentsError):
        pages(Schema("sqlite"), cursor="nowhere")


def test_globs_choose_tables_by_either_name() -> None:
    schema = Schema("sqlite", tuple(Table("main", name, ()) for name in ("users", "orders")))
    assert "orders" not in pages(schema, tables=("us*",)).text
    assert "orders" in pages(schema, tables=("main.o*",)).text
