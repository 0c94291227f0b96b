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
    "pragma": {"PRAGMA"},
    "vacuum": {"VACUUM"},
    "reindex": {"REINDEX"},
    "analyze": {"ANALYZE"},
}
_VERBS = {"INSERT": "insert", "REPLACE": "insert", "UPDATE": "update", "DELETE": "delete"} | dict.fromkeys(
    ("SELECT", "VALUES"), "read"
)
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

    Its tree is asked only where the first word does not say. Its grammar does not know all of SQLite's: where it
    makes no tree, the first verb outside of brackets is what it reads.
    """
    seen = words(sql)
    if seen[:1] != ["WITH"]:
        return bool(_FIRST_WORDS[kind].intersection(seen[:1]))
    tree = parse(sql)
    return type(tree).__name__ in _AFTER_WITH.get(kind, ()) if tree else _verb(seen) == kind


def _verb(seen: list[str]) -> str | None:
    depth = 0
    for word in seen:
        depth += (word == "(") - (word == ")")
        if not depth and word in _VERBS:
            return _VERBS[word]
    return None


def first_word(sql: str) -> str:
    """The first word, in upper case; empty where there is none."""
    return next(iter(words(sql)), "")


def words(sql: str) -> list[str]:
    """The words outside of quotes and comments, in upper case."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return [token.text.upper() for token in sqlglot.tokenize(sql, read="sqlite") if _is_word(token)]
    except SqlglotError:
        return []


def spelling(sql: str) -> tuple[str, ...]:
    """The same text in one spelling: no comments, no blanks, names without quotes and in upper case.

    Text that cannot be read has a spelling of its own, so that it is the same as itself alone.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(sql, read="sqlite")
    except SqlglotError:
        return ("?", sql)
    return tuple(f"'{t.text}'" if t.token_type.name == "STRING" else t.text.upper() for t in tokens)


def counts(sql: str, name: str) -> int:
    """How often a name stands in it, in whatever quotes; in text that cannot be read, each place where it may."""
    words = spelling(sql)
    if words[:1] == ("?",):
        return sql.lower().count(name.lower())
    return sum(word.strip("'") == name.upper() for word in words)


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
