"""Does the text an agent reads hold every fact, and nothing that commands?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.schema import MAP_FROM, Column, Constraint, Index, Other, Schema, Table, pages
from mcp_migrate.schema.text import short_type
from mcp_migrate.tools.live import Live
from mcp_migrate.tools.schema_read import shown

_ITEMS = Table(
    "shop",
    "items",
    (
        Column("id", "bigint", nullable=False, identity="a"),
        Column("order_id", "bigint", nullable=False),
        Column("code", "character varying(40)", nullable=True, collation="de_DE"),
        Column("at", "timestamp with time zone", nullable=False, default="now()", comment="When it\ncame"),
    ),
    (
        Constraint("primary_key", "items_pkey", ("id",), "PRIMARY KEY (id)"),
        Constraint(
            "foreign_key",
            "items_order_id_fkey",
            ("order_id",),
            "FOREIGN KEY (order_id) REFERENCES shop.orders(id) ON DELETE CASCADE",
            "shop.orders(id)",
        ),
        Constraint("unique", "one_code", ("code",), "UNIQUE (code)"),
        Constraint("check", "items_code_check", ("code",), "CHECK ((length(code) > 3))"),
    ),
    (
        Index("by_at", "CREATE INDEX by_at ON shop.items USING btree (at DESC) WHERE (code IS NOT NULL)"),
        Index("g", "CREATE UNIQUE INDEX g ON shop.items USING gist (code)", unique=True, valid=False),
    ),
    comment="Things that are sold",
)


def _lines(table: Table, dialect: str = "postgresql") -> list[str]:
    return pages(Schema(dialect, (table,)), detail="full").text.split("\n")[1:]


def test_a_table_in_full_holds_every_fact_once() -> None:
    assert _lines(_ITEMS) == [
        "shop.items  -- Things that are sold",
        "  id bigint pk identity always",
        "  order_id bigint → orders(id) ON DELETE CASCADE",
        "  code varchar(40)? collate de_DE",
        "  at timestamptz default now()  -- When it\\u000acame",
        "  unique one_code (code)",
        "  check (length(code) > 3)",
        "  index by_at (at DESC) WHERE (code IS NOT NULL)",
        "  INVALID unique index g gist (code)",
    ]


def test_a_name_that_only_looks_like_the_default_one_is_shown_where_there_are_no_default_names() -> None:
    assert "  pk items_pkey (id)" in _lines(_ITEMS, "sqlite")


def test_the_table_of_another_schema_is_named_in_full() -> None:
    foreign = replace(_ITEMS.constraints[1], definition="FOREIGN KEY (order_id) REFERENCES other.orders(id)")
    assert "  order_id bigint → other.orders(id)" in _lines(replace(_ITEMS, constraints=(foreign,)))


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("CHECK ((a > 0))", "(a > 0)"),
        ("CHECK (((a > 0) AND (b > 0)))", "((a > 0) AND (b > 0))"),
        ("CHECK ((a)) OR ((b))", "((a)) OR ((b))"),
        ("CHECK ((a <> ')'))", "((a <> ')'))"),
    ],
)
def test_only_parentheses_that_say_nothing_are_left_out(check: str, said: str) -> None:
    table = replace(_ITEMS, constraints=(Constraint("check", "c", (), check),))
    assert f"  check c {said}" in _lines(table)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("character varying", "varchar"),
        ("character varying(3)[]", "varchar(3)[]"),
        ("timestamp(3) with time zone", "timestamptz(3)"),
        ("time without time zone", "time"),
        ("character(1)", "char(1)"),
        ("characteristic", "characteristic"),
        ('"character varying"', '"character varying"'),
        ("numeric(10,2)", "numeric(10,2)"),
    ],
)
def test_a_type_goes_by_the_databases_own_short_name(name: str, short: str) -> None:
    assert short_type(name) == short


@pytest.mark.parametrize("count", [MAP_FROM, 20_000])
def test_a_schema_of_very_many_tables_answers_with_a_map_first(count: int) -> None:
    to_hub = Constraint("foreign_key", "f", ("a",), "FOREIGN KEY (a) REFERENCES s.t1(a)", "s.t1(a)")
    tables = tuple(Table("s", f"t{n}", (), (to_hub,) if n else ()) for n in range(count))
    schema = Schema("postgresql", tables, (Other("view", "s", "v", "SELECT 1"),))
    first = pages(schema, rows={"s.t7": 12})
    assert first.next_cursor is None
    assert len(first.text) < 10_000
    assert f"schema s: {count} tables, 1 view" in first.text
    assert f"s.t1 ({count - 1})" in first.text
    assert "s.t7 (12)" in first.text
    assert pages(schema, tables=("*",)).text.count("s.t1(") == 1
    assert len(pages(schema, detail="names", limit_chars=10**6).text.split("\n")) == count + 1


def test_what_the_role_of_a_target_may_not_see_is_said_and_bounded() -> None:
    unseen = tuple(f"rows of app.t{n}: no right\u202e to read it" for n in range(3_000))
    live = Live("shop", (), Schema("postgresql", (_ITEMS,), unseen=unseen))
    database: Any = None  # asked for estimates of very many tables alone
    page = shown(database, live, tables=(), detail="outline", cursor=None)
    assert page["unseen"][0] == "rows of app.t0: no right\\u202e to read it"
    assert page["unseen"][-1] == "… and 2980 more"
    assert len(page["unseen"]) == 21
    whole = replace(live, schema=replace(live.schema, unseen=()))
    assert "unseen" not in shown(database, whole, tables=(), detail="outline", cursor=None)


def test_a_cursor_holds_when_its_table_is_gone() -> None:
    schema = Schema("sqlite", tuple(Table("main", name, ()) for name in "abc"))
    cursor = pages(schema, detail="names", limit_chars=7).next_cursor
    assert cursor == json.dumps(["table", "main", "a", ""])
    without = replace(schema, tables=schema.tables[1:])
    assert pages(without, detail="names", cursor=cursor).text == "main.b\nmain.c"


@pytest.mark.parametrize("cursor", ["", "{}", '["a"]', "[1, 2, 3, 4]", "main.users"])
def test_a_cursor_of_another_form_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArgumentsError):
        pages(Schema("sqlite"), cursor=cursor)
