"""What someone can do who owns the ledger's file and knows how it is made, but has no key."""

# ruff: noqa: S608 - forgers write SQL, and all of it stands in this file
from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from mcp_migrate.ledger import Head
from mcp_migrate.ledger.events import hashed_bytes
from mcp_migrate.ledger.merkle import Frontier, leaf_hash
from mcp_migrate.ledger.sidecar import _text, sidecar_path

COLUMNS = ("seq", "at", "kind", "workflow", "call_id", "subject", "body", "leaf", "root", "frontier")


def tamper(path: Path, *statements: str, checks: bool = True) -> None:
    """Run `statements` as someone who owns the file, and put the triggers back as if nothing had been."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        raw.execute(f"PRAGMA ignore_check_constraints={'OFF' if checks else 'ON'}")
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
        for _, sql in triggers:
            raw.execute(sql)


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Head:
    """Change the rows and compute every hash again, as a thorough forger does."""
    with closing(sqlite3.connect(path)) as raw:
        raw.row_factory = sqlite3.Row
        rows = [dict(row) for row in raw.execute("SELECT * FROM events ORDER BY seq")]
    frontier, values = Frontier(), list[str]()
    for row in change(rows):
        fields = {name: row[name] for name in COLUMNS[1:7]} | {"seq": frontier.size}
        leaf = leaf_hash(hashed_bytes(**fields))
        frontier = frontier.append(leaf)
        body = fields["body"].replace("'", "''")
        blobs = (leaf, frontier.root, frontier.to_bytes())
        plain = [json.dumps(fields[name]).replace("'", "''") for name in COLUMNS[:6]]
        texts = ["NULL" if text == "null" else text.replace('"', "'") for text in plain]
        texts += [f"'{body}'", *(f"x'{blob.hex()}'" for blob in blobs)]
        values.append(f"INSERT INTO events VALUES ({', '.join(texts)})")
    tamper(path, "DELETE FROM events", *values)
    return Head(frontier.size, frontier.root.hex())


def forge(path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Rewrite the log, and the head file beside it too: nothing that lies with the ledger tells."""
    sidecar_path(path).write_bytes(_text(rewrite(path, change)))
