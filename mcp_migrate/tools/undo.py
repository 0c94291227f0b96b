"""What of the undo data is there, and can what an apply kept be put back now? Found out before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from mcp_migrate.dialects.interface import Reader
from mcp_migrate.errors import UndoConflictError, UndoGoneError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Plan, Statement
from mcp_migrate.tools.applies import Apply
from mcp_migrate.tools.interface import Database

_COUNTED = 1_000
_SECONDS = 60.0
_LOOKED_BACK = 1_000


def kept_on(database: Database, ledger: Ledger) -> list[Mapping[str, Any]]:
    """The undo data on a target, each with the apply that kept it."""
    started = ledger.last(Kind.STEP_STARTED, limit=_LOOKED_BACK)
    undo = {event.subject: (event.body["plan"] or {}).get("undo") for event in started}
    applies = {kept["key"]: apply_id for apply_id, kept in reversed(undo.items()) if kept}
    with database.reader() as reader:
        entries = reader.kept() or ()
    return [{"target": database.name, "apply_id": applies.get(entry.key), **asdict(entry)} for entry in entries]


def conflicts(database: Database, statements: Iterable[Statement]) -> list[str]:
    """What would keep a rollback from putting things back now; it is asked again when it runs."""
    with database.reader() as reader:
        return _conflicts(reader, statements)


def refuse_conflicts(database: Database, applies: Iterable[Apply], plan: Plan) -> None:
    """Ask each guard of a rollback, on the target as it is.

    Raises:
        UndoGoneError: the undo data was pruned.
        UndoConflictError: rows written since the apply stand in the way.
    """
    with database.reader() as reader:
        places = {entry.place for entry in reader.kept() or ()}
        for apply in applies:
            kept = apply.plan.undo.kept if apply.plan.undo else ()
            if missing := [each.table for each in kept if each.place not in places]:
                raise _gone(apply, missing)
        if found := _conflicts(reader, plan.statements):
            raise _conflict(plan, found)


def _conflicts(reader: Reader, statements: Iterable[Statement]) -> list[str]:
    found = []
    for guard in statements:
        if guard.guard is not None:
            counted = reader.count_returned(guard.sql, at_most=_COUNTED, seconds=_SECONDS)
            if counted.rows or counted.why_not:
                found.append(f"{guard.guard} ({counted.why_not or f'{counted.rows} of them'})")
    return found


def _gone(apply: Apply, missing: list[str]) -> UndoGoneError:
    return UndoGoneError(
        f"The undo data of {apply.apply_id} for {', '.join(missing[:8])} was pruned: its data cannot be put back.",
        hint="Its schema can still be restored by a downgrade: write a revision that does it, or plan to the revision.",
        tables=missing,
    )


def _conflict(plan: Plan, found: list[str]) -> UndoConflictError:
    return UndoConflictError(
        f"{plan.target} cannot be rolled back as it is: {'; '.join(found[:8])}.",
        hint="Nothing ran and nothing was overwritten. Have a person decide about those rows, then call again.",
        conflicts=found,
    )
