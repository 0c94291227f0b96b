"""Is each guarantee constructed in exactly one place, and the writing session opened in exactly one?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mcp_migrate

ROOT = Path(mcp_migrate.__file__).parent

MADE_IN = {
    "Granted": {"stages/authorise.py"},
    "Classified": {"stages/classify.py"},
    "Permitted": {"stages/authorise.py"},
    "Approved": {"stages/approve.py"},
    "Pending": {"stages/approve.py"},
    "Executed": {"stages/execute.py"},
    "Validated": {"stages/validate.py"},
}


def calls() -> Iterator[tuple[str, str]]:
    """(file, name of what is called) over the whole package."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield path.relative_to(ROOT).as_posix(), name


@pytest.mark.parametrize("value", MADE_IN)
@pytest.mark.proves("design-1")
def test_each_guarantee_is_made_in_one_stage(value: str) -> None:
    assert {file for file, name in calls() if name == value} == MADE_IN[value]


@pytest.mark.proves("design-1")
def test_the_writing_session_is_opened_in_one_place() -> None:
    outside = {file for file, name in calls() if name == "open_writer" and not file.startswith("dialects/")}
    assert outside == {"stages/execute.py"}


@pytest.mark.proves("design-1")
def test_rehearsals_write_to_what_only_scratch_databases_are_made_of() -> None:
    callers = {file for file, name in calls() if name == "open_rehearsal"}
    assert callers == {"migrations/rehearsal.py", "migrations/taking_back.py", "cli/tool_examples.py"}
    makers = {file for file, name in calls() if name == "Scratch"}
    assert makers == {
        "migrations/scratch.py",
        *(f"dialects/{name}/scratch.py" for name in ("mysql", "postgresql", "sqlite")),
    }


@pytest.mark.proves("design-1")
def test_only_the_pipeline_calls_stages() -> None:
    users = set()
    for path in set(ROOT.rglob("*.py")) - set((ROOT / "stages" / "record").iterdir()):  # a stage of several files
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mcp_migrate.stages"):
                users.add((path.relative_to(ROOT).as_posix(), tuple(alias.name for alias in node.names)))
    assert {file for file, _ in users if not file.startswith("pipeline/")} == {"wiring/parts.py"}
    assert {names for file, names in users if file == "wiring/parts.py"} == {("explain",)}
