"""Does the picture show what changes and its neighbours, and can nothing in a name leave it?"""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.schema import Column, Constraint, Schema, Table, diff
from mcp_migrate.schema.diagram import before_and_after, entity_diagram, identifier, label

LINES = re.compile(
    r"""erDiagram|\ \ \}|\ \ %%\ \d+\ more\ tables\ are\ not\ shown
      | \ \ t\d+\["[^"\[\]{}<>`]*(?:\[\])?[^"{}<>`]*"\]\ \{
      | \ {4}[A-Za-z]\w*\ [A-Za-z]\w*(?:\ (?:PK|FK|UK)(?:,\ (?:PK|FK|UK))*)?(?:\ "[^"{}<>`\n]*")?
      | \ \ t\d+\ \|\|--o\{\ t\d+\ :\ "[^"{}<>`\n]*\"""",
    re.VERBOSE,
)


def table(name: str, *columns: str, to: str | None = None) -> Table:
    keys = [Constraint("primary_key", None, ("id",), "PRIMARY KEY (id)")]
    if to:
        keys.append(Constraint("foreign_key", None, (f"{to}_id",), f"REFERENCES {to}", f"public.{to}"))
    every = ("id", *([f"{to}_id"] if to else []), *columns)
    return Table("public", name, tuple(Column(c, "integer", nullable=True) for c in every), tuple(keys))


def test_changed_tables_are_shown_with_their_neighbours_and_no_others() -> None:
    far, lines = table("far"), table("lines", to="orders")
    before = Schema("postgresql", (table("users", "mail"), table("orders", "old", to="users"), lines, far))
    after = Schema("postgresql", (table("users", "mail"), table("orders", "brandnew", to="users"), lines, far))
    was, now = before_and_after(before, after, diff(before, after))
    for picture in (was, now):
        assert all(f"public.{name}" in picture for name in ("users", "orders", "lines"))
        assert "far" not in picture
        assert "mail" not in picture
        assert picture.count("||--o{") == 2


def test_each_side_says_what_happens_to_what() -> None:
    before = Schema("postgresql", (table("a", "gone", "kept"),))
    after = Schema("postgresql", (table("a", "kept", "something"),))
    was, now = before_and_after(before, after, diff(before, after))
    assert 'integer gone "drop column"' in was
    assert 'integer something "add column"' in now


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_no_name_leaves_its_place(name: str, other: str) -> None:
    evil = Table(
        name,
        other,
        (Column(name, other, nullable=True), Column("id", name, nullable=True)),
        (Constraint("foreign_key", name, (name,), "", f"{name}.{other}"),),
    )
    for line in entity_diagram(Schema("postgresql", (evil,)), [evil.qualified]).splitlines():
        assert LINES.fullmatch(line), line


def test_a_picture_is_bounded() -> None:
    many = tuple(table(f"t{n}", *(f"c{i}" for i in range(100)), to="hub") for n in range(200))
    text = entity_diagram(Schema("postgresql", (table("hub"), *many)), ["public.hub", "public.t1"])
    assert len(text) < 10_000
    assert "181 more tables are not shown" in text
    assert "more columns" in text


def test_identifiers_and_labels() -> None:
    assert identifier('1"; DROP\n') == "x1___DROP_"
    assert label('a"b`</pre>\n') == "a#34;b#96;#60;#47;pre#62;#10;"
    assert label("ü" * 70).endswith("… (70 characters)")
