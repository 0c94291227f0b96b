"""Does a second reader see the same kind of statement? Where two readers differ, one of them was fooled."""

from __future__ import annotations

from typing import Any

_FIRST_WORDS = {
    "create": {"CREATE"},
    "drop": {"DROP"},
    "alter": {"ALTER"},
    "insert": {"INSERT", "REPLACE", "WITH"},
    "update": {"UPDATE", "WITH"},
    "delete": {"DELETE", "WITH"},
    "read": {"SELECT", "VALUES", "WITH"},
}
_AFTER_WITH = {
    "insert": {"Insert"},
    "update": {"Update"},
    "delete": {"Delete"},
    "read": {"Select", "Union", "Except", "Intersect", "Values"},
}


def parse(sql: str) -> Any | None:
    """The tree sqlglot makes of the one statement in `sql`."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(sql, read="sqlite") if tree is not None]
    except (SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 else None


def agrees(sql: str, kind: str) -> bool:
    """Whether the second reader sees the kind of statement that SQLite said.

    Its tree is asked only where the first word does not say: its grammar does not know all of SQLite's.
    """
    first = words(sql)[:1]
    if first == ["WITH"]:
        return type(parse(sql)).__name__ in _AFTER_WITH.get(kind, ())
    return bool(_FIRST_WORDS[kind].intersection(first))


def words(sql: str) -> list[str]:
    """The words outside of quotes and comments, in upper case."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return [token.text.upper() for token in sqlglot.tokenize(sql, read="sqlite") if _is_word(token)]
    except SqlglotError:
        return []


def _is_word(token: Any) -> bool:
    return token.token_type.name not in {"STRING", "IDENTIFIER", "SEMICOLON"}


def replaces(sql: str) -> bool:
    """Whether the word is anywhere in it, so that no quoting or comment can hide it; it may only look worse."""
    return "replace" in sql.lower()


def only_table(tree: Any) -> str | None:
    """The name of the one table a statement speaks of."""
    names = {(t.db, t.name) for t in tree.walk() if type(t).__name__ == "Table"}
    schema, name = names.pop() if len(names) == 1 else ("?", "")
    return name if schema in {"", "main"} and name else None
