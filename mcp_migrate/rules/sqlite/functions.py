"""Which functions are proven harmless? Those SQLite calls innocuous, and few that it does not flag."""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Iterable

from mcp_migrate.rules.interface import Finding, sentences
from mcp_migrate.rules.sqlite.clone import Action, Clone

_BESIDES = frozenset(
    # JSON: only its newer releases flag these; https://sqlite.org/json1.html
    "json json_array json_array_length json_error_position json_extract json_group_array json_group_object json_insert"
    " json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid jsonb"
    " jsonb_array jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch"
    " jsonb_remove jsonb_replace jsonb_set -> ->>"
    # Full text: they read the row that matched; https://sqlite.org/fts5.html, https://sqlite.org/fts3.html
    " match bm25 highlight snippet matchinfo offsets".split()
)
_EXCEPT = frozenset({"sqlite_log"})
"""It is called innocuous and writes to the log of whoever runs SQLite."""

INTERNAL = frozenset(
    "sqlite_rename_table sqlite_rename_column sqlite_rename_test sqlite_rename_quotefix sqlite_drop_column"
    " sqlite_rename_parent".split()
)
"""What SQLite itself calls to alter a table."""


def strange(actions: Iterable[Action], clone: Clone, *, internal: bool = False) -> list[Finding]:
    """One `unknown` for each function that is not proven harmless."""
    names = dict.fromkeys(a.second for a in actions if a.code == lite.SQLITE_FUNCTION)
    if not names:
        return []
    known = (clone.harmless() | _BESIDES) - _EXCEPT | (INTERNAL if internal else frozenset())
    return sentences(f"the function {name} is not on the list" for name in names if name.lower() not in known)
