"""Where does an apply leave the ledger's head? In a table of our own that stays, and that nothing of ours tells."""

from __future__ import annotations

import sqlite3

from mcp_migrate.dialects.heads import newest, row
from mcp_migrate.model import LeftHead

HEADS = "_mcp_migrate_heads"
_COLUMNS = "apply_id TEXT PRIMARY KEY, size INTEGER NOT NULL, root TEXT NOT NULL, place TEXT NOT NULL"


def heads(connection: sqlite3.Connection, place: str) -> tuple[LeftHead, ...]:
    """Those of this file alone: a copy of another brings its own along."""
    if not connection.execute("SELECT 1 FROM main.sqlite_schema WHERE name = ?", (HEADS,)).fetchall():
        return ()
    return tuple(LeftHead(*each) for each in connection.execute(newest(f"main.{HEADS}", "place = ?"), (place,)))


def leave_head(connection: sqlite3.Connection, head: LeftHead, place: str) -> None:
    """In the transaction that is open."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS main.{HEADS} ({_COLUMNS})")
    connection.execute(f"INSERT INTO main.{HEADS} VALUES (?, ?, ?, ?)", row(head, place))  # noqa: S608  a constant
