"""Is a project that did not change planned without its Python, and one that did never from memory?"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.migrations.inputs import Inputs, inputs_of
from mcp_migrate.migrations.memory import Memory
from mcp_migrate.model import Plan
from tests.migrations.sample import Shop

_READS = """import pathlib
import settings_of_shop
SQL = (pathlib.Path(__file__).parent / "d4.sql").read_text()"""


@pytest.fixture
def reading(lite_shop: Shop) -> Shop:
    """A shop with a revision that reads a file and imports a module."""
    (lite_shop.versions / "d4.sql").write_text("INSERT INTO customers (name) VALUES ('x')")
    (lite_shop.folder / "settings_of_shop.py").write_text("NAME = 'x'\n")
    lite_shop.revise("d4", "c3", "op.execute(SQL)", "pass", top=_READS)
    return lite_shop


def _again(shop: Shop, change: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Plan, int]:
    """The plans before and after a change, and how many processes the second took."""
    shop.settled().project.describe(shop.dialect.name)
    first = shop.plan()
    change()
    started: list[object] = []

    class Counted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            started.append(arguments)
            super().__init__(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", Counted)
        return first, shop.plan(), len(started)


@pytest.mark.proves("plans-remembered")
def test_an_unchanged_project_is_planned_again_without_a_process(
    reading: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = reading.folder / "settings_of_shop.py"
    first, second, processes = _again(reading, lambda: path.write_text(path.read_text()), monkeypatch)
    assert (second, processes) == (first, 0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("migrations/versions/d4.sql", "INSERT INTO customers (name) VALUES ('y')"),
        ("models.py", "class Base:\n    metadata = None\n"),
    ],
)
@pytest.mark.proves("plans-remembered")
def test_whatever_a_project_looked_at_or_for_makes_it_record_again(
    reading: Shop, name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, processes = _again(reading, lambda: (reading.folder / name).write_text(text), monkeypatch)
    assert processes > 0
    assert (second.statements != first.statements) is name.endswith(".sql")


def test_a_target_that_changed_is_recorded_again(lite_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def drift() -> None:
        with closing(sqlite3.connect(lite_shop.folder / "shop.db")) as database:
            database.execute("CREATE TABLE more (id integer)")

    first, second, processes = _again(lite_shop, drift, monkeypatch)
    assert processes > 0
    assert first.base_fingerprint != second.base_fingerprint


@pytest.mark.parametrize(
    ("top", "work"),
    [
        (
            "import uuid",
            "op.execute(sa.text('INSERT INTO customers (name) VALUES (:n)').bindparams(n=uuid.uuid4().hex))",
        ),
        ("", "op.get_bind().execute(sa.text('SELECT name FROM customers')).all()"),
    ],
)
def test_what_depends_on_chance_or_rows_is_never_from_memory(
    lite_shop: Shop, top: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite_shop.revise("d4", "c3", work, top=top)
    assert _again(lite_shop, lambda: None, monkeypatch)[2] > 0


def test_memory_ends_by_the_clock_and_has_room_for_few(tmp_path: Path) -> None:
    now = [0.0]
    memory: Memory[str] = Memory(seconds=10, clock=lambda: now[0])
    (tmp_path / "one").write_text("1")
    there = inputs_of([[str(tmp_path / "two"), None]], [tmp_path], since=0)
    for question in range(9):
        memory.keep(question, "answer", there)
    assert (memory.find(0), memory.find(1)) == (None, "answer")
    now[0] = 11
    assert memory.find(1) is None


@pytest.mark.parametrize(
    "said", [None, [], "x", [1], [["a"]], [["/x", [1]]], [["/etc/passwd", None]], [["\0", [0, 0, 0, 0]]]]
)
def test_a_child_that_lies_about_its_files_is_not_remembered(said: object, tmp_path: Path) -> None:
    found = inputs_of(said, [tmp_path], since=0)
    assert found == Inputs()
    assert not found.unchanged()
