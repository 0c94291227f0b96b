"""Which controls of other frameworks do our promises support, and which tests prove them?

``python -m tests.controls`` writes `docs/controls.md`; `test_controls.py` fails when the page is not what this gives.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.requirements import REQUIREMENTS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "controls.md"
_HEAD = """# Control map

What mcp-migrate does for controls that others ask about, and the test that proves it. It supports evidence; it makes
nobody compliant. Written by `python -m tests.controls`, from the promises that the tests name.
"""
_TABLE = "| id | control | ours | promised, and proven in |\n|---|---|---|---|\n"


def frameworks() -> list[dict[str, Any]]:
    """Each with its `controls`: `id`, `name`, `ours`, `promises`."""
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "controls.yaml").read_text())
    return found


def tests_of() -> Mapping[str, list[str]]:
    """The tests that prove each promise, as ``folder/file.py``, by its id."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
                for argument in node.args:
                    found[str(ast.literal_eval(argument))].append(str(path.relative_to(ROOT)))
    return {promise: sorted(set(files)) for promise, files in found.items()}


def page() -> str:
    """The whole page."""
    sentences = {requirement.id: requirement.sentence for requirement in REQUIREMENTS}
    tests = tests_of()
    parts = [_HEAD]
    for framework in frameworks():
        parts.append(f"\n## {framework['name']}\n\n{framework['note']}\n\n{_TABLE}")
        for control in framework["controls"]:
            proofs = "<br>".join(
                f"{sentences[promise]} [{tests[promise][0]}](../{tests[promise][0]})" for promise in control["promises"]
            )
            parts.append(f"| {control['id']} | {control['name']} | {control['ours']} | {proofs} |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
