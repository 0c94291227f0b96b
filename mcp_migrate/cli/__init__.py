"""The `mcp-migrate` command: one module per group of commands."""

from __future__ import annotations

from collections.abc import Sequence


def run(words: Sequence[str]) -> None:
    """Run one command. Raises: MigrateError, SystemExit."""
    from mcp_migrate.cli.app import app
    from mcp_migrate.cli.common import closing

    with closing():
        app(list(words), prog_name="mcp-migrate")
