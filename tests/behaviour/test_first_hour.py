"""Does an admin get from a project to the first approved change of production, by what docs/first-hour.md says?"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from sqlalchemy.engine import make_url

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.signers.sign import generate_key
from tests.command import COMMAND
from tests.world import Agent

pytestmark = pytest.mark.anyio

ORDERS = '''
"""orders"""
revision, down_revision = "a1", None
from alembic import op
import sqlalchemy as sa


def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    op.drop_table("orders")
'''


@dataclass(frozen=True)
class Hour:
    """A project in a folder, the home of its admin, and two databases of one server."""

    folder: Path
    home: Path
    admin: str
    environment: Mapping[str, str]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [*COMMAND, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def hour(tmp_path: Path, postgres_server: str, postgres_url: str) -> Iterator[Hour]:
    """Its names are its own: other tests use the same server."""
    name = f"app_{uuid.uuid4().hex[:8]}"
    folder, home = tmp_path / name, tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    folder.mkdir()
    generate_key(home / ".ssh" / "id_ed25519")
    command.init(Config(folder / "alembic.ini"), str(folder / "migrations"))
    (folder / "migrations" / "versions" / "a1_orders.py").write_text(ORDERS)
    production = make_url(postgres_server)._replace(
        drivername="postgresql", database=name, username=f"{name}_broker", password=None
    )
    environment = {
        **{key: value for key, value in os.environ.items() if key.startswith(("PATH", "COVERAGE_", "PYTHONPATH"))},
        "HOME": str(home),
        "DATABASE_URL": postgres_url,
        "SHOP_PRODUCTION_URL": production.render_as_string(hide_password=False),
    }
    with connect(postgres_server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield Hour(folder, home, postgres_server.replace("/postgres?", f"/{name}?"), environment)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        for part in ("broker", "owner", "reader"):
            admin.execute(f"DROP ROLE IF EXISTS {name}_{part}".encode())


@pytest.mark.proves("first-hour")
async def test_from_init_to_an_approved_apply_on_production(hour: Hour) -> None:
    key = hour.home / ".ssh" / "id_ed25519"
    hour.run("init", "--production", "SHOP_PRODUCTION_URL", "--owner", "Ada", "--email", "ada@example.com", "--yes")
    with connect(hour.admin) as admin:
        admin.execute(hour.run("credentials", "sql", "production").encode())
    (hour.home / "trusted_keys_of_the_machine").write_text(key.with_suffix(".pub").read_text())
    hour.run("config", "sign", "--key", str(key))
    findings = json.loads(hour.run("doctor", "--json"))
    assert [each for each in findings if each["state"] == "fails"] == []

    served = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "serve"], env=dict(hour.environment), cwd=hour.folder
    )
    async with Client(served) as client:
        agent = Agent(client, "")
        plan = await agent.call("migration_plan", target="production")
        waits = await agent.call("migration_apply", plan_id=plan["plan_id"])
        assert waits["status"] == "approval_required", waits
        hour.run("approvals", "approve", waits["request_id"], "--key", str(key))
        assert (await agent.call("migration_apply", plan_id=plan["plan_id"]))["status"] == "applied"
    with connect(hour.admin) as admin:
        assert admin.execute(b"SELECT tableowner FROM pg_tables WHERE tablename = 'orders'").fetchall() == [
            (f"{hour.folder.name}_owner",)
        ]
