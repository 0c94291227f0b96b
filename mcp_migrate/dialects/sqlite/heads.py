"""Where does an apply leave the ledger's head? In a table of our own that stays, and that nothing of ours tells."""

from __future__ import annotations

import sqlite3

from mcp_migrate.model import LeftHead

HEADS = "_mcp_migrate_heads"
_COLUMNS = "apply_id TEXT PRIMARY KEY, size INTEGER NOT NULL, root TEXT NOT NULL, place TEXT NOT NULL"
_MOST = 1_000


def heads(connection: sqlite3.Connection, place: str) -> tuple[LeftHead, ...]:
    """Those of this file alone: a copy of another brings its own along."""
    if not connection.execute("SELECT 1 FROM main.sqlite_schema WHERE name = ?", (HEADS,)).fetchall():
        return ()
    sql = f"SELECT apply_id, size, root FROM main.{HEADS} WHERE place = ? ORDER BY size DESC LIMIT {_MOST}"  # noqa: S608  constants
    return tuple(LeftHead(*row) for row in connection.execute(sql, (place,)))


def leave_head(connection: sqlite3.Connection, head: LeftHead, place: str) -> None:
    """In the transaction that is open."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS main.{HEADS} ({_COLUMNS})")
    values = (head.apply_id, head.size, head.root, place)
    connection.execute(f"INSERT INTO main.{HEADS} VALUES (?, ?, ?, ?)", values)  # noqa: S608  a constant
