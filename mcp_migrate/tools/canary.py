"""A change that nobody should approve, made up to see whether anybody would. It can be asked and never run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_migrate.dialects.interface import quoted
from mcp_migrate.errors import InternalError, InvalidArgumentsError
from mcp_migrate.model import Approved, Granted, Plan, Prepared, Reverse, Statement
from mcp_migrate.tools.interface import Workbench
from mcp_migrate.tools.live import read_live


@dataclass(frozen=True, slots=True)
class Canary:
    """Looks like `migration_apply` of a plan that drops a table. No spec names it, so no client can call it."""

    scope: str = "migration_apply"
    only_looks: bool = False
    plans: bool = False
    by_people: bool = True

    def target_of(self, arguments: Mapping[str, Any], _bench: Workbench) -> str:
        return str(arguments["target"])

    def prepare(self, granted: Granted, bench: Workbench) -> Prepared:
        """Read the target as an apply would, and make up the rest. Raises: InvalidArgumentsError."""
        database, asked = bench.database(granted), granted.call.arguments
        live, table = read_live(database, identify=True), str(asked["table"])
        known = [f"{each.schema}.{each.name}" for each in live.schema.tables]
        if table not in known:
            raise InvalidArgumentsError(f"There is no table {table!r}.", hint=f"Tables are: {', '.join(known[:20])}.")
        name = quoted(*table.split(".", 1), mark=database.dialect.quote_mark)
        revision = str(asked["revision"])
        plan = Plan(
            target=database.name,
            dialect=database.dialect.name,
            from_revision=live.revision,
            to_revision=revision,
            base_fingerprint=live.shape,
            expected_fingerprint=None,
            version_table=database.version_table,
            statements=(Statement(1, revision, f"DROP TABLE {name}"),),
            reverse=Reverse(available=False, restores_schema=False, why_not=f"{revision} has no downgrade"),
        )
        return Prepared(
            granted,
            work=_never,
            plan=plan,
            schema=live.schema,
            count_rows=database.count_rows,
            identity=live.identity,
        )


def _never(approved: Approved, run: Callable[[Statement], int]) -> Mapping[str, Any]:
    del approved, run
    raise InternalError("A canary was about to run.", hint="This is a defect of the server; report it.")
