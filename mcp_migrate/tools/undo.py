"""What of the undo data is there, and can what an apply kept be put back now? Found out before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mcp_migrate.dialects.interface import Reader
from mcp_migrate.errors import UndoConflictError, UndoGoneError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Statement
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


def missing(database: Database, applies: Iterable[Apply]) -> Mapping[str, list[str]]:
    """By apply, the tables whose undo data is not on the target any more."""
    with database.reader() as reader:
        places = {entry.place for entry in reader.kept() or ()}
    kept = {apply.apply_id: apply.plan.undo.kept if apply.plan.undo else () for apply in applies}
    found = {apply_id: [each.table for each in them if each.place not in places] for apply_id, them in kept.items()}
    return {apply_id: tables for apply_id, tables in found.items() if tables}


def refuse_conflicts(database: Database, applies: Sequence[Apply]) -> None:
    """Ask the guards of the newest apply on the target as it is; those of older ones are asked when their turn comes.

    Raises:
        UndoGoneError: undo data was pruned.
        UndoConflictError: rows written since the apply stand in the way.
    """
    for apply_id, tables in missing(database, applies).items():
        raise _gone(apply_id, tables)
    if found := conflicts(database, applies[0].plan.reverse.statements):
        raise _conflict(applies[0], found)


def _conflicts(reader: Reader, statements: Iterable[Statement]) -> list[str]:
    found = []
    for guard in statements:
        if guard.guard is not None:
            counted = reader.count_returned(guard.sql, at_most=_COUNTED, seconds=_SECONDS)
            if counted.rows or counted.why_not:
                found.append(f"{guard.guard} ({counted.why_not or f'{counted.rows} of them'})")
    return found


def _gone(apply_id: str, tables: list[str]) -> UndoGoneError:
    return UndoGoneError(
        f"The undo data of {apply_id} for {', '.join(tables[:8])} was pruned: its data cannot be put back.",
        hint="migration_rollback with `target` and `to` still restores the schema, without the data.",
        tables=tables,
    )


def _conflict(apply: Apply, found: list[str]) -> UndoConflictError:
    return UndoConflictError(
        f"{apply.apply_id} cannot be rolled back as it is: {'; '.join(found[:8])}.",
        hint="Nothing ran and nothing was overwritten. Have a person decide about those rows, then call again.",
        conflicts=found,
    )
