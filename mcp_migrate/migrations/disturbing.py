"""Which tables does a way back itself disturb, so that what was kept of them cannot go back?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mcp_migrate.dialects.keeper import Loss
from mcp_migrate.model import Plan, Statement
from mcp_migrate.schema.model import Column

_WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "TRUNCATE")


def disturbed(plan: Plan, losses: Sequence[Loss]) -> dict[str, str]:
    """Why, by table."""
    return _written(plan.reverse.statements, losses) | _watched(plan, losses)


def needed(loss: Loss) -> list[Column]:
    """The columns of a loss that must have a value as soon as they are there again."""
    lost = loss.columns if loss.kind == "columns" else ()
    return [column for column in lost if not column.nullable and column.default is None and not column.identity]


def _written(back: Iterable[Statement], losses: Iterable[Loss]) -> dict[str, str]:
    """Tables that the downgrade writes to by itself: its values and those that were kept would be mixed."""
    tables = {loss.table.qualified: loss.table.name.upper() for loss in losses}
    writing = [statement.sql.upper() for statement in back if _writes(statement)]
    return {
        qualified: f"the downgrade itself writes to {qualified}"
        for qualified, name in tables.items()
        if any(name in sql for sql in writing)
    }


def _writes(statement: Statement) -> bool:
    """Whether a statement of a downgrade may write rows; what copies a table that is made anew does not."""
    first = statement.sql.split(maxsplit=1)[:1]
    writes = bool(first) and first[0].upper() in _WRITES and "_alembic_tmp_" not in statement.sql
    return statement.kind == "change" and writes


def _watched(plan: Plan, losses: Iterable[Loss]) -> dict[str, str]:
    """Tables whose triggers or rules change while a column gets its values in the middle of the way back.

    At its end all triggers are again what they were, so that they can be told to be silent.
    """
    texts = [s.sql.upper() for s in (*plan.statements, *plan.reverse.statements) if s.kind == "change"]
    watch = [sql for sql in texts if "TRIGGER" in sql or "RULE" in sql]
    tables = {loss.table.qualified: loss.table.name.upper() for loss in losses if needed(loss)}
    return {
        qualified: f"triggers of {qualified} change while its values come back"
        for qualified, name in tables.items()
        if any(name in sql for sql in watch)
    }
