"""Is a table that Alembic makes again told as the one change it is? Alembic writes the statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from mcp_migrate.model import Effect, Judgement, Statement
from mcp_migrate.rules import judge
from mcp_migrate.schema.model import Index, Other, Schema, Table
from tests.rules.labelled import effects

_TABLES = """
CREATE TABLE team (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(20));
CREATE TABLE person (
    id INTEGER NOT NULL PRIMARY KEY,
    name VARCHAR(50) NOT NULL,
    nick VARCHAR(20),
    age INTEGER DEFAULT '1',
    code TEXT,
    team_id INTEGER,
    CONSTRAINT adult CHECK (age > 0),
    CONSTRAINT one_code UNIQUE (code),
    CONSTRAINT in_team FOREIGN KEY (team_id) REFERENCES team (id)
);
CREATE INDEX by_name ON person (name);
CREATE UNIQUE INDEX by_nick ON person (nick);
CREATE TABLE guarded (id INTEGER PRIMARY KEY, a TEXT);
CREATE INDEX guarded_low ON guarded (lower(a));
CREATE TRIGGER guard AFTER DELETE ON guarded BEGIN DELETE FROM child; END;
CREATE TABLE parent (id INTEGER PRIMARY KEY, a TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE tree (id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree (id) ON DELETE CASCADE, a TEXT);
CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT COLLATE NOCASE);
CREATE TABLE strict (id INTEGER PRIMARY KEY, a TEXT) STRICT;
"""


def _connect() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.executescript(_TABLES)
    return connection


def schema_of(connection: sqlite3.Connection) -> Schema:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOTNULL").fetchall()
    indexes: dict[str, tuple[Index, ...]] = {}
    for kind, name, of, sql in rows:
        if kind == "index":
            indexes[of] = (*indexes.get(of, ()), Index(name, sql, unique="UNIQUE" in sql, text=sql))
    tables = tuple(
        Table("main", name, (), definition=sql, indexes=indexes.get(name, ()))
        for kind, name, _, sql in rows
        if kind == "table" and not name.startswith("sqlite_")
    )
    others = (Other(kind, "main", name, sql, f"main.{of}") for kind, name, of, sql in rows)
    return Schema("sqlite", tables, tuple(other for other in others if other.kind in {"view", "trigger"}))


def _recorded(table: str, change: Callable[[Any], object], **options: Any) -> tuple[list[str], Schema]:
    """The statements Alembic sends for a batch, and the schema they were sent to."""
    with closing(_connect()) as connection:
        engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
        schema, sent = schema_of(connection), []
        sa.event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
        with engine.begin() as live:
            operations = Operations(MigrationContext.configure(live))
            with operations.batch_alter_table(table, recreate="always", **options) as batch:
                change(batch)
        engine.dispose()
    return [sql for sql in sent if not sql.lstrip().startswith(("PRAGMA", "SELECT"))], schema


def _judged(texts: list[str], schema: Schema) -> tuple[Judgement, ...]:
    return judge([Statement(n, "r", sql) for n, sql in enumerate(texts, 1)], dialect="sqlite", schema=schema)


def _union(judgements: tuple[Judgement, ...]) -> frozenset[Effect]:
    return frozenset().union(*(judgement.effects for judgement in judgements))


@dataclass(frozen=True)
class Case:
    """A batch, what it amounts to, the rules that say so, and the objects they name beside the table."""

    table: str
    change: Callable[[Any], object]
    effects: str
    rules: set[str]
    objects: set[str] = frozenset()  # type: ignore[assignment]


def _both(batch: Any) -> None:
    batch.drop_index("by_nick")
    batch.drop_column("nick")
    batch.add_column(sa.Column("email", sa.String(90)))


CASES = {
    "a nullable column": Case(
        "person", lambda b: b.add_column(sa.Column("email", sa.String(90))), "additive", {"add-column"}, {"email"}
    ),
    "a column with a default": Case(
        "person",
        lambda b: b.add_column(sa.Column("n", sa.Integer, nullable=False, server_default="1")),
        "additive",
        {"add-column"},
        {"n"},
    ),
    "a column that must be filled": Case(
        "person",
        lambda b: b.add_column(sa.Column("n", sa.Integer, nullable=False)),
        "additive breaking",
        {"add-required-column"},
        {"n"},
    ),
    "a column in the middle": Case(
        "person",
        lambda b: b.add_column(sa.Column("n", sa.Integer), insert_after="name"),
        "additive",
        {"add-column"},
        {"n"},
    ),
    "a column dropped": Case(
        "person", lambda b: b.drop_column("team_id"), "destructive breaking", {"drop-column"}, {"team_id"}
    ),
    "a column with an index dropped": Case(
        "person",
        _both,
        "additive destructive breaking",
        {"drop-column", "add-column", "drop-unique-index"},
        {"nick", "email"},
    ),
    "a column renamed": Case(
        "person", lambda b: b.alter_column("nick", new_column_name="alias"), "breaking", {"rename"}, {"nick", "alias"}
    ),
    "a longer text": Case(
        "person", lambda b: b.alter_column("name", type_=sa.String(90)), "additive", {"widen-column-type"}, {"name"}
    ),
    "a shorter text": Case(
        "person", lambda b: b.alter_column("name", type_=sa.String(5)), "additive", {"widen-column-type"}, {"name"}
    ),
    "a text as a number": Case(
        "person",
        lambda b: b.alter_column("code", type_=sa.Integer()),
        "destructive breaking",
        {"change-column-type"},
        {"code"},
    ),
    "a number as a text": Case(
        "person",
        lambda b: b.alter_column("age", type_=sa.String(5)),
        "destructive breaking",
        {"change-column-type"},
        {"age"},
    ),
    "nulls shut out": Case(
        "person", lambda b: b.alter_column("nick", nullable=False), "breaking", {"set-not-null"}, {"nick"}
    ),
    "nulls let in": Case(
        "person", lambda b: b.alter_column("name", nullable=True), "breaking", {"drop-not-null"}, {"name"}
    ),
    "a new default": Case(
        "person", lambda b: b.alter_column("age", server_default="7"), "additive", {"set-default"}, {"age"}
    ),
    "a default taken away": Case(
        "person", lambda b: b.alter_column("age", server_default=None), "breaking", {"drop-default"}, {"age"}
    ),
    "a check": Case(
        "person", lambda b: b.create_check_constraint("short", "length(nick) < 9"), "breaking", {"add-table-clause"}
    ),
    "a check taken away": Case(
        "person", lambda b: b.drop_constraint("adult", type_="check"), "breaking", {"lose-table-clause"}
    ),
    "a unique constraint": Case(
        "person", lambda b: b.create_unique_constraint("one_nick", ["nick"]), "breaking", {"add-constraint"}
    ),
    "a unique constraint taken away": Case(
        "person", lambda b: b.drop_constraint("one_code", type_="unique"), "breaking", {"drop-constraint"}
    ),
    "a foreign key": Case(
        "person",
        lambda b: b.create_foreign_key("f", "team", ["age"], ["id"]),
        "breaking",
        {"add-constraint"},
    ),
    "a foreign key taken away": Case(
        "person", lambda b: b.drop_constraint("in_team", type_="foreignkey"), "breaking", {"drop-constraint"}
    ),
    "a trigger lost": Case(
        "guarded",
        lambda b: b.add_column(sa.Column("n", sa.Integer)),
        "additive breaking",
        {"add-column", "lose-trigger", "drop-index"},
        {"n"},
    ),
    "rows of another table reached": Case(
        "parent",
        lambda b: b.add_column(sa.Column("n", sa.Integer)),
        "additive destructive",
        {"add-column", "drop-reaches-rows"},
        {"n"},
    ),
    "the action of a foreign key, which is not read back": Case(
        "tree",
        lambda b: b.add_column(sa.Column("n", sa.Integer)),
        "additive breaking",
        {"add-column", "drop-constraint", "add-constraint"},
        {"n"},
    ),
    "counters and collations": Case(
        "numbered",
        lambda b: b.add_column(sa.Column("n", sa.Integer)),
        "additive breaking",
        {"lose-table-clause"},
        {"n"},
    ),
    "a strict table": Case(
        "strict", lambda b: b.add_column(sa.Column("n", sa.Integer)), "additive", {"add-column"}, {"n"}
    ),
    "nothing": Case("team", lambda _batch: None, "additive", {"rebuild-table-as-it-was"}),
}


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_batch_is_told_as_what_it_changes(case: Case) -> None:
    texts, schema = _recorded(case.table, case.change)
    judgements = _judged(texts, schema)
    assert _union(judgements) == effects(case.effects), [j.why for j in judgements]
    assert set(judgements[0].rules) >= {"rebuild-table", *case.rules}, judgements[0].rules
    assert set(judgements[0].objects) >= {f"main.{case.table}.{name}" for name in case.objects}
    assert all(set(j.rules) == {"part-of-rebuild"} and not j.effects for j in judgements[1:])
    assert not any("_alembic_tmp_" in name for j in judgements for name in j.objects)


def _rebuild(old: str, new: str, select: str, *between: str) -> list[str]:
    return [
        f"CREATE TABLE n ({new})",
        f"INSERT INTO n {select}",
        *between,
        f"DROP TABLE {old}",
        f"ALTER TABLE n RENAME TO {old}",
    ]


def _ask(*texts: str) -> tuple[Judgement, ...]:
    with closing(_connect()) as connection:
        return _judged(list(texts), schema_of(connection))


_LOSSES = {
    "rows left out": "SELECT id, title FROM team WHERE id > 1",
    "rows counted once": "SELECT DISTINCT id, title FROM team",
    "rows cut off": "SELECT id, title FROM team LIMIT 1",
    "rows of a join": "SELECT t.id, t.title FROM team AS t JOIN person AS p ON p.id = t.id",
    "rows grouped": "SELECT id, title FROM team GROUP BY title",
    "rows twice": "SELECT id, title FROM team UNION ALL SELECT id, title FROM team",
    "rows of another table": "SELECT id, name FROM person",
    "rows of a query": "SELECT id, title FROM (SELECT * FROM team)",
    "a comment in the way": "SELECT id, title FROM team /* /* */ WHERE 0 -- */",
}


@pytest.mark.parametrize("select", _LOSSES.values(), ids=_LOSSES)
def test_a_table_that_is_not_copied_whole_is_dropped(select: str) -> None:
    judgements = _ask(*_rebuild("team", "id INTEGER PRIMARY KEY, title TEXT", select))
    assert Effect.DESTRUCTIVE in judgements[2].effects or Effect.UNKNOWN in judgements[2].effects
    assert all("part-of-rebuild" not in judgement.rules for judgement in judgements)


@pytest.mark.parametrize(
    "texts",
    [
        _rebuild("team", "id, title", "SELECT id, title FROM team", "DELETE FROM n"),
        ["CREATE TABLE n (id, title)", "INSERT INTO n SELECT id, title FROM team", "DROP TABLE parent",
         "ALTER TABLE n RENAME TO parent"],
        ["CREATE TABLE n (id, title)", "INSERT INTO n SELECT id, title FROM team", "DROP TABLE team",
         "ALTER TABLE n RENAME TO other"],
        ["CREATE TABLE n (id, title)", "INSERT INTO person (id, name) SELECT id, title FROM team", "DROP TABLE team",
         "ALTER TABLE n RENAME TO team"],
        ["CREATE TEMP TABLE n (id, title)", "INSERT INTO n SELECT id, title FROM team", "DROP TABLE team",
         "ALTER TABLE n RENAME TO team"],
        ["CREATE TABLE n (id INTEGER PRIMARY KEY, title)", "INSERT OR IGNORE INTO n SELECT title, title FROM team",
         "DROP TABLE team", "ALTER TABLE n RENAME TO team"],
        ["CREATE TABLE n (id, title)", "INSERT INTO n SELECT id, title FROM team; DELETE FROM n", "DROP TABLE team",
         "ALTER TABLE n RENAME TO team"],
        ["CREATE TABLE n (id, title)", "INSERT INTO n SELECT id, title FROM team", "DROP TABLE team",
         "ALTER TABLE n ADD COLUMN x"],
    ],
)  # fmt: skip
def test_anything_odd_in_between_is_judged_statement_by_statement(texts: list[str]) -> None:
    judgements = _ask(*texts)
    assert all("part-of-rebuild" not in judgement.rules for judgement in judgements)
    assert any(judgement.effects & {Effect.DESTRUCTIVE, Effect.UNKNOWN} for judgement in judgements)


def test_or_ignore_loses_rows_where_the_new_table_has_a_key() -> None:
    select = "OR IGNORE INTO n SELECT id, title FROM team"
    texts = ["CREATE TABLE n (id INTEGER PRIMARY KEY, title UNIQUE)", f"INSERT {select}", "DROP TABLE team",
             "ALTER TABLE n RENAME TO team"]  # fmt: skip
    assert Effect.DESTRUCTIVE in _ask(*texts)[2].effects


def test_a_swap_of_two_columns_is_two_renames() -> None:
    [first, *_] = _ask(
        *_rebuild("team", "id INTEGER PRIMARY KEY, title VARCHAR(20)", "(title, id) SELECT id, title FROM team")
    )
    assert first.effects >= {Effect.BREAKING}
    assert {"main.team.id", "main.team.title"} <= set(first.objects)


def test_a_column_filled_with_something_else_loses_what_it_held() -> None:
    [first, *_] = _ask(*_rebuild("team", "id INTEGER PRIMARY KEY, title VARCHAR(20)", "SELECT id, 'x' FROM team"))
    assert "drop-column" in first.rules
    assert "main.team.title" in first.objects


def test_a_star_copies_each_column_in_its_place() -> None:
    [first, *rest] = _ask(*_rebuild("team", "id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(20)", "SELECT * FROM team"))
    assert first.effects == {Effect.ADDITIVE}
    assert all(not judgement.effects for judgement in rest)


def test_rows_of_its_own_that_refer_to_dropped_ones_are_told() -> None:
    columns = "id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree (id) ON DELETE CASCADE, a TEXT"
    [first, *_] = _ask(*_rebuild("tree", columns, "SELECT * FROM tree"))
    assert first.effects == {Effect.DESTRUCTIVE}
    assert "drop-reaches-rows" in first.rules


def test_strictness_and_the_numbering_of_rows_are_told_when_they_go() -> None:
    [first, *_] = _ask(*_rebuild("strict", "id INT PRIMARY KEY, a TEXT", "SELECT * FROM strict"))
    assert first.rules.count("change-table-options") == 1
    assert "STRICT" in first.why
    assert "numbered" in first.why


def test_a_table_moved_away_first_takes_its_references_along() -> None:
    judgements = _ask(
        "ALTER TABLE team RENAME TO old_team",
        "CREATE TABLE team (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(20))",
        "INSERT INTO team SELECT * FROM old_team",
        "DROP TABLE old_team",
    )
    assert [j.effects for j in judgements] == [{Effect.BREAKING}, set(), set(), set()]
    assert "redirect-references" in judgements[0].rules
    assert "main.person" in judgements[0].objects


def test_with_the_old_way_of_renaming_a_view_is_told_when_it_breaks() -> None:
    steps = _rebuild("team", "id INTEGER NOT NULL PRIMARY KEY", "SELECT id FROM team")
    view = "CREATE VIEW titles AS SELECT title FROM team"
    judgements = _ask(view, "PRAGMA legacy_alter_table = ON", *steps)
    assert judgements[1].effects == {Effect.READ}
    assert {"break-view", "drop-column"} <= set(judgements[2].rules)
    assert "main.titles" in judgements[2].objects
    assert Effect.UNKNOWN in _union(_ask(view, *steps))  # the renaming fails


def test_several_tables_may_be_made_again_in_one_plan() -> None:
    both = _rebuild(
        "team", "id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(20), x", "(id, title) SELECT id, title FROM team"
    )
    again = _rebuild("strict", "id INTEGER PRIMARY KEY", "SELECT id FROM strict")
    judgements = _ask("PRAGMA foreign_keys=OFF", *both, *again, "PRAGMA foreign_keys=ON")
    assert judgements[1].effects == {Effect.ADDITIVE}
    assert judgements[5].effects == {Effect.DESTRUCTIVE, Effect.BREAKING}
    assert "main.strict.a" in judgements[5].objects
    assert judgements[0].effects == judgements[-1].effects == {Effect.READ}


def test_a_trigger_made_again_is_part_of_it_and_another_one_is_not() -> None:
    columns = "id INTEGER PRIMARY KEY, a TEXT"
    steps = _rebuild("guarded", columns, "SELECT * FROM guarded")
    same = _ask(*steps, "CREATE TRIGGER guard AFTER DELETE ON guarded BEGIN DELETE FROM child; END",
                "CREATE INDEX guarded_low ON guarded (lower(a))")  # fmt: skip
    assert same[0].effects == {Effect.ADDITIVE}
    assert not same[4].effects | same[5].effects
    other = _ask(*steps, "CREATE TRIGGER guard AFTER DELETE ON guarded BEGIN SELECT 1; END")
    assert Effect.BREAKING in other[4].effects


def test_a_table_of_the_plan_made_again_is_nobodys_loss() -> None:
    judgements = _ask("CREATE TABLE fresh (a)", *_rebuild("fresh", "b", "SELECT a FROM fresh"), "DROP TABLE fresh")
    assert _union(judgements) == {Effect.ADDITIVE}
