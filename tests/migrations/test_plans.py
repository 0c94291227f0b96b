from __future__ import annotations

import pytest

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.model import Plan
from mcp_migrate.schema import fingerprint
from tests.migrations.sample import ENV, Shop, texts


def test_a_plan_holds_each_statement_of_each_revision_in_order(shop: Shop) -> None:
    plan = shop.plan()

    assert (plan.from_revision, plan.to_revision) == (None, "c3")
    assert [s.n for s in plan.statements] == list(range(1, len(plan.statements) + 1))
    assert [(s.revision, s.kind) for s in plan.statements] == [
        ("a1", "version"),
        ("a1", "change"),
        ("a1", "version"),
        ("b2", "change"),
        ("b2", "change"),
        ("b2", "version"),
        ("c3", "change"),
        ("c3", "version"),
    ]
    assert texts(plan, "c3") == ["ALTER TABLE customers ADD COLUMN phone VARCHAR(40)"]
    assert plan.doubts == ()
    assert plan.reverse.available
    assert plan.reverse.restores_schema
    rolls_back = [not shop.dialect.commits(s.sql) for s in plan.statements]
    assert [s.transactional for s in plan.statements] == rolls_back
    assert all(rolls_back) == (shop.dialect.name != "mariadb")
    assert not any(s.parameters for s in plan.statements)


def test_two_recordings_have_one_digest_also_from_the_ledger(shop: Shop) -> None:
    one, other = shop.plan(), shop.plan()

    assert one.frozen() == other.frozen()
    assert one.digest == other.digest
    assert Plan.thaw(one.frozen()) == other


def test_the_plan_run_on_the_target_gives_the_expected_schema_there_and_back(shop: Shop) -> None:
    empty = fingerprint(shop.live()[1])
    plan = shop.run_and_compare("head")

    assert shop.apply(plan.reverse.statements) == empty == plan.base_fingerprint
    assert shop.live()[0] == ()


def test_each_step_can_be_planned_by_itself(lite_shop: Shop) -> None:
    for to, reached in [
        ("+1", "a1"),
        ("b2", "b2"),
        ("head", "c3"),
        ("-1", "b2"),
        ("-2", None),
        ("+2", "b2"),
        ("base", None),
    ]:
        plan = lite_shop.run_and_compare(to)
        assert plan.to_revision == reached
        assert plan.doubts == ()


def test_a_version_table_left_behind_at_base_is_not_created_again(shop: Shop) -> None:
    shop.run_and_compare("head")
    shop.run_and_compare("base")

    plan = shop.run_and_compare("head")

    assert plan.statements[0].kind == "change"


def test_a_target_that_is_there_already_has_an_empty_plan(shop: Shop) -> None:
    shop.run_and_compare("b2")

    plan = shop.plan("b2")

    assert plan.statements == ()
    assert plan.expected_fingerprint == plan.base_fingerprint
    assert plan.reverse.available


def test_a_downgrade_plan_has_the_upgrade_as_its_way_back(shop: Shop) -> None:
    shop.run_and_compare("head")

    plan = shop.plan("a1")

    assert texts(plan, "b2") == ["DROP TABLE orders"]
    assert plan.reverse.restores_schema
    assert [s.revision for s in plan.reverse.statements if s.kind == "version"] == ["b2", "c3"]


MADE = 'op.create_table("d", sa.Column("id", sa.Integer))'
ADDED = """op.execute("INSERT INTO customers (id, name) VALUES (1, 'x')")"""
"""Rows that are added cannot be told from the schema, so that no way back is derived."""


def test_a_downgrade_that_raises_is_no_way_back(shop: Shop) -> None:
    shop.apply(shop.plan("c3").statements)
    shop.revise("d4", "c3", f"{ADDED}\n{MADE}", 'raise NotImplementedError("never")')

    plan = shop.plan()

    assert plan.statements
    assert not plan.reverse.available
    assert "Revision d4" in str(plan.reverse.why_not)
    assert "NotImplementedError: never" in str(plan.reverse.why_not)


