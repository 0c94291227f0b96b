"""What of the ledger's head stands in a target? The same in every database; where its table is differs."""

from __future__ import annotations

from mcp_migrate.errors import StatementFailedError
from mcp_migrate.model import LeftHead

_MOST = 1_000
"""The largest that are read: a ledger that was put back lacks these first."""


def newest(table: str, where: str) -> str:
    """The question for those that are kept for one database."""
    return f"SELECT apply_id, size, root FROM {table} WHERE {where} ORDER BY size DESC LIMIT {_MOST}"  # noqa: S608  ours


def row(head: LeftHead, database: str) -> tuple[str, int, str, str]:
    """Whose it is stands beside it: a copy of another database brings its own along."""
    return head.apply_id, head.size, head.root, database


def no_place(why: str, grant: str) -> StatementFailedError:
    """The head could not be left; `grant` is what an admin would do."""
    return StatementFailedError(
        f"The target has no place for the ledger's head: {why}.",
        hint=f"Nothing ran. {grant}, or leave `marker` out.",
    )
