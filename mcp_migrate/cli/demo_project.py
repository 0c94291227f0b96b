"""What does the demo work on? A small shop: an Alembic project, a SQLite database with rows, a configuration."""

from __future__ import annotations

import sqlite3
from pathlib import Path

INI = """[alembic]
script_location = %(here)s/migrations
prepend_sys_path = %(here)s
sqlalchemy.url = sqlite:///shop.db
"""

ENV = """from alembic import context
from sqlalchemy import engine_from_config, pool

from shop_models import Base

config = context.config

if context.is_offline_mode():
    context.configure(url=config.get_main_option("sqlalchemy.url"), target_metadata=Base.metadata,
                      literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = engine_from_config(config.get_section(config.config_ini_section), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
"""

MAKO = '''"""${message}"""

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
'''

MODELS = """from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200))
    loyalty_points: Mapped[int | None]
"""

REVISIONS = {
    "a1_shop": '''"""the shop"""

revision = "a1"
down_revision = None

from alembic import op
import sqlalchemy as sa


def upgrade():
    op.create_table("customers", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("email", sa.String(200), nullable=False),
                    sa.Column("fax", sa.String(40)))
    op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("customer_id", sa.Integer(), sa.ForeignKey("customers.id"), nullable=False),
                    sa.Column("total", sa.Integer(), nullable=False))


def downgrade():
    op.drop_table("orders")
    op.drop_table("customers")
''',
    "b2_loyalty": '''"""loyalty points"""

revision = "b2"
down_revision = "a1"

from alembic import op
import sqlalchemy as sa


def upgrade():
    op.add_column("customers", sa.Column("loyalty_points", sa.Integer(), nullable=True))


def downgrade():
    op.drop_column("customers", "loyalty_points")
''',
    "c3_no_fax": '''"""nobody sends faxes"""

revision = "c3"
down_revision = "b2"

from alembic import op
import sqlalchemy as sa


def upgrade():
    op.drop_column("customers", "fax")


def downgrade():
    op.add_column("customers", sa.Column("fax", sa.String(40)))
''',
}

CONFIG = """version: 1
targets:
  shop:
    tier: staging
    alembic: ./alembic.ini
    url: sqlite:///shop.db
    models: shop_models:Base.metadata
workflows:
  shop-agent:
    owner: {{name: Ada Lovelace, email: ada@example.com}}
    principals: [agent:demo]
    scopes:
      - tools: ["schema_*", "migration_plan", "migration_status", "migration_validate", "approval_status",
                "audit_read", "access_explain"]
        targets: ["*"]
      - {{tools: [revision_create], targets: [shop], effects: [additive]}}
      - tools: [migration_apply, migration_rollback]
        targets: [shop]
        effects: [additive, data, destructive, breaking, blocking, unknown]
reviewers:
  grace:
    ssh_keys: ["{key}"]
    groups: [dba]
    email: grace@example.com
approvals:
  - when: {{effects: [destructive, breaking, unknown]}}
    require: {{from: dba, count: 1, expires: 1h, never: [owner]}}
"""

CUSTOMERS, ORDERS = 40, 120


def make_project(folder: Path, *, reviewer_key: str) -> Path:
    """Write the project, a database at its first revision with rows, and the configuration; the last is returned."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text(INI)
    (folder / "shop_models.py").write_text(MODELS)
    (folder / "migrations" / "env.py").write_text(ENV)
    (folder / "migrations" / "script.py.mako").write_text(MAKO)
    for name, text in REVISIONS.items():
        (versions / f"{name}.py").write_text(text)
    _make_database(folder / "shop.db")
    config = folder / "mcp-migrate.yaml"
    config.write_text(CONFIG.format(key=reviewer_key))
    return config


def _make_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,
                CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
            INSERT INTO alembic_version VALUES ('a1');
            CREATE TABLE customers (id INTEGER NOT NULL, email VARCHAR(200) NOT NULL, fax VARCHAR(40),
                PRIMARY KEY (id));
            CREATE TABLE orders (id INTEGER NOT NULL, customer_id INTEGER NOT NULL, total INTEGER NOT NULL,
                PRIMARY KEY (id), FOREIGN KEY(customer_id) REFERENCES customers (id));
            """
        )
        database.executemany(
            "INSERT INTO customers (email, fax) VALUES (?, ?)",
            [(f"customer{n}@example.com", f"+49 30 {n:06}") for n in range(CUSTOMERS)],
        )
        database.executemany(
            "INSERT INTO orders (customer_id, total) VALUES (?, ?)",
            [(n % CUSTOMERS + 1, 100 + n) for n in range(ORDERS)],
        )
    database.close()
