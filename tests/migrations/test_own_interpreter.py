"""Is a project recorded by its own Python, with its own SQLAlchemy and Alembic, and nothing of ours among it?"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations.cage.confinement import Confinement
from mcp_migrate.migrations.cage.tiers import Name, cages
from mcp_migrate.schema import Schema, diff
from tests.migrations.sample import Shop, emptied, lite

Rows = list[tuple[object, ...]]

OLDEST = ["sqlalchemy==1.4.24", "alembic==1.12.0", "psycopg2-binary", "pymysql", "greenlet"]
NEWER = ["sqlalchemy==2.0.36", "alembic==1.14.0", "psycopg", "psycopg-binary", "greenlet"]
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
_NEEDED = ["mako", "markupsafe", "typing_extensions"]

DATA = """
connection = op.get_bind()
assert sa.__version__ == {version!r}, sa.__version__
assert not importlib.util.find_spec("sqlglot"), "what is installed for us can be imported"
customers = sa.table("customers", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("email"))
first = {{"id": 1, "name": "100% Ada", "email": None}}
op.bulk_insert(customers, [first, {{"id": 2, "name": "it's :x", "email": "%s"}}])
for row in connection.execute(sa.text("SELECT id, name FROM customers ORDER BY id")).fetchall():
    connection.execute(customers.update().where(customers.c.id == row[0]).values(name=row[1] + "!"))
with op.batch_alter_table("customers") as batch:
    batch.alter_column("phone", new_column_name="telephone", existing_type=sa.String(40))
"""
OUTSIDE = """
if op.get_bind().dialect.name == "postgresql":
    with op.get_context().autocommit_block():
        op.create_index("by_name", "customers", ["name"], postgresql_concurrently=True)
"""


HOSTILE = """
import os, socket, sys

def tried(attempt):
    try:
        attempt()
    except OSError as error:
        print("closed:", error, file=sys.stderr)
    else:
        print("open:", attempt, file=sys.stderr)

tried(lambda: open("{key}").read())
tried(lambda: socket.socket(socket.AF_UNIX))
tried(lambda: os.fork())
"""
"""Run by the interpreter itself, before a line of ours."""


def environment_of(folder: Path, packages: Sequence[str]) -> Path:
    """The Python of a new virtual environment with these packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--target", site, *packages], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"pip cannot install {packages[0]} here, which needs a package index: {done.stderr[-300:]}")
    return folder / "bin" / "python"


def made_by_its_alembic(shop: Shop, python: Path, url: str) -> tuple[Schema, Rows]:
    """What the project's own ``alembic upgrade head`` makes of another empty database."""
    plain = shop.folder / "plain.ini"
    plain.write_text(shop.ini.read_text().replace("driver://nobody:nothing@nowhere/never", url.replace("%", "%%")))
    command = [str(python), "-m", "alembic", "-c", str(plain), "upgrade", "head"]
    done = subprocess.run(command, cwd=shop.folder, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stderr
    return standing(shop, url)


def standing(shop: Shop, url: str) -> tuple[Schema, Rows]:
    """The schema, and the rows of one table."""
    with shop.dialect.open_reader(url.replace("+psycopg2", "")) as reader:
        schema = reader.schema(version_table="alembic_version")
    engine = create_engine(make_url(url).set(drivername=DRIVERS[shop.dialect.name]))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text("SELECT * FROM customers ORDER BY id"))]
    engine.dispose()
    return schema, rows


