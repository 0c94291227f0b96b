"""Two public applications' own histories, their files unedited, on both databases."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations import Project
from mcp_migrate.model import Plan
from mcp_migrate.schema import Schema, diff, fingerprint
from tests.migrations.sample import alembic

LOGGING = """
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
level = WARN
handlers =
"""
MLFLOW_ENV = """
from alembic import context
from sqlalchemy import engine_from_config, pool
from mlflow.store.tracking.dbmodels.initial_models import Base

config = context.config
engine = engine_from_config(config.get_section(config.config_ini_section), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, render_as_batch=True)
    if not context.get_context().get_current_heads():
        Base.metadata.create_all(connection)
        connection.commit()
    with context.begin_transaction():
        context.run_migrations()
"""
"""mlflow makes its first tables outside of its history; this `env.py` does the same, inside of it."""


class Application:
    """A project whose revisions are a public application's, and an empty target."""

    def __init__(self, folder: Path, url: str, script_location: str, *, more: str = "") -> None:
        self.folder = folder
        self.url = url
        self.dialect = dialect_for(url)
        self.settings = f"script_location = {script_location}\n{more}\n"
        self.project = Project(self.ini("driver://nowhere", "project.ini"), environment={}, models=None)
        self.info = self.project.describe(self.dialect.name)

    def ini(self, url: str, name: str) -> Path:
        path = self.folder / name
        path.write_text(f"[alembic]\nsqlalchemy.url = {url.replace('%', '%%')}\n{self.settings}\n{LOGGING}")
        return path

    def live(self) -> tuple[tuple[str, ...], Schema]:
        with self.dialect.open_reader(self.url) as reader:
            return reader.revisions("alembic_version"), reader.schema(version_table="alembic_version")

    def plan(self, to: str) -> Plan:
        current, schema = self.live()
        return self.project.plan(
            "app", self.dialect, self.url, current=current, to=to, schema=schema, version_table="alembic_version"
        )

    def run(self, to: str) -> Plan:
        """Plan, run the frozen statements alone, and hold the target against what was expected."""
        plan = self.plan(to)
        with self.dialect.open_writer(self.url, plan.statements, limits=Limits()) as writer:
            for statement in plan.statements:
                writer.run(statement)
        assert self.live()[0] == ((plan.to_revision,) if plan.to_revision else ())
        assert fingerprint(self.live()[1]) == plan.expected_fingerprint
        return plan

    def made_by_alembic(self, url: str) -> Schema:
        """The schema after ``alembic upgrade head`` on another database."""
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        with_driver = url.replace("postgresql://", "postgresql+psycopg://")
        alembic(self.ini(with_driver, "alembic.ini"), "upgrade", "head", environment=plain)
        with self.dialect.open_reader(url) as reader:
            return reader.schema(version_table="alembic_version")


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two empty databases of one product."""
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
        return url, _beside(url)
    paths = [tmp_path / "target.db", tmp_path / "other.db"]
    for path in paths:
        path.touch()
    return f"sqlite:///{paths[0].as_posix()}", f"sqlite:///{paths[1].as_posix()}"


def _beside(url: str) -> str:
    """A second empty database on the same server."""
    import psycopg
    from sqlalchemy.engine import make_url

    parsed = make_url(url).set(drivername="postgresql")
    name = f"{parsed.database}_other"
    with psycopg.connect(parsed.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return parsed.set(database=name).render_as_string(hide_password=False)


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def test_the_whole_history_of_optuna_runs_from_frozen_statements(urls: tuple[str, str], tmp_path: Path) -> None:
    app = Application(tmp_path, urls[0], str(_package("optuna") / "storages/_rdb/alembic"))

    plan = app.run("head")

    expected = app.made_by_alembic(urls[1])
    assert diff(app.live()[1], expected) == ()
    assert fingerprint(app.live()[1]) == fingerprint(expected)
    assert len(app.info.revisions) == 10
    assert sorted({s.revision for s in plan.statements}) == [r.id for r in app.info.revisions]
    assert plan.doubts == ()  # what they read is of tables that the plan itself makes
    assert not plan.reverse.available


@pytest.mark.parametrize("urls", ["postgresql"], indirect=True)  # on SQLite it goes through the tools
def test_optuna_goes_up_step_by_step_and_down_as_far_as_its_downgrades_work(
    urls: tuple[str, str], tmp_path: Path
) -> None:
    app = Application(tmp_path, urls[0], str(_package("optuna") / "storages/_rdb/alembic"))
    for revision in app.info.revisions:
        if app.dialect.name == "postgresql" and revision.id == "v2.4.0.a":
            with pytest.raises(RenderFailedError, match=r"v2\.4\.0\.a.*studydirection.* already exists"):
                app.plan("+1")  # Alembic's own command fails there as well, when it is run step by step
            app.url = urls[1]
            app.run("head")
            break
        assert app.run("+1").to_revision == revision.id

    assert app.run("-1").to_revision == "v3.0.0.d"
    assert app.run("-1").to_revision == "v3.0.0.c"
    with pytest.raises(RenderFailedError, match=r"v3\.0\.0\.c.*FloatTypeEnum"):
        app.plan("-1")


def test_optuna_describes_itself_from_its_own_ini() -> None:
    ini = _package("optuna") / "storages/_rdb/alembic.ini"

    info = Project(ini, environment={}, models=None).describe("postgresql")

    assert (info.heads, len(info.revisions)) == (("v3.2.0.a",), 10)


@pytest.mark.proves("history-mlflow-postgresql")
@pytest.mark.parametrize("urls", ["postgresql"], indirect=True)  # on SQLite it goes through the tools
def test_the_whole_history_of_mlflow_runs_from_frozen_statements(urls: tuple[str, str], tmp_path: Path) -> None:
    app = mlflow(tmp_path, urls[0])

    plan = app.run("head")

    assert fingerprint(app.live()[1]) == fingerprint(app.made_by_alembic(urls[1]))
    assert len(app.info.revisions) == len({s.revision for s in plan.statements} - {"env.py"}) == 67
    assert _doubtful(plan) == {"dc11669786a5"}  # it writes the time


def test_mlflow_with_its_own_env_py_needs_the_tables_it_makes_outside(urls: tuple[str, str], tmp_path: Path) -> None:
    app = Application(tmp_path, urls[0], str(_package("mlflow") / "store/db_migrations"))

    with pytest.raises(RenderFailedError, match=r"451aebb31d03.*metrics"):
        app.plan("head")


def mlflow(folder: Path, url: str) -> Application:
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "env.py").write_text(MLFLOW_ENV)
    versions = _package("mlflow") / "store/db_migrations/versions"
    return Application(folder, url, str(scripts), more=f"version_locations = {versions}\npath_separator = newline")


def _doubtful(plan: Plan) -> set[str]:
    return {doubt.split()[1] for doubt in plan.doubts}
