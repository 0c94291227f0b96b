"""Does a second reader see the same kind of statement? Where two readers differ, one of them was fooled."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "create": ("Create",),
    "drop": ("Drop",),
    "alter": ("Alter",),
    "insert": ("Insert",),
    "update": ("Update",),
    "delete": ("Delete",),
    "read": ("Select", "Union", "Except", "Intersect", "Values", "Subquery"),
}


def parse(sql: str) -> Any | None:
    """sqlglot's tree of the one statement in `sql`."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(sql, read="sqlite") if tree is not None]
    except (SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 else None


def agrees(tree: Any, kind: str) -> bool:
    """Whether the tree is of the kind SQLite said."""
    return type(tree).__name__ in _KINDS[kind]


def has_check(tree: Any) -> bool:
    """Whether a CHECK stands in it."""
    return any("Check" in type(node).__name__ for node in tree.walk())


def replaces(sql: str) -> bool:
    """Whether the word is anywhere in it, so that no quoting or comment can hide it; it may only look worse."""
    return "replace" in sql.lower()


def only_table(tree: Any) -> str | None:
    """The name of the one table a statement speaks of."""
    names = {(t.db, t.name) for t in tree.walk() if type(t).__name__ == "Table"}
    schema, name = names.pop() if len(names) == 1 else ("?", "")
    return name if schema in {"", "main"} and name else None
