"""Do fingerprint, diff and text keep their laws?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.schema import Column, Constraint, Index, Other, Schema, Table, diff, fingerprint, pages

words = st.text("abcdé\"' \n", min_size=1, max_size=6)
columns = st.builds(
    Column, words, st.sampled_from(["INTEGER", "TEXT"]), st.booleans(), default=st.none() | words, comment=words
)
constraints = st.builds(
    Constraint, st.sampled_from(["check", "unique"]), st.none() | words, st.just(()), st.text("xyz", min_size=1)
)
tables = st.builds(
    Table,
    st.sampled_from(["main", "other"]),
    words,
    st.lists(columns, max_size=4, unique_by=lambda c: c.name).map(tuple),
    st.lists(constraints, max_size=2, unique_by=lambda c: (c.name or "", c.definition)).map(tuple),
    st.lists(st.builds(Index, words, words), max_size=2, unique_by=lambda i: i.name).map(tuple),
)
others = st.builds(Other, st.sampled_from(["view", "enum"]), st.just("main"), words, words)
schemas = st.builds(
    Schema,
    st.just("sqlite"),
    st.lists(tables, max_size=4, unique_by=lambda t: t.qualified).map(tuple),
    st.lists(others, max_size=3, unique_by=lambda o: (o.kind, o.name)).map(tuple),
)


@given(schemas, st.randoms())
def test_order_does_not_matter(schema: Schema, random: object) -> None:
    shuffled = Schema(
        schema.dialect,
        tuple(replace(t, columns=tuple(reversed(t.columns))) for t in reversed(schema.tables)),
        tuple(reversed(schema.others)),
    )
    assert fingerprint(shuffled) == fingerprint(schema)
    assert diff(schema, shuffled) == ()
    assert random is not None


@given(schemas, schemas)
def test_there_is_a_difference_exactly_when_the_fingerprints_differ(one: Schema, two: Schema) -> None:
    assert (diff(one, two) == ()) == (fingerprint(one) == fingerprint(two))


@given(schemas, st.integers(40, 400))
def test_pages_show_every_table_once(schema: Schema, limit: int) -> None:
    seen, cursor = [], None
    while True:
        page = pages(schema, detail="outline", cursor=cursor, limit_chars=limit)
        seen += [line for line in page.text.split("\n") if line]
        cursor = page.next_cursor
        if cursor is None:
            break
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
