"""What is known of a project before anybody is asked?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import ConfigInvalidError
from mcp_migrate.model import Tier
from mcp_migrate.settings import Settings
from mcp_migrate.settings.first import Answers, text
from mcp_migrate.settings.found import Found, Named, look
from mcp_migrate.settings.yaml_file import read_yaml


def project(folder: Path, url: str, env: str = "") -> Path:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "env.py").write_text(env)
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = {url}\n")
    return folder


def test_a_url_in_the_ini_is_named_and_never_copied(tmp_path: Path) -> None:
    found = look(project(tmp_path, "postgresql://shop:secret@db/shop"))
    assert found.databases == (Named("development", "${ini:sqlalchemy.url}", guessed=False),)


@pytest.mark.parametrize(
    "reading",
    ['os.environ["SHOP_URL"]', 'os.environ.get("SHOP_URL", "")', 'os.getenv("SHOP_URL")', 'getenv("SHOP_URL")'],
)
def test_what_env_py_reads_names_the_database_where_the_ini_does_not(tmp_path: Path, reading: str) -> None:
    env = f'import os\nlevel = os.environ["LEVEL"]\nurl = {reading}\n'
    found = look(project(tmp_path, "driver://user:pass@localhost/dbname", env))
    named = Named("development", "${env:SHOP_URL}", guessed=False)
    assert found == Found(tmp_path / "alembic.ini", (named,), reads=("LEVEL", "SHOP_URL"), models=())


@pytest.mark.parametrize("env", ["", "def broken(", "\0"])
def test_where_nothing_names_it_that_is_said(tmp_path: Path, env: str) -> None:
    found = look(project(tmp_path, "driver://user:pass@localhost/dbname", env))
    assert found.databases == (Named("development", "${env:DATABASE_URL}", guessed=True),)
    assert found.reads == ()


@pytest.mark.parametrize("ini", ["[nothing]\n", "no section\n", "[alembic\n"])
def test_an_ini_that_is_none_is_refused(tmp_path: Path, ini: str) -> None:
    (tmp_path / "alembic.ini").write_text(ini)
    with pytest.raises(ConfigInvalidError, match=r"cannot be read|describes an Alembic project"):
        look(tmp_path)


def test_a_project_that_only_pyproject_describes_is_one(tmp_path: Path) -> None:
    project(tmp_path, "", 'import os\nos.environ["SHOP_URL"]\n')
    (tmp_path / "alembic.ini").unlink()
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    named = Named("development", "${env:SHOP_URL}", guessed=False)
    assert look(tmp_path) == Found(tmp_path / "pyproject.toml", (named,), reads=("SHOP_URL",), models=())


def test_a_pyproject_of_something_else_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    with pytest.raises(ConfigInvalidError, match="describes an Alembic project"):
        look(tmp_path)


def test_each_section_and_each_of_several_databases_becomes_a_target_of_its_tier(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[DEFAULT]\nprepend_sys_path = .\n"
        "[alembic]\nscript_location = several\ndatabases = users, orders\n"
        "[users]\nsqlalchemy.url = sqlite:///users.db\n[orders]\nsqlalchemy.url = driver://user:pass@localhost/o\n"
        "[staging]\nscript_location = one\nsqlalchemy.url = postgresql://stage/shop\n"
        "[production]\nscript_location = one\nsqlalchemy.url = postgresql://admin:secret@prod/shop\n"
        "[loggers]\nkeys = root\n"
    )
    assert look(tmp_path).databases == (
        Named("users", "${ini:sqlalchemy.url}", guessed=False, database="users"),
        Named("orders", "${env:ORDERS_DATABASE_URL}", guessed=True, database="orders"),
        Named("staging", "${ini:sqlalchemy.url}", guessed=False, tier=Tier.STAGING, section="staging"),
        Named("production", "${env:PRODUCTION_DATABASE_URL}", True, Tier.PRODUCTION, "production"),  # noqa: FBT003
    )


MADE = "class Base(orm.DeclarativeBase): ...\n"


@pytest.mark.parametrize(
    ("sources", "models"),
    [
        ({"models": f"{MADE}class Order(Base): ...\n"}, ("shop.models:Base.metadata",)),
        ({"base": MADE, "models": "class Order(Base): ...\n"}, ("shop.models:Base.metadata",)),
        ({"base": "Base = declarative_base()\n", "models": "class A(base.Base): ...\n"},
         ("shop.models:base.Base.metadata",)),
        ({"models": 'm = sa.MetaData()\nt = sa.Table("t", m)\n'}, ("shop.models:m",)),
        ({"base": MADE}, ()),
        ({"base": MADE, "one": "class A(Base): ...\n", "two": "class B(Base): ...\n"},
         ("shop.one:Base.metadata", "shop.two:Base.metadata")),
    ],
)  # fmt: skip
def test_where_env_py_names_no_metadata_that_of_the_projects_tables_is_found(
    tmp_path: Path, sources: dict[str, str], models: tuple[str, ...]
) -> None:
    project(tmp_path, "sqlite:///shop.db", "target_metadata = None\n")
    for folder in ("shop", "tests", "venv"):
        (tmp_path / folder).mkdir()
        for name, source in sources.items():
            (tmp_path / folder / f"{name}.py").write_text(source)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert look(tmp_path).models == models


@pytest.mark.parametrize(
    "env",
    ["from shop import B\ntarget_metadata = B.metadata\n", "context.configure(target_metadata=made())\n", "broken("],
)
def test_a_metadata_that_env_py_names_is_its_own(tmp_path: Path, env: str) -> None:
    assert look(project(tmp_path, "sqlite:///shop.db", env)).models is None


@pytest.mark.parametrize(
    ("url", "broker"), [("mariadb://db/shop", "mysql-user"), ("sqlite:///shop.db", "postgres-role")]
)
def test_production_gets_the_broker_of_its_kind_of_database(tmp_path: Path, url: str, broker: str) -> None:
    found = look(project(tmp_path, url, ""))
    production = Named("production", "${env:SHOP}", guessed=False, tier=Tier.PRODUCTION)
    answers = Answers("Ada", "ada@example.com", "ada", "agent:one", ["ssh-ed25519 AAAA"])
    path = tmp_path / "mcp-migrate.yaml"
    path.write_text(text(replace(found, databases=(production,)), answers), encoding="utf-8")
    settings = Settings.model_validate(read_yaml(path)[0])
    assert settings.targets["production"].credentials.broker == broker


@given(name=st.text(min_size=1), principal=st.text(min_size=1), keys=st.lists(st.text(min_size=1), max_size=2))
def test_whatever_a_person_is_called_the_file_says_that(
    tmp_path_factory: pytest.TempPathFactory, name: str, principal: str, keys: list[str]
) -> None:
    named = Named("development", "${ini:sqlalchemy.url}", guessed=False)
    found = Found(Path("alembic.ini"), (named,), reads=("A", 'B"}'))
    path = tmp_path_factory.mktemp("first") / "mcp-migrate.yaml"
    path.write_text(text(found, Answers(name, "ada@example.com", name, principal, keys)), encoding="utf-8")
    settings = Settings.model_validate(read_yaml(path)[0])
    [workflow] = settings.workflows.values()
    assert (workflow.owner.name, workflow.principals) == (name, (principal,))
    assert list(settings.targets["development"].environment) == ["A", 'B"}']
    assert [reviewer.ssh_keys for reviewer in settings.reviewers.values()] == ([tuple(keys)] if keys else [])
