"""Does every promise have a test, and does every test that claims to prove one name a promise?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from mcp_migrate.errors import MigrateError
from tests.requirements import REQUIREMENTS


def proven() -> Iterator[tuple[str, str]]:
    """(file, id) of each promise that a test names."""
    for path in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
                for argument in node.args:
                    yield path.name, str(ast.literal_eval(argument))


def test_every_promise_has_a_test() -> None:
    named = {identifier for _, identifier in proven()}
    assert [r.id for r in REQUIREMENTS if r.until is None and r.id not in named] == []


def test_every_test_that_proves_something_names_a_promise() -> None:
    known = {requirement.id for requirement in REQUIREMENTS}
    assert sorted((file, identifier) for file, identifier in proven() if identifier not in known) == []


def test_promises_have_ids_of_their_own() -> None:
    ids = [requirement.id for requirement in REQUIREMENTS]
    assert sorted(ids) == sorted(set(ids))


def test_each_code_is_a_promise_and_in_the_interface() -> None:
    codes = sorted(error.code for error in MigrateError.__subclasses__())
    ids = {requirement.id for requirement in REQUIREMENTS}
    interface = (Path(__file__).parent.parent / "docs" / "interface.md").read_text()
    assert [code for code in codes if f"interface-{code.replace('_', '-')}" not in ids] == []
    assert [code for code in codes if f"`{code}`" not in interface] == []
