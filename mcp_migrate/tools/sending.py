"""What may the handler of a tool send while it executes? The next statement it declared, byte for byte."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from mcp_migrate.dialects.interface import Dialect
from mcp_migrate.errors import BeyondDeclaredError, MigrateError
from mcp_migrate.handlers import Statement
from mcp_migrate.migrations.handled import Handled
from mcp_migrate.model import Plan
from mcp_migrate.model import Statement as Frozen
from mcp_migrate.tools.desk import frozen, mistake


class Sending:
    """The statements of a plan, in order, each when the handler asks for it.

    Those of ours, which keep what is lost, go before and after the one they are for.
    """

    def __init__(self, handled: Handled, plan: Plan, dialect: Dialect, run: Callable[[Frozen], int]) -> None:
        self._handled = handled
        self._dialect = dialect
        self._run = run
        self._rest = deque(plan.statements)
        self._total = len(plan.statements)

    def told(self, report: Callable[[int, int, str], None], what: str) -> None:
        """Report how far it is, with what the handler says of that."""
        report(self._total - len(self._rest), self._total, what)

    def execute(self, about: Mapping[str, Any]) -> int:
        """Send one; the rows it changed. Raises: BeyondDeclaredError."""
        asked = Statement.model_validate(about)
        self._run_ours()
        if not self._rest or not self._is(asked, self._rest[0]):
            raise BeyondDeclaredError(
                f"{self._handled.tool} asked for a statement that is not the next one it declared.",
                hint="The tool is disabled until its source is another one, or an admin thaws it.",
                source=self._handled.source,
            )
        touched = self._run(self._rest[0])
        if not (asked.batches and touched):
            self._rest.popleft()
        return touched

    def finish(self) -> None:
        """Send what is left of ours. Raises: ToolFailedError: a declared statement was never asked for."""
        self._run_ours()
        if self._rest:
            missing = f"`execute` ended, and statement {self._rest[0].n}, which was declared, did not run"
            raise mistake(self._handled.tool, missing)

    def _is(self, asked: Statement, statement: Frozen) -> bool:
        try:
            sent = frozen(asked, self._dialect)
        except (ValueError, MigrateError):  # it is nothing that could be sent
            return False
        return (*sent, asked.batches) == (statement.sql, statement.parameters, statement.batches)

    def _run_ours(self) -> None:
        while self._rest and self._rest[0].kind != "change":
            self._run(self._rest.popleft())
