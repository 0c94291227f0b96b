"""Do two other readers see the same statement? Where readers differ, one of them was fooled.

Neither is a validator and neither knows all of MySQL's grammar. So each says yes, no or that it cannot read it: one
"no" makes a statement unknown, and a query that would run without a person needs a "yes" from one of them. DDL does
not: our grammar matched each word outside of parentheses that hold only values. They get the text
without comments, so none of them can be fooled by one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from mcp_migrate.rules.mysql.cursor import Name

Read = tuple[Sequence[Name], set[Name]]
"""The tables that our own grammar read, and what else it read as a name."""

_GLOT = {
    "CREATE": {"Create"},
    "ALTER": {"Alter"},
    "DROP": {"Drop"},
    "TRUNCATE": {"TruncateTable"},
    "INSERT": {"Insert"},
    "UPDATE": {"Update"},
    "DELETE": {"Delete"},
    "SELECT": {"Select", "Union", "Except", "Intersect", "Subquery"},
    "WITH": {"Select", "Union", "Update", "Delete"},
}
_OXIDE = {
    "CREATE": {"CreateTable", "CreateIndex", "CreateView", "CreateDatabase", "CreateSchema"},
    "ALTER": {"AlterTable", "AlterView"},
    "DROP": {"Drop"},
    "TRUNCATE": {"Truncate"},
    "RENAME": {"RenameTable"},
    "INSERT": {"Insert"},
    "REPLACE": {"Insert"},
    "UPDATE": {"Update"},
    "DELETE": {"Delete"},
    "SELECT": {"Query"},
    "WITH": {"Query", "Update", "Delete"},
    "(": {"Query"},
}


def glot(text: str) -> Any | None:
    """The one tree that sqlglot makes; None where it cannot read it."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = [tree for tree in sqlglot.parse(text, read="mysql") if tree is not None]
    except (SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 and type(trees[0]).__name__ != "Command" else None


def doubt(text: str, kind: str, read: Read, tree: Any | None, *, sure: bool) -> str:
    """Why the reading of `text` is in doubt; empty where it is not. `sure` where a person looks at it anyway."""
    answers = (_glot(tree, kind, read), _oxide(text, kind, read, tree))
    if None in answers and _oxides() is None:
        return "the second reader (sqloxide) is not installed: pip install mcp-migrate-server[mysql]"
    if False in answers:
        return "a second reader sees another statement or other tables"
    return "" if sure or True in answers else "no second reader can read it"


def _glot(tree: Any | None, kind: str, read: Read) -> bool | None:
    if tree is None or kind not in _GLOT:
        return None
    seen = {(t.db, t.name) if t.name else ("", t.db) for t in tree.walk() if type(t).__name__ == "Table"}
    queries = {("", node.alias) for node in tree.walk() if type(node).__name__ == "CTE"}
    aliases = {("", t.alias) for t in tree.walk() if type(t).__name__ == "Table" and kind == "DELETE"}
    ours = set(read[0])
    return type(tree).__name__ in _GLOT[kind] and ours <= seen <= ours | read[1] | queries | aliases


def _oxides() -> Any | None:
    try:
        import sqloxide
    except ImportError:
        return None
    return sqloxide


def _oxide(text: str, kind: str, read: Read, tree: Any | None) -> bool | None:
    library = _oxides()
    if library is None:
        return None
    try:
        trees = library.parse_sql(text, dialect="mysql")
    except (ValueError, RecursionError):
        return None
    if len(trees) != 1 or not isinstance(trees[0], dict):
        return False
    words = set(_words(trees[0]))
    if not _relations(library, trees) <= {name for _, name in (*read[0], *read[1])} | _queries(tree):
        return False
    return set(trees[0]) <= _OXIDE.get(kind, set()) and {part for name in read[0] for part in name if part} <= words


def _relations(library: Any, trees: Any) -> set[str]:
    """The name of each table that it sees, without the database."""
    found = library.extract_relations(parsed_query=trees)
    return {parts[-1]["Identifier"]["value"] for parts in found if "Identifier" in parts[-1]}


def _queries(tree: Any | None) -> set[str]:
    """What a WITH or an alias calls so."""
    nodes = tree.walk() if tree is not None else ()
    return {node.alias for node in nodes if type(node).__name__ in {"CTE", "Table"} and node.alias}


def _words(tree: Any) -> Iterator[str]:
    """Each identifier in the tree."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if isinstance(node.get("value"), str):
                yield node["value"]
            todo += node.values()
        elif isinstance(node, list | tuple):
            todo += node
