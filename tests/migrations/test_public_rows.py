"""Does a public application lose a row when a destructive revision of its own is applied and rolled back?

`benchmarks/reversible.py` asks the revisions that lose none as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

import pytest

from benchmarks.generated import contents, fill
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.migrations.undo import Keeping, Target, protect
from mcp_migrate.model import Plan
from tests.behaviour.test_histories import make_initial_tables
from tests.migrations.applications import Application
from tests.migrations.test_public_projects import database, plain_alembic, with_driver
from tests.migrations.undoing import asking, run

LOSING = {
    ("optuna", "sqlite"): {"v3.0.0.b": "main.trial_values"},
    ("optuna", "postgresql"): {"v1.2.0.a": "public.trials", "v1.3.0.a": "public.trial_system_attributes"},
    ("mlflow", "sqlite"): {
        "d0e1f2a3b4c5": "main.endpoint_tags",
        "6f8d9c3b2a1e": "main.trace_tags",
        "dc11669786a5": "main.jobs",
    },
    ("mlflow", "postgresql"): {"cfd24bdc0731": "public.runs", "dc11669786a5": "public.jobs"},
}
"""Each revision that loses rows and has a way back, with a table of which it loses some.

Of the others the plan says that there is none: their downgrades read rows, or fail on some. On PostgreSQL optuna's
history stops step by step, so that those after v2.4.0.a are not reached.
"""


@pytest.mark.parametrize(("name", "product"), LOSING)
@pytest.mark.proves("design-5")
def test_every_row_of_a_public_application_comes_back(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, product: str
) -> None:
    url = database(product, tmp_path, request)
    app = Application.of(name, tmp_path, url)
    ids = [revision.id for revision in app.info.revisions]
    if name == "mlflow":
        make_initial_tables(with_driver(url))
    with plain_alembic(app) as plain:
        for to, table in LOSING[name, product].items():
            assert plain.go("up", ids[ids.index(to) - 1]) is None
            with _copied(app) as alike:
                _there_and_back(alike, to, table)


@contextmanager
def _copied(app: Application) -> Iterator[Application]:
    """The same on a database of its own, which rows do not outlive."""
    alike = copy(app)
    if app.dialect.name == "sqlite":
        shutil.copy(app.folder / "target.db", app.folder / "copy.db")
        alike.url = f"sqlite:///{app.folder}/copy.db"
        yield alike
        return
    name = app.url.rpartition("?")[0].rpartition("/")[2]
    alike.url = app.url.replace(f"/{name}?", f"/{name}_copy?")
    with connect(app.url.replace(f"/{name}?", "/postgres?")) as admin:
        admin.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}".encode())
        try:
            yield alike
        finally:
            admin.execute(f"DROP DATABASE {name}_copy WITH (FORCE)".encode())


def _there_and_back(app: Application, to: str, table: str) -> None:
    schema = app.live()[1]
    with asking(app.url) as ask:
        assert fill(ask, schema) == []
        before = contents(ask, schema.tables)
    kept = _protected(app, to)
    assert kept.undo is not None
    assert kept.undo.why_not == ()
    assert table in {each.table for each in kept.undo.kept}
    run(app.url, kept.statements)
    run(app.url, kept.reverse.statements)
    with asking(app.url) as ask:
        assert contents(ask, schema.tables) == before


def _protected(app: Application, to: str) -> Plan:
    """The plan as the server freezes it, with what it loses kept."""
    with app.dialect.open_reader(app.url) as reader:
        rows = reader.count_rows([table.qualified for table in app.live()[1].tables])
    about = Target(lambda names: {name: rows[name] for name in names})
    return protect(app.plan(to, rows=1000), app.live()[1], app.dialect.keeper(), Keeping(), about)
