"""Which runnable statement comes first where what was asked for would lose or break something?

Expand, move, contract: what is here only adds or looks, so that old code goes on until the last step.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_migrate.rules.mysql.columns import Type
from mcp_migrate.rules.mysql.cursor import Name


def quoted(*parts: str) -> str:
    """The parts of a name as SQL. No name that the grammar takes holds a back quote."""
    return ".".join(f"`{part}`" for part in parts if part)


def keeps(table: Name) -> str:
    """Keep every row before something of it is lost."""
    return f"CREATE TABLE {quoted(table[0], table[1] + '_before')} AS SELECT * FROM {quoted(*table)}"  # noqa: S608  names are quoted


def adds(table: Name, column: str, kind: str) -> str:
    """A column beside the old one, which old code need not know; it is filled before the old one goes."""
    return f"ALTER TABLE {quoted(*table)} ADD COLUMN {quoted(column)} {kind} NULL"


def duplicates(table: Name, columns: Sequence[str]) -> str:
    """Which values would a unique key reject? Empty where a key is on an expression."""
    if not all(columns):
        return ""
    listed = ", ".join(quoted(column) for column in columns)
    return f"SELECT {listed}, COUNT(*) FROM {quoted(*table)} GROUP BY {listed} HAVING COUNT(*) > 1"  # noqa: S608  names are quoted


def nulls(table: Name, column: str) -> str:
    """How many rows would NOT NULL reject?"""
    return f"SELECT COUNT(*) FROM {quoted(*table)} WHERE {quoted(column)} IS NULL"  # noqa: S608  names are quoted


def spelt(kind: Type) -> str:
    """A type as SQL."""
    text = kind.name in {"ENUM", "SET"}
    args = ", ".join("'" + arg.replace("'", "''") + "'" if text else arg for arg in kind.args)
    return kind.name + (f"({args})" if args else "") + (" UNSIGNED" if kind.unsigned else "")
