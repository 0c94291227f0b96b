"""A tool that a team wrote as SQL: planned, tried, judged, approved, kept and taken back like a migration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.interface import Dialect
from mcp_migrate.errors import PreconditionFailedError
from mcp_migrate.migrations.own import Own
from mcp_migrate.model import Granted, Plan, Prepared, Statement
from mcp_migrate.tools.applies import run_plan
from mcp_migrate.tools.interface import Database, Workbench
from mcp_migrate.tools.live import Live, read_live
from mcp_migrate.tools.own_plans import plan_for, prepared, refuse_dialect
from mcp_migrate.tools.templates import templates

if TYPE_CHECKING:
    from mcp_migrate.tools.specs import ToolSpec

_CHECK_SECONDS = 30.0


class SqlTool:
    """One spec with `sql`."""

    def __init__(self, spec: ToolSpec) -> None:
        self.spec = spec

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Fill in the arguments and plan what comes of it; the target is only read."""
        database = bench.database(granted)
        refuse_dialect(self.spec, database)
        live = read_live(database, identify=True)
        arguments = self.arguments(granted.call.arguments)
        plan = self.plan(arguments, database, live)
        found = prepared(granted, self.spec, database, live, plan=plan, work=run_plan)
        return replace(found, meets=partial(_refuse_unmet, self._checks(arguments, database.dialect), database))

    def arguments(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What was given, and the defaults of the rest."""
        known: dict[str, Any] = self.spec.parameters.get("properties", {})
        return {name: given.get(name, said.get("default")) for name, said in known.items()}

    def statements(self, arguments: Mapping[str, Any], dialect: Dialect) -> tuple[Statement, ...]:
        """What would run, between the checks. Raises: InvalidArgumentsError: a name is none."""
        checks = self._checks(arguments, dialect)
        found = (*checks, *self._frozen(self.spec.sql, arguments, dialect), *checks)
        return tuple(replace(statement, n=n) for n, statement in enumerate(found, 1))

    def plan(self, arguments: Mapping[str, Any], database: Database, live: Live) -> Plan:
        """The plan, tried on a scratch database. Raises: RehearsalFailedError, InvalidArgumentsError."""
        rollback = self.spec.rollback
        back = None if rollback is None else tuple(self._frozen(rollback, arguments, database.dialect))
        return plan_for(Own(self.statements(arguments, database.dialect), back), database, live)

    def _checks(self, arguments: Mapping[str, Any], dialect: Dialect) -> tuple[Statement, ...]:
        found = zip(self._frozen(self.spec.check, arguments, dialect), self.spec.check, strict=True)
        said = f"{self.spec.name}'s check found rows"
        return tuple(replace(check, guard=f"{said}: {' '.join(text.split())[:200]}") for check, text in found)

    def _frozen(self, texts: Sequence[str], arguments: Mapping[str, Any], dialect: Dialect) -> Iterator[Statement]:
        for template in templates(texts):
            sql, rows = template.filled(arguments, dialect)
            yield Statement(0, f"tool:{self.spec.name}", sql, rows)


def _refuse_unmet(checks: Sequence[Statement], database: Database) -> None:
    """Nobody is asked about what would not run. A check with parameters is asked when it runs.

    Raises:
        PreconditionFailedError: one returns rows, or cannot be asked.
    """
    with database.reader() as reader:
        for check in checks:
            if check.parameters:
                continue
            counted = reader.count_returned(check.sql, at_most=1, seconds=_CHECK_SECONDS)
            if counted.rows or counted.why_not:
                raise PreconditionFailedError(
                    f"{counted.why_not or check.guard}.", hint="Mend what the check found first; nothing ran."
                )