def test_a_downgrade_that_does_nothing_is_found_not_to_restore(shop: Shop) -> None:
    shop.apply(shop.plan("c3").statements)
    shop.revise("d4", "c3", f"{ADDED}\n{MADE}")

    plan = shop.plan()

    assert plan.reverse.available
    assert not plan.reverse.restores_schema


def test_several_heads_are_refused_with_the_way_out(lite_shop: Shop) -> None:
    lite_shop.revise("x9", "b2", "pass")

    with pytest.raises(RenderFailedError, match="2 heads: c3, x9") as caught:
        lite_shop.plan()
    assert "merge" in caught.value.hint
    assert lite_shop.plan("x9").to_revision == "x9"


def test_merged_branches_are_planned_and_run(shop: Shop) -> None:
    shop.revise("x9", "b2", 'op.create_table("x", sa.Column("id", sa.Integer))', 'op.drop_table("x")')
    shop.revise("m5", ("c3", "x9"), "pass")

    plan = shop.run_and_compare("head")

    moves = [s for s in plan.statements if s.kind == "version"]
    assert plan.to_revision == "m5"
    assert [s.revision for s in moves].count("m5") == 2
    assert not [s for s in plan.statements if s.kind == "change" and "alembic_version" in s.sql]


@pytest.mark.parametrize(
    ("current", "to", "sentence"),
    [
        ((), "nowhere", "no revision 'nowhere'.*, as c3"),
        (("gone",), "head", "at revision gone, which the project does not have"),
        (("a1", "b2"), "head", "holds 2 rows: a1, b2"),
        ((), "-1", "-1 from base is nothing"),
        (("c3",), "+1", r"\+1 from c3 is nothing.*Nothing comes after it"),
    ],
)
def test_a_way_that_does_not_exist_is_refused(
    lite_shop: Shop, current: tuple[str, ...], to: str, sentence: str
) -> None:
    with pytest.raises(RenderFailedError, match=sentence):
        lite_shop.plan(to, current=current)


def test_a_revision_on_another_branch_is_refused(lite_shop: Shop) -> None:
    lite_shop.revise("x9", "b2", "pass")

    with pytest.raises(RenderFailedError, match="x9 is neither ahead of c3 nor behind it"):
        lite_shop.plan("x9", current=("c3",))


def test_an_abbreviated_revision_is_found(lite_shop: Shop) -> None:
    lite_shop.revise("deadbeef01", "c3", "pass")

    assert lite_shop.plan("deadbe").to_revision == "deadbeef01"


def test_a_failing_upgrade_is_named(shop: Shop) -> None:
    shop.revise("d4", "c3", 'op.execute("ALTER TABLE nothing ADD COLUMN x int")')

    with pytest.raises(RenderFailedError, match=r"Revision d4 .*d4_change.py, line \d+.*nothing"):
        shop.plan()


def test_a_version_table_of_another_name_is_moved(shop: Shop) -> None:
    shop.env(ENV.replace("target_metadata=", 'version_table="moves", target_metadata='))

    plan = shop.plan()

    assert plan.version_table == "moves"
    assert [s.kind for s in plan.statements].count("version") == 4


def test_a_target_that_drifted_is_planned_on_a_copy_of_what_it_is(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = Shop(tmp_path_factory.mktemp("shop"), postgres_url)
    shop.run_and_compare("b2")
    _execute(postgres_url, "ALTER TABLE orders ADD COLUMN surprise integer")
    copied = shop.plan()
    _execute(postgres_url, "CREATE TYPE span AS RANGE (subtype = int4)")
    replayed = shop.plan()

    assert (copied.doubts, copied.expected_fingerprint is None) == ((), False)
    assert replayed.expected_fingerprint is None
    assert any("differs from what its revision should give" in doubt and "orders" in doubt for doubt in replayed.doubts)


def test_a_replayed_schema_is_what_the_revisions_give(shop: Shop) -> None:
    def replayed(to: str) -> str:
        schema = shop.project.replay(shop.dialect, shop.url, to=to, version_table="alembic_version").schema
        return fingerprint(schema)

    empty = fingerprint(shop.live()[1])
    shop.run_and_compare("head")

    assert replayed("base") == empty
    assert replayed("head") == fingerprint(shop.live()[1]) != replayed("b2")


def _execute(url: str, sql: str) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()
