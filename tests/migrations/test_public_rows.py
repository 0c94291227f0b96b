"""Does a public application lose a row when a destructive revision of its own is applied and rolled back?

On the few that lose rows; `benchmarks/reversible.py` asks each revision of both histories.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generated import contents, fill
from mcp_migrate.migrations.undo import Keeping, Target, protect
from mcp_migrate.model import Plan
from tests.behaviour.test_histories import make_initial_tables
from tests.migrations.applications import Application
from tests.migrations.test_public_projects import database, plain_alembic, with_driver
from tests.migrations.undoing import asking, run

LOSING = {
    ("optuna", "sqlite"): ("v3.0.0.b", "main.trial_values"),
    ("optuna", "postgresql"): ("v1.2.0.a", "public.trials"),
    ("mlflow", "sqlite"): ("dc11669786a5", "main.jobs"),
    ("mlflow", "postgresql"): ("cfd24bdc0731", "public.runs"),
}


@pytest.mark.parametrize(("name", "product"), LOSING)
@pytest.mark.proves("design-5")
def test_every_row_of_a_public_application_comes_back(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, product: str
) -> None:
    to, table = LOSING[name, product]
    url = database(product, tmp_path, request)
    app = Application.of(name, tmp_path, url)
    ids = [revision.id for revision in app.info.revisions]
    if name == "mlflow":
        make_initial_tables(with_driver(url))
    with plain_alembic(app) as plain:
        assert plain.go("up", ids[ids.index(to) - 1]) is None
    schema = app.live()[1]
    with asking(url) as ask:
        assert fill(ask, schema) == []
        before = contents(ask, schema.tables)

    kept = _protected(app, to)

    assert kept.undo is not None
    assert kept.undo.why_not == ()
    assert table in {each.table for each in kept.undo.kept}
    run(url, kept.statements)
    run(url, kept.reverse.statements)
    with asking(url) as ask:
        assert contents(ask, schema.tables) == before


def _protected(app: Application, to: str) -> Plan:
    """The plan as the server freezes it, with what it loses kept."""
    with app.dialect.open_reader(app.url) as reader:
        rows = reader.count_rows([table.qualified for table in app.live()[1].tables])
    about = Target(lambda names: {name: rows[name] for name in names})
    return protect(app.plan(to, rows=1000), app.live()[1], app.dialect.keeper(), Keeping(), about)
