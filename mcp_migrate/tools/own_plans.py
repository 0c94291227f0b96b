"""How do the statements of a team's own tool become a plan, whether it is written in SQL or in Python?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.errors import InvalidArgumentsError
from mcp_migrate.migrations.own import Own, plan_own
from mcp_migrate.migrations.planning import Way
from mcp_migrate.migrations.rehearsal import stand_at_start
from mcp_migrate.model import Granted, Plan, Prepared, Work
from mcp_migrate.schema import Schema
from mcp_migrate.tools.interface import Database
from mcp_migrate.tools.live import Live
from mcp_migrate.tools.plans import protected

if TYPE_CHECKING:
    from mcp_migrate.tools.specs import ToolSpec


def refuse_dialect(spec: ToolSpec, database: Database) -> None:
    """Raises: InvalidArgumentsError: the tool is not for this database."""
    if spec.dialects and database.dialect.name not in spec.dialects:
        raise InvalidArgumentsError(
            f"{spec.name} is for {', '.join(spec.dialects)}; {database.name} is {database.dialect.name}.",
            hint="Use it on another target.",
        )


def plan_for(own: Own, database: Database, live: Live) -> Plan:
    """The plan, tried on a scratch database. Raises: RehearsalFailedError."""
    way = _way(database, live)
    return plan_own(own, way, database.url, database.project.replaying(way))


@contextmanager
def copy_of(database: Database, live: Live) -> Iterator[Scratch]:
    """A scratch database like the target, without rows. Raises: RehearsalFailedError."""
    way = _way(database, live)
    with way.dialect.open_scratch(database.url) as scratch:
        stand_at_start(way, database.url, scratch, database.project.replaying(way))
        yield scratch


def _way(database: Database, live: Live) -> Way:
    """From where the target is to the same revision."""

    def finish(plan: Plan, _after: Schema) -> Plan:
        return protected(database, plan, live)

    return Way(
        database.name,
        database.dialect,
        database.info,
        live.revision,
        live.revision,
        upgrade=True,
        cage=database.project.cage,
        live=live.schema,
        rehearse=database.rehearse,
        max_rows=database.max_rows,
        finish=finish,
        progress=database.progress,
    )


def prepared(
    granted: Granted, spec: ToolSpec, database: Database, live: Live, *, plan: Plan, work: Work, **about: Any
) -> Prepared:
    """What a tool of a team would do; `about` stands in the request beside its spec."""
    subject: Mapping[str, Any] = {"tool_spec": spec.digest, **about}
    return Prepared(
        granted,
        work=work,
        plan=plan,
        schema=live.schema,
        count_rows=database.count_rows,
        identity=live.identity,
        subject=subject,
        declared=frozenset(spec.effects),
    )
