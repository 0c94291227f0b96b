"""How is a table written in Markdown, and what of the code goes into one?"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from textwrap import dedent
from typing import TypeVar

_Word = TypeVar("_Word", bound=StrEnum)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """One table; a bar within a cell stays within it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: str) -> str:
    """`text` as it is typed; nothing where there is none."""
    return f"`{text}`" if text else ""


def meanings(words: type[_Word]) -> dict[_Word, str]:
    """What stands below each of them in the code."""
    [cls] = ast.parse(dedent(inspect.getsource(words))).body
    assert isinstance(cls, ast.ClassDef)
    found: dict[_Word, str] = {}
    for node, below in pairwise(cls.body):
        if isinstance(node, ast.Assign) and isinstance(below, ast.Expr):
            found[words(ast.literal_eval(node.value))] = str(ast.literal_eval(below.value))
    return found
