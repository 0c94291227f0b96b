"""Which kinds of entries does the ledger have, and what does each say?"""

from __future__ import annotations

from mcp_migrate.ledger import Kind
from tests.reference.table import code, meanings, table

_HEAD = """# Ledger entries

Every kind there is; another one is refused. An entry has a number (`seq`), a time in UTC, its kind, a body in JSON, and
where they apply the workflow, the call and a `subject` by which it is found. What calls leave and what never stands
there is told in [the record](../record.md), why nobody edits it unnoticed in [the ledger](../ledger.md). Made from the
code by `python -m tests.reference.pages`.

"""


def page() -> str:
    """The whole page."""
    told = meanings(Kind)
    return _HEAD + table(("kind", "what it says"), ((code(kind.value), told[kind]) for kind in Kind))
