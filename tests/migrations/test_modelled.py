"""What is a difference to the models, on both databases, and what is theirs to leave out?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations import Project
from mcp_migrate.schema import diff
from tests.migrations.sample import Shop, lite

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column

class Base(DeclarativeBase):
    pass

class Customer(Base):
    __tablename__ = "customers"
    id = mapped_column(sa.Integer, primary_key=True)
    name = mapped_column(sa.String(80), nullable=False, server_default="x", comment="{comment}")
    mood = mapped_column(sa.Enum("glad", "sad", name="mood"))
    __table_args__ = (sa.CheckConstraint("id > 0"), sa.UniqueConstraint("name"))

class Order(Base):
    __tablename__ = "orders"
    id = mapped_column(sa.Integer, primary_key=True)
    customer_id = mapped_column(sa.ForeignKey("customers.id"), index=True)
    total = mapped_column(sa.Numeric({total}))
"""

CREATE = """
op.create_table("customers",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False, server_default="x", comment="who"),
    sa.Column("mood", sa.Enum("glad", "sad", name="mood")),
    sa.CheckConstraint("id > 0", name="above"), sa.UniqueConstraint("name", name="one_name"),
    sa.PrimaryKeyConstraint("id", name="customers_key"))
op.create_table("orders",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("total", sa.Numeric(10, 2)),
    sa.Column("customer_id", sa.Integer(), sa.ForeignKey("customers.id", name="of_customer")))
op.create_index("ix_orders_customer_id", "orders", ["customer_id"])
"""
INEXPRESSIBLE = {
    "postgresql": """
        CREATE VIEW v AS SELECT id FROM customers;
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();
        CREATE POLICY p ON orders USING (true); ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON orders TO PUBLIC; ALTER TABLE orders OWNER TO pg_monitor;
        ALTER TABLE orders ALTER total SET STATISTICS 5, REPLICA IDENTITY FULL;
        CREATE SCHEMA other; CREATE TABLE other.x (id integer);
        CREATE RULE r AS ON DELETE TO orders DO INSTEAD NOTHING;
    """,
    "sqlite": """
        CREATE VIEW v AS SELECT id FROM customers;
        CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM customers; END;
    """,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    if request.param == "sqlite":
        return lite(tmp_path)
    return Shop(tmp_path, request.getfixturevalue("postgres_url"))


def run(shop: Shop, sql: str) -> None:
    if shop.dialect.name == "postgresql":
        with connect(shop.url) as connection:
            connection.execute(sql.encode())
        return
    with closing(sqlite3.connect(shop.folder / "shop.db")) as database:
        database.executescript(sql)


def start(shop: Shop, text: str = MODELS, *, comment: str = "who", total: str = "10, 2") -> Callable[[], list[str]]:
    """Migrate the target; what is asked is how it then differs from the models."""
    for path in shop.versions.glob("*.py"):
        path.unlink()
    shop.revise("a1", None, CREATE)
    shop.project.describe(shop.dialect.name)
    shop.run_and_compare("head")
    (shop.folder / "shop_models.py").write_text(text.replace("{comment}", comment).replace("{total}", total))
    project = Project(shop.ini, environment={"PYTHONPATH": str(shop.folder)}, models="shop_models:Base.metadata")

    def ask() -> list[str]:
        live = shop.live()[1]
        both = project.modelled(shop.dialect, shop.url, live=live, version_table="alembic_version")
        return [f"{change.kind} {change.object.partition('.')[2]}" for change in diff(*both)]

    return ask


def test_names_that_the_models_leave_to_the_database_are_no_difference(shop: Shop) -> None:
    assert start(shop)() == []


def test_what_metadata_cannot_express_is_no_difference(shop: Shop) -> None:
    ask = start(shop)
    run(shop, INEXPRESSIBLE[shop.dialect.name])
    assert ask() == []


def test_what_metadata_expresses_is_a_difference(shop: Shop) -> None:
    ask = start(shop, comment="whom", total="12, 2")
    run(
        shop,
        "DROP INDEX ix_orders_customer_id; ALTER TABLE orders ADD COLUMN extra integer; CREATE TABLE t (id integer)",
    )
    found = ask()
    expected = [
        "drop_table t",
        "widen_type orders.total",
        "add_index orders.ix_orders_customer_id",
        "drop_column orders.extra",
    ]
    if shop.dialect.name == "postgresql":
        expected.append("change_comment customers.name")
    assert sorted(found) == sorted(expected)


def test_a_value_added_to_an_enum_on_the_target_is_seen(tmp_path: Path, postgres_url: str) -> None:
    shop = Shop(tmp_path, postgres_url)
    ask = start(shop)
    run(shop, "ALTER TYPE mood ADD VALUE 'calm'")
    assert ask() == ["drop_enum_value mood.calm"]


def test_models_that_cannot_be_made_are_refused_with_the_reason(shop: Shop) -> None:
    ask = start(shop, MODELS.replace('"id > 0"', '"((("'))
    with pytest.raises(RenderFailedError, match=r"the models cannot be made on an empty database: .*syntax error"):
        ask()


def test_schemas_that_no_model_names_count_only_where_env_py_includes_them(tmp_path: Path, postgres_url: str) -> None:
    shop = Shop(tmp_path, postgres_url)
    ask = start(shop)
    run(shop, "CREATE SCHEMA other; CREATE TABLE other.x (id integer); CREATE TABLE other.y (id integer)")
    assert ask() == []
    env = (shop.folder / "migrations" / "env.py").read_text()
    named = "include_schemas=True, include_name=lambda name, kind, parents: name != 'y', connection="
    shop.env(env.replace("connection=", named))
    assert ask() == ["drop_table x"]
