"""Are rows that are in the way of a plan found before it runs, on each database, and only those?"""

from __future__ import annotations

import pytest

from mcp_migrate.migrations.preconditions import preconditions
from mcp_migrate.model import Plan, Precondition, Statement
from mcp_migrate.schema import Schema
from tests.migrations.sample import Shop

_TABLES = """
op.create_table("people", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
                sa.Column("email", sa.String(40)), sa.Column("code", sa.String(9)), sa.Column("boss", sa.Integer))
"""
_ASKS = """
with op.batch_alter_table("people") as batch:
    batch.alter_column("email", existing_type=sa.String(40), nullable=False)
    batch.create_unique_constraint("one_code", ["code"])
    batch.create_check_constraint("few", "boss < 100")
    batch.create_foreign_key("to_boss", "people", ["boss"], ["id"])
"""
_ROWS = "INSERT INTO people VALUES (1, 'a@b.c', 'x', NULL), (2, NULL, 'x', 1), (3, NULL, 'y', 7), (4, 'd', NULL, 700)"


def _conditions(shop: Shop) -> tuple[Precondition, ...]:
    """Those of the plan from where the target is to head."""
    found: list[Precondition] = []
    info = shop.project.describe(shop.dialect.name)
    rows, live = shop.live(info.version_table)

    def finish(plan: Plan, after: Schema) -> Plan:
        mark = shop.dialect.quote_mark
        found.extend(preconditions(plan.statements, live, after, dialect=plan.dialect, mark=mark))
        return plan

    shop.project.plan(
        "shop", shop.dialect, shop.url, current=rows, to="head", schema=live, version_table=info.version_table,
        finish=finish,
    )  # fmt: skip
    return tuple(found)


def _in_the_way(shop: Shop, conditions: tuple[Precondition, ...]) -> dict[str, int | str]:
    """How many rows are in the way of what, without the name of the database."""
    with shop.dialect.open_reader(shop.url) as reader:
        answers = {c.why: reader.count_returned(c.sql, at_most=100, seconds=10) for c in conditions}
    return {why.split(" ")[0].rpartition(".")[2]: answer.why_not or answer.rows for why, answer in answers.items()}


def _begin(shop: Shop, *later: str) -> None:
    for old in shop.versions.glob("*.py"):
        old.unlink()
    shop.revise("a1", None, _TABLES, 'op.drop_table("people")')
    shop.apply(shop.plan().statements)
    shop.apply((Statement(1, "rows", _ROWS),))
    for number, upgrade in enumerate(later, 2):
        shop.revise(f"r{number}", "a1" if number == 2 else f"r{number - 1}", upgrade)


@pytest.mark.proves("interface-precondition-failed")
def test_rows_in_the_way_of_each_kind_of_constraint_are_counted(shop: Shop) -> None:
    _begin(shop, _ASKS)
    assert _in_the_way(shop, _conditions(shop)) == {"email": 2, "code": 1, "few": 1, "boss": 2}


_WRITES = {
    "fills the rows first": "op.execute(\"UPDATE people SET email = 'none'\")",
    "does what is not understood": "op.execute('PRAGMA user_version = 5')",
    "drops the column and makes it again": (
        'op.drop_column("people", "email")\nop.add_column("people", sa.Column("email", sa.String(40)))'
    ),
    "renames another column to its name": (
        'op.alter_column("people", "email", new_column_name="old")\n'
        'op.alter_column("people", "code", new_column_name="email")'
    ),
}


@pytest.mark.parametrize("first", _WRITES)
def test_nothing_is_promised_of_what_the_plan_itself_changes_first(lite_shop: Shop, first: str) -> None:
    required = 'with op.batch_alter_table("people") as batch:\n'
    required += '    batch.alter_column("email", existing_type=sa.String(40), nullable=False)'
    _begin(lite_shop, _WRITES[first], required)
    assert _conditions(lite_shop) == ()


def test_what_looks_at_a_new_column_cannot_be_asked_and_a_new_table_asks_nothing(lite_shop: Shop) -> None:
    _begin(
        lite_shop,
        'op.create_table("pets", sa.Column("id", sa.Integer), sa.Column("n", sa.Integer, nullable=False))'
        '\nwith op.batch_alter_table("people") as batch:\n'
        '    batch.add_column(sa.Column("age", sa.Integer, nullable=False, server_default="1"))\n'
        '    batch.create_check_constraint("grown", "age > 0")',
    )
    assert _in_the_way(lite_shop, _conditions(lite_shop)) == {"grown": "no such column: age"}
