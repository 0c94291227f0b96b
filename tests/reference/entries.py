"""Which kinds of entries does the ledger have, and what does each say?"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise

from mcp_migrate.ledger import Kind, kinds
from tests.reference.table import code, table

_HEAD = """# Ledger entries

Every kind there is; another one is refused. An entry has a number (`seq`), a time in UTC, its kind, a body in JSON, and
where they apply the workflow, the call and a `subject` by which it is found. What calls leave and what never stands
there is told in [the record](../record.md), why nobody edits it unnoticed in [the ledger](../ledger.md). Made from the
code by `python -m tests.reference.pages`.

"""


def meanings() -> dict[Kind, str]:
    """What stands below each kind in the code."""
    [cls] = [node for node in ast.parse(inspect.getsource(kinds)).body if isinstance(node, ast.ClassDef)]
    found: dict[Kind, str] = {}
    for node, below in pairwise(cls.body):
        if isinstance(node, ast.Assign) and isinstance(below, ast.Expr):
            found[Kind(ast.literal_eval(node.value))] = str(ast.literal_eval(below.value))
    return found


def page() -> str:
    """The whole page."""
    told = meanings()
    return _HEAD + table(("kind", "what it says"), ((code(kind.value), told[kind]) for kind in Kind))
