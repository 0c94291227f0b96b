from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations import Project
from mcp_migrate.migrations.child.witness import stamp
from mcp_migrate.migrations.described import SECONDS, Described, Descriptions, Shared, described
from mcp_migrate.migrations.inputs import Input, Inputs, inputs_of
from tests.migrations.sample import ENV, Shop


def test_a_project_is_described_base_first(lite_shop: Shop) -> None:
    info = lite_shop.project.describe("sqlite")

    assert info.heads == ("c3",)
    assert [(r.id, r.down, r.message) for r in info.revisions] == [
        ("a1", (), "customers"),
        ("b2", ("a1",), "orders"),
        ("c3", ("b2",), "phone"),
    ]
    assert info.revisions[0].path == lite_shop.versions / "a1_change.py"
    assert info.version_table == "alembic_version"


@pytest.mark.parametrize("product", ["sqlite", "postgresql"])
def test_the_version_table_is_the_one_env_py_configures(lite_shop: Shop, product: str) -> None:
    lite_shop.env(
        ENV.replace("target_metadata=", 'version_table="moves", version_table_schema="ops", target_metadata=')
    )

    assert lite_shop.project.describe(product).version_table == "ops.moves"


def test_an_env_py_that_cannot_go_online_here_is_described_offline(lite_shop: Shop) -> None:
    lite_shop.env(
        ENV.replace(
            "    engine = engine_from_config", '    raise OSError("no such database")\n    engine = engine_from_config'
        )
    )

    assert lite_shop.project.describe("postgresql").heads == ("c3",)


def test_a_description_is_remembered_until_a_file_changes(lite_shop: Shop) -> None:
    first = lite_shop.settled().project.describe("sqlite")
    again = lite_shop.project.describe("sqlite")
    lite_shop.revise("d4", "c3", "pass")

    assert again is first
    assert lite_shop.project.describe("sqlite").heads == ("d4",)


def test_a_look_at_files_that_began_before_somebody_asked_does_not_answer_them() -> None:
    shared, began, edited = Shared(), threading.Event(), threading.Event()

    def before_the_edit() -> bool:
        began.set()
        return edited.wait(20)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(shared.look, before_the_edit)
        assert began.wait(20)
        second = threads.submit(shared.look, lambda: False)
        edited.set()

        assert first.result()
        assert not second.result()


def test_a_broken_env_py_is_named_with_its_line(lite_shop: Shop) -> None:
    lite_shop.env("import os\nos.environ['DATABASE_URL']\n")

    with pytest.raises(RenderFailedError, match=r"migrations/env.py, line 2\): KeyError: 'DATABASE_URL'") as caught:
        lite_shop.project.describe("sqlite")

    assert "`environment` of the target" in caught.value.hint


def test_a_syntax_error_in_a_revision_is_named_with_its_file(lite_shop: Shop) -> None:
    path = lite_shop.revise("d4", "c3", "pass")
    path.write_text(path.read_text() + "\ndef broken(:\n")

    with pytest.raises(RenderFailedError, match=r"versions/d4_change.py, line \d+\): SyntaxError"):
        lite_shop.project.describe("sqlite")


def test_a_project_without_an_ini_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderFailedError, match=r"There is no alembic.ini"):
        Project(tmp_path / "alembic.ini", environment={}, models=None).describe("sqlite")


def test_a_revision_missing_from_the_chain_is_refused(lite_shop: Shop) -> None:
    (lite_shop.versions / "b2_change.py").unlink()

    with pytest.raises(RenderFailedError, match="b2"):
        lite_shop.project.describe("sqlite")


@pytest.mark.proves("describing-fresh")
def test_what_is_edited_is_seen_at_once_and_what_is_installed_when_somebody_plans(tmp_path: Path) -> None:
    edited, installed = tmp_path / "models.py", tmp_path / "lib" / "python3.11" / "site-packages" / "lib.py"
    installed.parent.mkdir(parents=True)
    now = [100.0]
    known = Descriptions(lambda: now[0])

    def learn() -> Described:
        seen = [[str(path), stamp(str(path))] for path in (edited, installed)]
        inputs = inputs_of(seen, (tmp_path,), since=time.time_ns() + 10**12)
        answer = {
            "folders": [],
            "revisions": [],
            "heads": [],
            "version_table": "v",
            "env": str(tmp_path / "migrations" / "env.py"),
        }
        return known.keep("sqlite", described(tmp_path / "alembic.ini", answer, inputs))

    edited.write_text("one")
    installed.write_text("one")
    learnt = learn()
    assert known.find("sqlite", closely=False) is learnt
    installed.write_text("another")
    assert known.find("sqlite", closely=False) is learnt, "a moment later"
    assert known.find("sqlite", closely=True) is None, "whoever plans looks"
    learnt = learn()
    installed.write_text("a third")
    now[0] += SECONDS
    assert known.find("sqlite", closely=False) is None
    learnt = learn()
    edited.write_text("another")
    assert known.find("sqlite", closely=False) is None


def test_a_project_that_is_installed_itself_counts_as_edited(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages" / "shop"
    inputs = Inputs((Input(str(folder / "env.py"), None), Input(str(folder.parent / "lib.py"), None)))

    assert inputs.apart((folder,)) == (Inputs(inputs.entries[:1]), Inputs(inputs.entries[1:]))
