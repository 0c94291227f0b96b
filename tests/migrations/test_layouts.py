"""Is a project planned however its options are laid out: an ini file, pyproject.toml, a section, several databases?"""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations import Project
from tests.migrations.sample import Shop

SEVERAL = '''
"""notes"""
revision, down_revision = "n1", None
from alembic import op
import sqlalchemy as sa


def upgrade(engine_name):
    globals()["upgrade_" + engine_name]()


def downgrade(engine_name):
    globals()["downgrade_" + engine_name]()


def upgrade_engine1():
    op.create_table("first_notes", sa.Column("id", sa.Integer, primary_key=True))


def downgrade_engine1():
    op.drop_table("first_notes")


def upgrade_engine2():
    op.create_table("second_notes", sa.Column("id", sa.Integer, primary_key=True))


def downgrade_engine2():
    op.drop_table("second_notes")
'''


def project(ini: Path, **more: str) -> Project:
    return Project(ini, environment={}, models=None, **more)  # type: ignore[arg-type]


@pytest.fixture
def several(lite_shop: Shop, tmp_path: Path) -> Shop:
    """A project as Alembic's own template for several databases makes one."""
    folder = tmp_path / "several"
    folder.mkdir()
    command.init(Config(folder / "alembic.ini"), str(folder / "migrations"), template="multidb")
    (folder / "migrations" / "versions" / "n1_notes.py").write_text(SEVERAL)
    lite_shop.project = project(folder / "alembic.ini", database="engine2")
    return lite_shop


def test_a_project_without_an_ini_file_is_planned_from_its_pyproject(lite_shop: Shop) -> None:
    plain = lite_shop.plan()
    lite_shop.ini.unlink()
    toml = lite_shop.folder / "pyproject.toml"
    toml.write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\nprepend_sys_path = ["."]\n')
    lite_shop.project = project(toml)
    assert lite_shop.plan().frozen() == plain.frozen()


def test_a_project_in_a_section_of_its_own_is_planned_from_there(lite_shop: Shop) -> None:
    plain = lite_shop.plan()
    lite_shop.ini.write_text(lite_shop.ini.read_text().replace("[alembic]", "[shop]"))
    lite_shop.project = project(lite_shop.ini, section="shop")
    assert lite_shop.plan().frozen() == plain.frozen()


def test_of_several_databases_a_plan_is_of_one(several: Shop) -> None:
    texts = [statement.sql for statement in several.plan().statements]
    assert any("second_notes" in text for text in texts)
    assert not any("first_notes" in text for text in texts)
    assert several.plan().reverse.available


def test_a_database_that_the_project_does_not_name_is_refused(several: Shop) -> None:
    several.project = project(several.project.ini, database="engine3")
    with pytest.raises(RenderFailedError, match="engine1, engine2"):
        several.plan()
    several.project = project(several.project.ini)
    with pytest.raises(RenderFailedError, match="`database` names"):
        several.plan()
