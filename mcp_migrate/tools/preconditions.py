"""Which preconditions of a plan can be asked of its target, and which of them fail now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_migrate.migrations.preconditions import preconditions
from mcp_migrate.model import Plan, Precondition, Unmet
from mcp_migrate.schema import Schema
from mcp_migrate.tools.interface import Database

_COUNTED = 1_000
_SECONDS = 10.0


def asked(
    database: Database, plan: Plan, before: Schema, after: Schema
) -> tuple[tuple[Precondition, ...], tuple[Unmet, ...]]:
    """The preconditions that this target can answer in time, and those that its rows do not meet.

    One that cannot be asked (it looks at a column the plan adds, or takes too long) is not promised; the statement
    itself finds what is in its way.
    """
    if plan.expected_fingerprint is None:  # what the plan makes of this target is not known
        return (), ()
    found = preconditions(plan.statements, before, after, dialect=plan.dialect, mark=database.dialect.quote_mark)
    counted: dict[Precondition, int] = {}
    with database.reader() as reader:
        for each in found:
            answer = reader.count_returned(each.sql, at_most=_COUNTED, seconds=_SECONDS)
            if answer.why_not is None:
                counted[each] = answer.rows
    return tuple(counted), tuple(Unmet(each, rows) for each, rows in counted.items() if rows)


def in_the_way(unmet: Sequence[Unmet]) -> str:
    """What is in the way of a plan, in one sentence without its full stop."""
    return "; ".join(f"{how_many(each)} in the way: {each.precondition.why}" for each in unmet)


def how_many(unmet: Unmet) -> str:
    """One row, or so many; counted no further than a bound."""
    if unmet.rows == 1:
        return "1 row is"
    return f"{'at least ' if unmet.rows >= _COUNTED else ''}{unmet.rows:,} rows are"


def told(plan: Plan) -> Sequence[Mapping[str, Any]]:
    """The JSON form for callers: what is asked, and how many rows were in the way when the plan was made."""
    rows = {each.precondition: each.rows for each in plan.rehearsal.unmet} if plan.rehearsal else {}
    return [{"why": each.why, "sql": each.sql, "rows_in_the_way": rows.get(each, 0)} for each in plan.preconditions]
