"""Can what an apply kept be put back now? Found out before anything runs."""

from __future__ import annotations

from mcp_migrate.errors import UndoConflictError, UndoGoneError
from mcp_migrate.model import Plan
from mcp_migrate.tools.applies import Apply
from mcp_migrate.tools.interface import Database

_COUNTED = 1_000
_SECONDS = 60.0


def refuse_conflicts(database: Database, apply: Apply, plan: Plan) -> None:
    """Ask each guard of a rollback, on the target as it is.

    Raises:
        UndoGoneError: the undo data was pruned.
        UndoConflictError: rows written since the apply stand in the way.
    """
    undo = apply.plan.undo
    if undo is None or not undo.kept:
        return
    with database.reader() as reader:
        places = {entry.place for entry in reader.kept() or ()}
        if missing := [kept.table for kept in undo.kept if kept.place not in places]:
            raise _gone(apply, missing)
        for guard in plan.statements:
            if guard.guard is not None:
                counted = reader.count_returned(guard.sql, at_most=_COUNTED, seconds=_SECONDS)
                if counted.rows or counted.why_not:
                    raise _conflict(apply, guard.guard, counted.why_not or f"{counted.rows} of them")


def _gone(apply: Apply, missing: list[str]) -> UndoGoneError:
    return UndoGoneError(
        f"The undo data of {apply.apply_id} for {', '.join(missing[:8])} was pruned: its data cannot be put back.",
        hint="migration_rollback with `target` and `to` still restores the schema, without the data.",
        tables=missing,
    )


def _conflict(apply: Apply, why: str, how_many: str) -> UndoConflictError:
    return UndoConflictError(
        f"{apply.apply_id} cannot be rolled back as it is: {why} ({how_many}).",
        hint="Nothing ran and nothing was overwritten. Have a person decide about those rows, then call again.",
        guard=why,
    )
