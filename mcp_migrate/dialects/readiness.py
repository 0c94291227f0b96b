"""May this plan run on this target now? Asked under the target's lock, before its statements and between them."""

from __future__ import annotations

from mcp_migrate.dialects.holders import in_the_way, named
from mcp_migrate.dialects.interface import Writer
from mcp_migrate.errors import LockedError, PlanStaleError, PreconditionFailedError
from mcp_migrate.model import Classified, Effect, Plan, Read
from mcp_migrate.schema import shape

_COUNTED, _ASKING_SECONDS = 1_000, 60.0
"""Rows in the way are counted no further, and a precondition is asked no longer."""


def nobody_is_long_at_it(classified: Classified, writer: Writer, seconds: float | None) -> None:
    """Refuse before anybody queues behind us for a lock that will not be free soon. Raises: LockedError."""
    if seconds is None:
        return
    tables = {".".join(name.split(".")[:2]) for name in classified.objects}
    holders = writer.old_transactions(None if Effect.UNKNOWN in classified.effects else tables, seconds=seconds)
    if holders:
        raise LockedError(
            f"A transaction older than {seconds:g} s is open on tables of this plan.{named(holders)}",
            hint="Nothing ran, and nobody waits behind this apply. Make the same call again when it has ended, or have"
            " a person end it.",
            **in_the_way(holders),
        )


def same_start(plan: Plan, writer: Writer) -> None:
    """The target is where the plan starts. Raises: PlanStaleError."""
    revisions = writer.revisions(plan.version_table)
    if revisions != tuple(filter(None, [plan.from_revision])):
        raise PlanStaleError(
            f"The target is at revision {', '.join(revisions) or 'base'}, "
            f"the plan starts at {plan.from_revision or 'base'}.",
            hint="Call migration_plan again and apply the new plan.",
            revision=list(revisions),
        )
    if shape(writer.schema(version_table=plan.version_table)) != plan.base_fingerprint:
        raise PlanStaleError(
            "The target's schema changed since the plan was made.",
            hint="Call migration_plan again and apply the new plan.",
        )


def rows_fit(plan: Plan, writer: Writer) -> None:
    """Ask the preconditions before the first statement. One that takes too long is left to the statement itself.

    Raises: PreconditionFailedError.
    """
    for each in plan.preconditions:
        found = writer.count_returned(each.sql, at_most=_COUNTED, seconds=_ASKING_SECONDS)
        if found.rows:
            more = "more than " if found.rows >= _COUNTED else ""
            raise PreconditionFailedError(
                f"{more}{found.rows} row(s) of the target are in the way: {each.why}.",
                hint="Nothing ran. Mend those rows in an earlier revision, or change the revision, and plan again; "
                "the query in `details` finds them.",
                object=each.object,
                sql=each.sql,
                rows=found.rows,
            )


def same_rows(read: Read, writer: Writer) -> None:
    """What a revision read when the plan was made is what stands there now. Raises: PlanStaleError."""
    if writer.look(read.sql, read.parameters) == read.result:
        return
    query = " ".join(read.sql.split())[:300]
    raise PlanStaleError(
        f"Revision {read.revision} read other rows when the plan was made, which may have made its statements: {query}",
        hint="Everything was rolled back. Call migration_plan again and apply the new plan.",
        query=query,
        tables=list(read.tables),
        before=read.before,
    )
