"""A small Alembic project to plan with: a shop of three revisions, and places to add worse ones."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Dialect, Limits
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.migrations import Project
from mcp_migrate.migrations.cage.confinement import Confinement
from mcp_migrate.migrations.child.witness import RACY
from mcp_migrate.model import Plan, Statement
from mcp_migrate.schema import Schema, fingerprint
from tests.mariadb import ask

INI = """[alembic]
script_location = %(here)s/migrations
prepend_sys_path = .
sqlalchemy.url = driver://nobody:nothing@nowhere/never
"""

ENV = """
from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config
try:
    from models import Base
    target_metadata = Base.metadata
except ImportError:
    target_metadata = None

if context.is_offline_mode():
    url = config.get_main_option("sqlalchemy.url")
    context.configure(url=url, target_metadata=target_metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = engine_from_config(config.get_section(config.config_ini_section), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()
"""

CUSTOMERS = """
op.create_table(
    "customers",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("email", sa.String(200), unique=True),
)
"""
ORDERS = """
op.create_table(
    "orders",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id"), nullable=False),
    sa.Column("total", sa.Numeric(10, 2), server_default="0", nullable=False),
)
op.create_index("orders_by_customer", "orders", ["customer_id"])
"""


@dataclass
class Shop:
    """A project in a folder and the target it defines."""

    folder: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    models: str | None = None
    timeout: float = 60.0
    confined: Confinement = field(default_factory=Confinement)

    def __post_init__(self) -> None:
        (self.folder / "migrations" / "versions").mkdir(parents=True)
        self.ini.write_text(INI)
        self.env(ENV)
        self.revise("a1", None, CUSTOMERS, 'op.drop_table("customers")', message="customers")
        self.revise("b2", "a1", ORDERS, 'op.drop_table("orders")', message="orders")
        self.revise(
            "c3",
            "b2",
            'op.add_column("customers", sa.Column("phone", sa.String(40)))',
            'op.drop_column("customers", "phone")',
            message="phone",
        )
        self.confine(self.confined)

    def confine(self, confined: Confinement) -> None:
        """Have the project's children confined like this."""
        self.confined = confined
        self.project = Project(
            self.ini, environment=self.environment, models=self.models, timeout=self.timeout, confined=confined
        )

    @property
    def ini(self) -> Path:
        return self.folder / "alembic.ini"

    @property
    def dialect(self) -> Dialect:
        return dialect_for(self.url)

    @property
    def versions(self) -> Path:
        return self.folder / "migrations" / "versions"

    def settled(self) -> Shop:
        """The same shop, when its files are old enough for an answer to be remembered."""
        places = [self.folder, *self.folder.rglob("*")]
        while time.time_ns() - max(path.stat().st_ctime_ns for path in places) < 2 * RACY:
            time.sleep(0.01)
        return self

    def env(self, text: str) -> None:
        (self.folder / "migrations" / "env.py").write_text(text)

    def revise(
        self,
        revision: str,
        down: str | tuple[str, ...] | None,
        upgrade: str,
        downgrade: str = "pass",
        *,
        message: str = "a change",
        top: str = "",
    ) -> Path:
        """Write a revision file."""
        path = self.versions / f"{revision}_change.py"
        body = (
            f'"""{message}"""\nimport sqlalchemy as sa\nfrom alembic import context, op\n{dedent(top)}\n'
            f"revision = {revision!r}\ndown_revision = {down!r}\n\n\n"
            f"def upgrade():\n{indent(dedent(upgrade).strip(), '    ')}\n\n\n"
            f"def downgrade():\n{indent(dedent(downgrade).strip(), '    ')}\n"
        )
        path.write_text(body)
        return path

    def plan(self, to: str = "head", *, current: tuple[str, ...] | None = None) -> Plan:
        """Plan from where the target is, or claims to be."""
        info = self.project.describe(self.dialect.name)
        rows, schema = self.live(info.version_table)
        return self.project.plan(
            "shop",
            self.dialect,
            self.url,
            current=rows if current is None else current,
            to=to,
            schema=schema,
            version_table=info.version_table,
        )

    def live(self, version_table: str = "alembic_version") -> tuple[tuple[str, ...], Schema]:
        """Revision and schema of the target."""
        with self.dialect.open_reader(self.url) as reader:
            return reader.revisions(version_table), reader.schema(version_table=version_table)

    def apply(self, statements: tuple[Statement, ...]) -> str:
        """Run frozen statements on the target, as the executor would; the fingerprint afterwards."""
        with self.dialect.open_writer(self.url, statements, limits=Limits()) as writer:
            for statement in statements:
                writer.run(statement)
        return fingerprint(self.live()[1])

    def run_and_compare(self, to: str) -> Plan:
        """Plan, run the plan, and hold the target against what the plan expected."""
        plan = self.plan(to)
        assert plan.expected_fingerprint is not None
        assert self.apply(plan.statements) == plan.expected_fingerprint
        assert self.live()[0] == ((plan.to_revision,) if plan.to_revision else ())
        return plan


def lite(folder: Path) -> Shop:
    """The shop with an empty SQLite database."""
    (folder / "shop.db").touch()
    return Shop(folder, f"sqlite:///{(folder / 'shop.db').as_posix()}")


def alembic(ini: Path, *words: str, environment: Mapping[str, str]) -> None:
    """Run Alembic's own command."""
    command = [sys.executable, "-P", "-m", "alembic", "-c", str(ini), *words]
    subprocess.run(command, check=True, capture_output=True, cwd=ini.parent, env=dict(environment))


def emptied(url: str) -> None:
    """Have an empty database under the same name: on MariaDB that is the schema's."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "mariadb":
        ask(url, f"DROP DATABASE {parsed.database}")
        ask(url.replace(f"/{parsed.database}", "/test"), f"CREATE DATABASE {parsed.database}")
    elif parsed.get_backend_name() == "postgresql":
        with connect(url) as session:
            session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    else:
        Path(str(parsed.database)).write_bytes(b"")


def texts(plan: Plan, revision: str) -> list[str]:
    """The changes of one revision, on one line each."""
    return [" ".join(s.sql.split()) for s in plan.statements if s.revision == revision and s.kind == "change"]
