"""Does a plan do on a scratch database what its revisions did, there and back, and is what was seen told?"""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import RehearsalFailedError
from mcp_migrate.model import Rehearsal, Tried
from tests.migrations.sample import Shop

_TWICE = """
op.get_bind().connection.driver_connection.create_function("twice", 1, lambda value: value * 2)
op.execute("CREATE TABLE doubled AS SELECT twice(21) AS n")
"""
"""A function that the revision's Python brings along: the frozen SQL does not have it."""

_READS_AND_CHANGES = """
if not op.get_bind().execute(sa.text("SELECT id FROM customers")).fetchall():
    op.add_column("customers", sa.Column("email", sa.Text()))
"""


@pytest.mark.proves("plan-rehearsed")
def test_each_frozen_statement_was_seen_to_run_there_and_the_way_back_to_restore(shop: Shop) -> None:
    plan = shop.plan()

    seen = plan.rehearsal
    assert seen is not None
    assert [tried.n for tried in seen.statements] == [statement.n for statement in plan.statements]
    assert all(tried.seconds > 0 for tried in seen.statements)
    assert seen.rollback_seconds
    assert seen.rollback_restored
    assert seen.server == seen.target_server
    assert not seen.other_version
    assert Rehearsal.thaw(seen.told()) == seen


@pytest.mark.proves("plan-rehearsed")
def test_from_the_middle_it_starts_where_the_target_is(shop: Shop) -> None:
    shop.apply(shop.plan("b2").statements)

    plan = shop.plan()

    assert plan.rehearsal is not None
    assert [tried.n for tried in plan.rehearsal.statements] == [1, 2]
    assert plan.rehearsal.rollback_restored


@pytest.mark.proves("plan-rehearsed-observed")
def test_postgresql_tells_locks_and_rewrites_of_tables_that_were_there(tmp_path: Path, postgres_url: str) -> None:
    shop = Shop(tmp_path, postgres_url)
    shop.revise(
        "d4",
        "c3",
        """
        op.execute("CREATE INDEX by_name ON customers (name)")
        op.execute("ALTER TABLE customers ALTER COLUMN id TYPE bigint")
        op.execute("ALTER TABLE orders ADD COLUMN note text")
        op.execute("CREATE TABLE fresh (id int)")
        op.execute("CREATE INDEX by_id ON fresh (id)")
        """,
    )
    shop.apply(shop.plan("c3").statements)

    seen = shop.plan().rehearsal  # the downgrade does nothing, so the way back is derived

    assert seen is not None
    assert seen.observed
    assert seen.rollback_restored
    told = [(dict(tried.locks), tried.rewrites) for tried in seen.statements[:5]]
    assert told[0] == ({"public.customers": "SHARE"}, ())
    assert told[1][0]["public.customers"] == "ACCESS EXCLUSIVE"
    assert told[1][1] == ("public.customers",)
    assert told[1][0]["public.orders"] == "ACCESS EXCLUSIVE"  # its foreign key is made anew: no text says so
    assert told[2] == ({}, ())  # what it needs is held already
    assert told[3:] == [({}, ()), ({}, ())]


@pytest.mark.proves("plan-rehearsal-fails")
def test_sql_that_does_not_stand_alone_stops_the_plan(lite_shop: Shop) -> None:
    lite_shop.revise("d4", "c3", _TWICE)

    with pytest.raises(
        RehearsalFailedError, match=r"Statement \d+ of revision d4 .* no such function: twice"
    ) as caught:
        lite_shop.plan()

    assert caught.value.details["revision"] == "d4"
    assert caught.value.details["code"] == "statement_failed"
    assert "SQL stands alone" in caught.value.hint


@pytest.mark.proves("plan-rehearsal-fails")
def test_a_way_back_that_fails_is_none(lite_shop: Shop) -> None:
    lite_shop.revise("d4", "c3", 'op.create_table("fine", sa.Column("id", sa.Integer()))', _TWICE)

    plan = lite_shop.plan()

    assert not plan.reverse.available
    assert "no such function: twice" in str(plan.reverse.why_not)
    assert plan.rehearsal is not None
    assert plan.rehearsal.rollback_seconds is None


def test_another_major_version_is_told() -> None:
    seen = Rehearsal(
        "PostgreSQL 18.6", "PostgreSQL 18.1", observed=True, statements=(), rollback_seconds=0.1, rollback_restored=True
    )
    assert not seen.other_version
    older = Rehearsal(
        "PostgreSQL 18.6",
        "PostgreSQL 15.8",
        observed=True,
        statements=(Tried(1, 0.5),),
        rollback_seconds=None,
        rollback_restored=False,
    )
    assert older.other_version
    assert older.seconds == pytest.approx(0.5)


@pytest.mark.proves("plan-rehearsed")
def test_tables_that_were_there_before_the_first_revision_are_there_when_it_is_rehearsed(
    tmp_path: Path, postgres_url: str
) -> None:
    shop = Shop(tmp_path, postgres_url)
    shop.revise("a1", None, _READS_AND_CHANGES, 'op.drop_column("customers", "email")')
    with connect(postgres_url) as database:
        database.execute("CREATE TABLE customers (id int PRIMARY KEY)")

    plan = shop.plan("a1")

    assert plan.rehearsal is not None
    assert plan.rehearsal.rollback_restored
    assert (plan.doubts, len(plan.reads)) == ((), 1)  # of a table without rows every scratch database has all of them
