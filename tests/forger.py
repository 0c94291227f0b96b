"""The drill's forger, for tests that name a file: what someone can do who owns it, but has no key."""

from __future__ import annotations

from pathlib import Path

from mcp_migrate.drill import forging
from mcp_migrate.drill.copies import FileCopy
from mcp_migrate.drill.forging import Change
from mcp_migrate.ledger import Head


def tamper(path: Path, *statements: str, checks: bool = True) -> None:
    """Run `statements` as someone who owns the file, and put the triggers back as if nothing had been."""
    with FileCopy(path).disarmed() as connection:
        connection.exec_driver_sql(f"PRAGMA ignore_check_constraints={'OFF' if checks else 'ON'}")
        for statement in statements:
            connection.exec_driver_sql(statement)


def rewrite(path: Path, change: Change) -> Head:
    """Change the rows and compute every hash again, as a thorough forger does."""
    return forging.rewrite(FileCopy(path), change)


def forge(path: Path, change: Change) -> None:
    """Rewrite the log, and the head file beside it too: nothing that lies with the ledger tells."""
    forging.forge(FileCopy(path), change)
