"""Is what a failing revision printed about the revision, and not about what it runs in?"""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_migrate.migrations.child.failures import failure

FAILS = """
import json

def upgrade():
    try:
        json.loads("{")
    except ValueError as error:
        raise RuntimeError("no such table: custmers") from error

def elsewhere():
    json.loads("{")
"""


def failing(folder: Path, name: str) -> Exception:
    path = folder / "0001_add.py"
    path.write_text(FAILS)
    module: dict[str, object] = {}
    exec(compile(FAILS, path, "exec"), module)  # noqa: S102  as Alembic loads it
    with pytest.raises((RuntimeError, ValueError)) as raised:
        module[name]()  # type: ignore[operator]
    return raised.value


def test_of_the_way_to_it_only_files_of_the_project_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = failure(failing(tmp_path, "upgrade"), "a1", [tmp_path])
    assert told == {"revision": "a1", "file": "0001_add.py, line 8", "reason": "RuntimeError: no such table: custmers"}
    printed = capsys.readouterr().err
    assert printed.count("0001_add.py") == 2, "where it was raised, and where its cause was"
    assert "test_failures.py" not in printed
    assert "decoder.py" not in printed


def test_all_of_it_is_told_where_it_is_in_none_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failure(failing(tmp_path, "elsewhere"), None, [tmp_path / "other"])
    assert "decoder.py" in capsys.readouterr().err