@pytest.mark.proves("own-interpreter")
@pytest.mark.parametrize(
    ("packages", "fixtures"),
    [(OLDEST, ["", "postgres_url", "mariadb_url"]), (NEWER, ["", "postgres_url"])],
    ids=["sqlalchemy-1.4", "sqlalchemy-2.0"],
)
def test_a_project_is_recorded_by_its_own_python_as_its_own_alembic_runs_it(
    packages: list[str], fixtures: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    python = environment_of(tmp_path / "environment", [*packages, *_NEEDED])
    for fixture in fixtures:
        folder = tmp_path / (fixture or "sqlite")
        folder.mkdir()
        url = str(request.getfixturevalue(fixture)) if fixture else f"sqlite:///{folder}/shop.db"
        shop = Shop(folder, url, confined=Confinement(python=python))
        shop.revise("d4", "c3", DATA.format(version=packages[0].partition("==")[2]), top="import importlib.util")
        shop.revise("e5", "d4", OUTSIDE)
        with_driver = url.replace("postgresql:", f"postgresql+{packages[2].removesuffix('-binary')}:")
        schema, rows = made_by_its_alembic(shop, python, with_driver)
        emptied(url)

        plan = shop.run_and_compare("head")

        assert plan.doubts == ()
        assert diff(standing(shop, url)[0], schema) == ()
        assert standing(shop, url)[1] == rows


def test_an_interpreter_without_alembic_is_told_what_is_missing(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    shop = lite(folder_in(tmp_path))
    shop.confine(Confinement(python=tmp_path / "env/bin/python"))

    with pytest.raises(RenderFailedError, match=r"the interpreter has no SQLAlchemy .*1\.4\.24 or newer") as refused:
        shop.plan()

    assert "`python` of the target" in refused.value.hint


def test_another_version_of_alembic_is_refused(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    [site] = tmp_path.glob("env/lib/python*/site-packages")
    for name, version in (("sqlalchemy", "1.4.54"), ("alembic", "1.7.7")):
        (site / f"{name}.py").write_text(f"__version__ = {version!r}")
    shop = lite(folder_in(tmp_path))
    shop.confine(Confinement(python=tmp_path / "env/bin/python"))

    with pytest.raises(RenderFailedError, match=r"has Alembic 1\.7\.7; Alembic 1\.12 or newer, below 2, is needed"):
        shop.plan()


@pytest.mark.proves("cage-walls")
@pytest.mark.parametrize("name", ["sandbox", "landlock"])
def test_what_an_interpreter_loads_by_itself_is_behind_the_walls_too(name: Name, tmp_path: Path) -> None:
    if missing := next(cage.missing for cage in cages() if cage.name == name):
        pytest.skip(f"this machine has no {name}: {missing}")
    venv.create(tmp_path / "env", with_pip=False)
    (tmp_path / "key").write_text("a private key")
    [site] = tmp_path.glob("env/lib/python*/site-packages")
    (site / "sitecustomize.py").write_text(HOSTILE.format(key=tmp_path / "key"))
    shop = lite(folder_in(tmp_path))
    shop.confine(Confinement(python=tmp_path / "env/bin/python", use=name))

    with pytest.raises(RenderFailedError) as refused:
        shop.plan()

    said = refused.value.details["output"]
    assert said.count("closed: ") == HOSTILE.count("tried(") - 1, said
    assert "open: " not in said


def test_files_of_a_project_open_no_folder(tmp_path: Path) -> None:
    """Whoever writes the project's environment could name any folder as the Python that it was made from."""
    project, secret = folder_in(tmp_path), tmp_path / "secret" / "bin"
    venv.create(project / ".venv", with_pip=False)
    secret.mkdir(parents=True)
    shop = lite(project)
    python = project / ".venv/bin/python"

    (project / ".venv/pyvenv.cfg").write_text(f"home = {secret}\n")
    assert_refused(shop, python, "the cage does not open")
    shop.confine(Confinement(python=python, readable=(secret.parent,)))
    with pytest.raises(RenderFailedError, match=r"no SQLAlchemy"):
        shop.plan()

    (project / ".venv").rename(tmp_path / "secret" / "venv")
    (project / ".venv").symlink_to(tmp_path / "secret" / "venv")
    assert_refused(shop, python, "a link leads out of the project")


def test_a_file_that_is_no_interpreter_is_refused(tmp_path: Path) -> None:
    shop = lite(tmp_path)
    (tmp_path / "bin").mkdir()
    assert_refused(shop, tmp_path / "bin" / "python", "there is no such file")
    (tmp_path / "bin" / "python").touch()
    assert_refused(shop, tmp_path / "bin" / "python", "it cannot be run")
    (tmp_path / "bin" / "python").chmod(0o755)
    assert_refused(shop, tmp_path / "bin" / "python", "holds the whole project")
    (tmp_path / "bin" / "python").rename(tmp_path / "python")
    assert_refused(shop, tmp_path / "python", "not in the folder `bin`")


def assert_refused(shop: Shop, python: Path, why: str) -> None:
    shop.confine(Confinement(python=python))
    with pytest.raises(RenderFailedError, match=why):
        shop.plan()


def folder_in(folder: Path) -> Path:
    project = folder / "project"
    project.mkdir()
    return project
