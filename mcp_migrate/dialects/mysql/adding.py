"""What do statements of a plan say that keeping rows depends on: assigned columns, tables and columns made again?

Asked of a second reader of SQL; what it does not understand is not known.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

_ELSEWHERE = frozenset({"UNIQUE", "PRIMARY", "KEY", "REFERENCES", "CHECK", ";"})
"""Words of a definition that make more than a column."""


def assigned(sql: str) -> tuple[str, frozenset[str]] | None:
    """The table and the columns that an UPDATE of this one table assigns; None for what writes anything else."""
    from sqlglot import exp

    tree = _parsed(sql)
    if not isinstance(tree, exp.Update) or not isinstance(tree.this, exp.Table):
        return None
    target, named = tree.this, [pair.this for pair in tree.expressions]
    elsewhere = target.db or target.args.get("joins") or tree.args.get("from_") or tree.args.get("with_")
    if elsewhere or not all(isinstance(column, exp.Column) for column in named):
        return None
    return str(target.name), frozenset(str(column.name) for column in named)


def made_again(sql: str) -> str | None:
    """The table that a statement makes."""
    from sqlglot import exp

    tree = _parsed(sql)
    makes = isinstance(tree, exp.Create) and tree.args.get("kind") == "TABLE" and isinstance(tree.this, exp.Schema)
    return str(tree.this.this.name) if makes else None


def nulls_taken(sql: str, table: str, column: str) -> tuple[str, str] | None:
    """Of a statement that adds this column alone, NOT NULL: the same with NULL, and what takes nulls no more after it.

    None for every other statement, and where the definition says of a key, which would be made twice.
    """
    read = tokens(sql)
    words = [sql[token.start : token.end + 1].upper() for token in read]
    named = 4 if words[3:5] and words[3] == "ADD" and words[4] == "COLUMN" else 3
    places = [at for at in range(named, len(words) - 1) if words[at : at + 2] == ["NOT", "NULL"]]
    adds = words[:2] == ["ALTER", "TABLE"] and words[3:4] == ["ADD"] and len(places) == 1
    if not adds or _ELSEWHERE & set(words) or "," in outside(words):
        return None
    if [read[2].text, read[named + 1].text] != [table, column]:
        return None
    null, add, definition = places[0], read[3].start, read[named + 1].start
    return (
        f"{sql[: read[null].start]}NULL{sql[read[null + 1].end + 1 :]}",
        f"{sql[:add]}MODIFY COLUMN {sql[definition:]}",
    )


def outside(words: Sequence[str]) -> list[str]:
    """The words that stand in no parenthesis."""
    depth, found = 0, []
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        found += [word] if depth == 0 else []
    return found


def tokens(sql: str) -> list[Any]:
    """The tokens of a second reader of SQL; none where it cannot read it."""
    import sqlglot

    try:
        return list(sqlglot.tokenize(sql, read="mysql"))
    except sqlglot.errors.SqlglotError:
        return []


def _parsed(sql: str) -> Any:
    import sqlglot

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = sqlglot.parse(sql, read="mysql")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 else None
