"""Is a migration that depends on rows as exact as one of the schema?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mcp_migrate.dialects.interface import Limits
from mcp_migrate.migrations.planning import silent
from mcp_migrate.model import Plan
from tests.migrations.sample import Shop

_SPLIT = """
bind = op.get_bind()
op.add_column("customers", sa.Column("short", sa.String(10)))
for number, name in bind.execute(sa.text("SELECT id, name FROM customers WHERE id > :least"), {"least": 0}).fetchall():
    bind.execute(sa.text("UPDATE customers SET short = :short WHERE id = :id"), {"short": name[:2], "id": number})
"""
_READ = "read rows of customers while it was recorded"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """The shop at ``c3`` with two customers and an order, and a revision that reads them."""
    fixtures = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}
    own = fixtures.get(request.param)
    url = request.getfixturevalue(own) if own else f"sqlite:///{tmp_path / 'shop.db'}"
    (tmp_path / "shop.db").touch()
    shop = Shop(tmp_path, str(url))
    shop.apply(shop.plan("c3").statements)
    send(shop, "INSERT INTO customers (id, name) VALUES (1, 'Ada'), (2, 'Grace')")
    shop.revise("d4", "c3", _SPLIT, 'op.drop_column("customers", "short")')
    return shop


def send(shop: Shop, sql: str) -> None:
    """Change the target behind everybody's back."""
    from sqlalchemy import create_engine

    engine = create_engine(shop.url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(sql)
    engine.dispose()


def planned(shop: Shop, *, max_rows: int = 100) -> Plan:
    """The plan to head, made with the rows that are read."""
    rows, schema = shop.live()
    return shop.project.plan(
        "shop",
        shop.dialect,
        shop.url,
        current=rows,
        to="head",
        schema=schema,
        version_table="alembic_version",
        max_rows=max_rows,
        progress=silent,
    )


@pytest.mark.proves("plan-reads")
def test_rows_that_a_revision_reads_are_under_the_digest_and_leave_no_doubt(filled: Shop) -> None:
    plan = planned(filled)

    assert plan.doubts == ()
    [read] = plan.reads
    assert (read.revision, read.tables, read.parameters) == ("d4", ("customers",), (0,))
    assert [s.sql.split()[0] for s in plan.statements] == ["ALTER", "UPDATE", "UPDATE", "UPDATE"]
    assert read.before == 2
    assert Plan.thaw(plan.frozen()) == plan
    assert "Ada" not in str(read)
    assert dataclasses.replace(plan, reads=()).digest != plan.digest
    assert plan.reverse.restores_schema
    assert plan.rehearsal is not None


@pytest.mark.proves("plan-reads")
def test_the_same_rows_are_recognised_in_the_transaction_and_others_are_not(filled: Shop) -> None:
    plan = planned(filled)
    [read] = plan.reads
    with filled.dialect.open_writer(filled.url, plan.statements, limits=Limits()) as writer:
        for statement in plan.statements[: read.before - 1]:
            writer.run(statement)
        assert writer.look(read.sql, read.parameters) == read.result
    send(filled, "UPDATE customers SET name = 'Eve' WHERE id = 2")
    with filled.dialect.open_writer(filled.url, (), limits=Limits()) as writer:
        assert writer.look(read.sql, read.parameters) != read.result


@pytest.mark.proves("plan-reads")
@pytest.mark.parametrize("most", [0, 1])
def test_where_rows_may_not_be_copied_or_are_too_many_the_doubt_stays(filled: Shop, most: int) -> None:
    plan = planned(filled, max_rows=most)

    assert plan.reads == ()
    assert _READ in str(plan.doubts)
