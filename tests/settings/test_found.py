"""What is known of a project before anybody is asked?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.settings import Settings
from mcp_migrate.settings.first import Answers, text
from mcp_migrate.settings.found import Found, look
from mcp_migrate.settings.yaml_file import read_yaml


def project(folder: Path, url: str, env: str = "") -> Path:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "env.py").write_text(env)
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = {url}\n")
    return folder


def test_a_url_in_the_ini_is_named_and_never_copied(tmp_path: Path) -> None:
    found = look(project(tmp_path, "postgresql://shop:secret@db/shop"))
    assert (found.url, found.guessed) == ("${ini:sqlalchemy.url}", False)


@pytest.mark.parametrize(
    "reading",
    ['os.environ["SHOP_URL"]', 'os.environ.get("SHOP_URL", "")', 'os.getenv("SHOP_URL")', 'getenv("SHOP_URL")'],
)
def test_what_env_py_reads_names_the_database_where_the_ini_does_not(tmp_path: Path, reading: str) -> None:
    env = f'import os\nlevel = os.environ["LEVEL"]\nurl = {reading}\n'
    found = look(project(tmp_path, "driver://user:pass@localhost/dbname", env))
    assert found == Found(tmp_path / "alembic.ini", "${env:SHOP_URL}", guessed=False, reads=("LEVEL", "SHOP_URL"))


@pytest.mark.parametrize("env", ["", "def broken(", "\0"])
def test_where_nothing_names_it_that_is_said(tmp_path: Path, env: str) -> None:
    found = look(project(tmp_path, "driver://user:pass@localhost/dbname", env))
    assert (found.url, found.guessed, found.reads) == ("${env:DATABASE_URL}", True, ())


@pytest.mark.parametrize("ini", ["[nothing]\n", "no section\n", "[alembic\n"])
def test_an_ini_that_is_none_is_refused(tmp_path: Path, ini: str) -> None:
    (tmp_path / "alembic.ini").write_text(ini)
    with pytest.raises(ConfigInvalidError, match=r"cannot be read"):
        look(tmp_path)


def test_a_project_that_only_pyproject_describes_is_told_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.alembic]\n")
    with pytest.raises(ConfigInvalidError) as refused:
        look(tmp_path)
    assert "alembic.ini has to say where the database is" in refused.value.hint


@given(name=st.text(min_size=1), principal=st.text(min_size=1), keys=st.lists(st.text(min_size=1), max_size=2))
def test_whatever_a_person_is_called_the_file_says_that(
    tmp_path_factory: pytest.TempPathFactory, name: str, principal: str, keys: list[str]
) -> None:
    found = Found(Path("alembic.ini"), "${ini:sqlalchemy.url}", guessed=False, reads=("A", 'B"}'))
    path = tmp_path_factory.mktemp("first") / "mcp-migrate.yaml"
    path.write_text(text(found, Answers(name, "ada@example.com", name, principal, keys)), encoding="utf-8")
    settings = Settings.model_validate(read_yaml(path)[0])
    [workflow] = settings.workflows.values()
    assert (workflow.owner.name, workflow.principals) == (name, (principal,))
    assert list(settings.targets["development"].environment) == ["A", 'B"}']
    assert [reviewer.ssh_keys for reviewer in settings.reviewers.values()] == ([tuple(keys)] if keys else [])
