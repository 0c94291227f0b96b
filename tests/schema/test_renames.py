"""When is it a rename, when a drop and an add, and what only follows from a rename?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.schema import Change, Column, Constraint, Index, Other, Schema, Table, diff

names = st.text("abcdefghij_", min_size=3, max_size=10)
types = st.sampled_from(["integer", "text", "boolean", "date"])
columns = st.lists(
    st.builds(Column, names, types, st.booleans(), default=st.sampled_from([None, "1"])),
    min_size=2,
    max_size=6,
    unique_by=lambda column: column.name,
)


def schema(*tables: Table, others: tuple[Other, ...] = ()) -> Schema:
    return Schema("postgresql", tables, others)


def told(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    return [(change.kind, change.object) for change in changes]


@given(columns, st.data(), names)
def test_a_column_that_was_renamed_in_its_place_is_found_with_high_confidence(
    before: list[Column], data: st.DataObject, name: str
) -> None:
    """But for the last one, whose place says nothing: a dropped last column and an added one look the same."""
    n = data.draw(st.integers(0, len(before) - 2))
    if name in {column.name for column in before}:
        return
    after = [*before[:n], replace(before[n], name=name), *before[n + 1 :]]
    (change,) = diff(schema(Table("public", "t", tuple(before))), schema(Table("public", "t", tuple(after))))
    assert (change.kind, change.before, change.after) == (
        "rename_column",
        f"public.t.{before[n].name}",
        f"public.t.{name}",
    )
    assert 0.75 <= change.confidence < 1
    assert "drop_column" in str(change.otherwise)
    assert "destructive" in str(change.otherwise)


@given(columns, st.data())
def test_a_drop_and_an_unrelated_add_are_two_changes(before: list[Column], data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(before) - 1))
    added = Column("XYZ", before[n].type, nullable=True)
    after = [*before[:n], *before[n + 1 :], added]
    changes = diff(schema(Table("public", "t", tuple(before))), schema(Table("public", "t", tuple(after))))
    assert sorted(change.kind for change in changes) == ["add_column", "drop_column"]
    assert all(change.confidence == 1.0 for change in changes)


@given(columns, names)
def test_a_table_that_was_renamed_is_one_change(before: list[Column], name: str) -> None:
    many = [*before, Column("email", "text", nullable=False), Column("price", "numeric(10,2)", nullable=True)]
    distinct = tuple({column.name: column for column in many}.values())
    old, new = Table("public", "XYZ", distinct), Table("public", name, distinct)
    (change,) = diff(schema(old), schema(new))
    assert (change.kind, change.object, change.after) == ("rename_table", "public.XYZ", f"public.{name}")
    assert 0.5 <= change.confidence < 1


def test_tables_with_nothing_but_an_id_in_common_are_two() -> None:
    ident = Column("id", "integer", nullable=False)
    one = Table("public", "orders", (ident, Column("total", "integer", nullable=True)))
    two = Table("public", "logs", (ident, Column("line", "text", nullable=True)))
    assert told(diff(schema(one), schema(two))) == [("drop_table", "public.orders"), ("add_table", "public.logs")]


def test_what_only_follows_from_a_rename_is_no_change_of_its_own() -> None:
    def made(table: str, column: str) -> Schema:
        main = Table(
            "public",
            table,
            (
                Column("id", "integer", nullable=False),
                Column(column, "text", nullable=True),
                Column("n", "date", nullable=True),
            ),
            (Constraint("check", "c", (column,), f"CHECK (({column} <> ''::text))"),),
            (Index("i", f"CREATE INDEX i ON public.{table} USING btree ({column})"),),
        )
        refers = Constraint(
            "foreign_key", "f", ("x",), f"FOREIGN KEY (x) REFERENCES public.{table}({column})", f"public.{table}"
        )
        view = Other("view", "public", "v", f"SELECT {table}.{column} AS mail FROM public.{table}")  # noqa: S608  compared, never run
        kept = Other("view", "public", "w", f"SELECT {column}{' AS email' if column != 'email' else ''} FROM {table}")  # noqa: S608  as above
        trigger = Other("trigger", "public", "t", f"CREATE TRIGGER t ON public.{table}", f"public.{table}")
        child = Table("public", "child", (Column("x", "text", nullable=True),), (refers,))
        return schema(main, child, others=(view, kept, trigger))

    assert told(diff(made("users", "email"), made("users", "address"))) == [("rename_column", "public.users.email")]
    assert told(diff(made("users", "email"), made("user_accounts", "email"))) == [("rename_table", "public.users")]


def test_a_rename_hides_no_other_change() -> None:
    def made(name: str, check: str) -> Schema:
        column = (Column(name, "integer", nullable=True), Column("z", "text", nullable=True))
        return schema(Table("public", "t", column, (Constraint("check", "c", (name,), f"CHECK ({name} > {check})"),)))

    assert told(diff(made("a", "0"), made("b", "1"))) == [
        ("rename_column", "public.t.a"),
        ("alter_constraint", "public.t.c"),
    ]


def test_a_rename_in_one_table_hides_no_change_of_a_view_on_another() -> None:
    def made(name: str) -> Schema:
        columns = (Column(name, "integer", nullable=True), Column("z", "text", nullable=True))
        both = tuple(Column(each, "integer", nullable=True) for each in "ab")
        view = Other("view", "public", "v", f"SELECT {name} FROM public.unrelated")  # noqa: S608  never run
        return schema(Table("public", "t_one", columns), Table("public", "unrelated", both), others=(view,))

    found = told(diff(made("a"), made("b")))
    assert found == [("rename_column", "public.t_one.a"), ("alter_view", "public.v")]


def test_a_rival_makes_a_rename_less_sure() -> None:
    """Two columns in one place came for one that went."""

    def made(*names: str) -> Schema:
        return schema(Table("public", "t", tuple(Column(name, "text", nullable=True) for name in (*names, "last"))))

    sure = diff(made("email"), made("email_address"))
    doubt = diff(made("email", "emails"), made("email_address", "emails_address"))
    assert [change.kind for change in sure] == ["rename_column"]
    assert min(change.confidence for change in doubt) < sure[0].confidence


@pytest.mark.parametrize("many", [300])
def test_very_many_tables_are_compared_in_groups(many: int) -> None:
    def made(prefix: str) -> Schema:
        return schema(
            *(
                Table("public", f"{prefix}_{n}", tuple(Column(f"c{n}_{i}", "text", nullable=True) for i in range(4)))
                for n in range(many)
            )
        )

    changes = diff(made("old"), made("new"))
    assert [change.kind for change in changes] == ["rename_table"] * many
    assert all(str(change.before).rpartition("_")[2] == str(change.after).rpartition("_")[2] for change in changes)
