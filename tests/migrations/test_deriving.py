"""Does a plan have a way back where its project does not say one, and does it say that we wrote it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_migrate.model import Plan
from mcp_migrate.schema import fingerprint
from tests.migrations.sample import Shop, lite

CHANGES = """
op.rename_table("orders", "purchases")
op.drop_column("customers", "phone")
op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.String(40)))
op.create_index("notes_by_text", "notes", ["text"])
"""


@pytest.mark.proves("way-back-derived")
@pytest.mark.parametrize(
    ("product", "downgrade"),
    [("sqlite", "pass"), ("postgresql", "raise NotImplementedError('there is no way back')"), ("mariadb", "pass")],
)
def test_a_missing_downgrade_is_derived_rehearsed_and_told(
    request: pytest.FixtureRequest, tmp_path: Path, product: str, downgrade: str
) -> None:
    fixture = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}.get(product)
    shop = Shop(tmp_path, str(request.getfixturevalue(fixture))) if fixture else lite(tmp_path)
    shop.apply(shop.plan("c3").statements)
    start = fingerprint(shop.live()[1])
    shop.revise("d4", "c3", CHANGES, downgrade)

    plan = shop.plan()

    back = plan.reverse
    assert (back.available, back.restores_schema, back.derived, back.why_not) == (True, True, True, None)
    assert plan.rehearsal is not None
    assert plan.rehearsal.rollback_restored
    assert all(statement.derived for statement in back.statements if statement.kind == "change")
    assert Plan.thaw(plan.frozen()) == plan
    shop.apply(plan.statements)
    assert shop.apply(back.statements) == start
    assert shop.live()[0] == ("c3",)


def test_what_a_downgrade_leaves_out_is_added_to_it(lite_shop: Shop) -> None:
    lite_shop.apply(lite_shop.plan("c3").statements)
    lite_shop.revise("d4", "c3", CHANGES.replace("op.rename_table", "#"), 'op.drop_table("notes")')

    back = lite_shop.plan().reverse

    changes = [statement for statement in back.statements if statement.kind == "change"]
    assert back.restores_schema
    assert changes[0].derived is False
    assert [s.sql.split()[:2] for s in changes if s.derived] == [["ALTER", "TABLE"]]


def test_what_is_not_certain_is_not_derived(lite_shop: Shop) -> None:
    lite_shop.apply(lite_shop.plan("c3").statements)
    adds_rows = """op.execute("INSERT INTO customers (id, name) VALUES (1, 'x')")"""
    lite_shop.revise("d4", "c3", f"""{adds_rows}\nop.drop_column("customers", "phone")""")

    back = lite_shop.plan().reverse

    assert (back.available, back.restores_schema, back.derived) == (True, False, False)
