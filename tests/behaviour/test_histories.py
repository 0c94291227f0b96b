"""Do the histories of real applications go up, and down as far as they can, exactly as Alembic takes them?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
)

from mcp_migrate.dialects import dialect_for
from mcp_migrate.schema import diff
from mcp_migrate.signers.sign import generate_key
from tests.alembic_ini import alembic_ini
from tests.world import Agent, World

pytestmark = pytest.mark.anyio

HISTORIES = {"optuna": "optuna/storages/_rdb/alembic", "mlflow": "mlflow/store/db_migrations"}


INITIAL = MetaData()
Table(
    "experiments",
    INITIAL,
    Column("experiment_id", Integer, autoincrement=True),
    Column("name", String(256), unique=True, nullable=False),
    Column("artifact_location", String(256), nullable=True),
    Column("lifecycle_stage", String(32), default="active"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="experiments_lifecycle_stage"),
    PrimaryKeyConstraint("experiment_id", name="experiment_pk"),
)
Table(
    "runs",
    INITIAL,
    Column("run_uuid", String(32), nullable=False),
    Column("name", String(250)),
    Column("source_type", String(20)),
    Column("source_name", String(500)),
    Column("entry_point_name", String(50)),
    Column("user_id", String(256), nullable=True),
    Column("status", String(20)),
    Column("start_time", BigInteger),
    Column("end_time", BigInteger, nullable=True),
    Column("source_version", String(50)),
    Column("lifecycle_stage", String(20)),
    Column("artifact_uri", String(200)),
    Column("experiment_id", Integer, ForeignKey("experiments.experiment_id")),
    CheckConstraint("source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')", name="source_type"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="runs_lifecycle_stage"),
    CheckConstraint("status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING')", name="status"),
    PrimaryKeyConstraint("run_uuid", name="run_pk"),
)
for _name, _pk, _columns in (
    ("tags", "tag_pk", [Column("key", String(250)), Column("value", String(250), nullable=True)]),
    ("metrics", "metric_pk", [Column("key", String(250)), Column("value", Float, nullable=False)]),
    ("params", "param_pk", [Column("key", String(250)), Column("value", String(250), nullable=False)]),
):
    _keys = ["key", "timestamp", "run_uuid"] if _name == "metrics" else ["key", "run_uuid"]
    Table(
        _name,
        INITIAL,
        *_columns,
        *([Column("timestamp", BigInteger)] if _name == "metrics" else []),
        Column("run_uuid", String(32), ForeignKey("runs.run_uuid")),
        PrimaryKeyConstraint(*_keys, name=_pk),
    )


class History(World):
    """One application's own Alembic project, unchanged, with a target that starts empty."""

    def __init__(self, folder: Path, name: str, url: str) -> None:
        self.folder = folder
        self.url = url
        self.keys = {"grace": folder / "grace_key"}
        key = generate_key(self.keys["grace"])
        location = next(path for path in map(Path, sys.path) if (path / HISTORIES[name]).is_dir()) / HISTORIES[name]
        self.ini = folder / "alembic.ini"
        self.ini.write_text(alembic_ini(location, url))
        self.config = folder / "mcp-migrate.yaml"
        effects = ["additive", "data", "destructive", "breaking", "blocking", "unknown", "privilege"]
        value = {
            "version": 1,
            "targets": {"shop": {"tier": "staging", "alembic": "alembic.ini", "url": "${ini:sqlalchemy.url}"}},
            "workflows": {
                "histories": {
                    "owner": {"name": "Ada", "email": "ada@example.com"},
                    "principals": ["agent:demo"],
                    "scopes": [{"tools": ["*"], "targets": ["*"], "effects": effects}],
                }
            },
            "reviewers": {"grace": {"ssh_keys": [key.line]}},
        }
        self.config.write_text(yaml.safe_dump(value))

    def alembic(self, ini: Path, *words: str) -> None:
        """Run plain Alembic."""
        command = [sys.executable, "-m", "alembic", "-c", str(ini), *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    async def signed(self, agent: Agent, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """Make a call, let a reviewer sign when that is asked, and make it again."""
        answer = await agent.call(tool, **arguments)
        if answer.get("status") == "approval_required":
            self.sign(answer["request_id"])
            answer = await agent.call(tool, **arguments)
        return answer


def assert_same(url: str, plain: str) -> None:
    """The schema of two databases is one."""
    dialect = dialect_for(url)
    schemas = []
    for each in (url, plain):
        with dialect.open_reader(each) as reader:
            schemas.append(reader.schema(version_table="alembic_version"))
    assert diff(*schemas) == ()


@pytest.fixture
def second_url(postgres_url: str, postgres_server: str) -> Iterator[str]:
    from mcp_migrate.drivers.postgresql import connect

    name = postgres_url.partition("?")[0].rpartition("/")[2] + "_plain"
    with connect(postgres_server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield postgres_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def climb(history: History, plain: str, *, replays: bool = True) -> None:
    """From empty to head through the tools; the schema is what plain Alembic makes, and back it is empty again."""
    async with history.stdio_agent() as agent:
        plan = await agent.call("migration_plan", target="shop")
        assert "code" not in plan, plan
        done = await history.signed(agent, "migration_apply", plan_id=plan["plan_id"])
        assert done["status"] == "applied", done
        if replays:
            synced = await agent.call("schema_diff", target="shop", against="head")
            assert synced["in_sync"], synced
    other = history.folder / "plain.ini"
    other.write_text(history.ini.read_text().replace(history.url, plain))
    history.alembic(other, "upgrade", "head")
    assert_same(history.url, plain)
    assert history.command("ledger", "verify").returncode == 0


async def descend(history: History, lowest: str) -> None:
    """Down to `lowest` in one plan, exactly as planned; step by step is what `test_public_projects` goes."""
    async with history.stdio_agent() as agent:
        down = await history.signed(agent, "migration_rollback", target="shop", to=lowest)
        assert (down.get("status"), down.get("revision")) == ("applied", lowest), down


@pytest.mark.proves("history-optuna-sqlite")
async def test_optuna_goes_up_and_down_on_sqlite(tmp_path: Path) -> None:
    history = History(tmp_path, "optuna", f"sqlite:///{tmp_path}/optuna.db")
    await climb(history, f"sqlite:///{tmp_path}/plain.db")
    await descend(history, "v3.0.0.c")


@pytest.mark.proves("history-optuna-postgresql")
async def test_optuna_goes_up_and_down_on_postgresql(tmp_path: Path, postgres_url: str, second_url: str) -> None:
    history = History(tmp_path, "optuna", postgres_url)
    await climb(history, second_url)
    await descend(history, "v3.0.0.c")


@pytest.mark.proves("history-mlflow-sqlite")
async def test_mlflow_goes_up_on_sqlite_from_the_tables_it_starts_with(tmp_path: Path) -> None:
    history = History(tmp_path, "mlflow", f"sqlite:///{tmp_path}/mlflow.db")
    plain = f"sqlite:///{tmp_path}/plain.db"
    make_initial_tables(history.url, plain)
    await climb(history, plain, replays=False)  # its revisions alone do not make its schema


def make_initial_tables(*urls: str) -> None:
    """mlflow's first revision changes tables that mlflow makes before it calls Alembic."""
    for url in urls:
        engine = create_engine(url)
        INITIAL.create_all(engine)
        engine.dispose()
