"""What was SQLite's driver sent? Its text is already SQLite's own; only the values need a lasting form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_migrate.dialects import values
from mcp_migrate.errors import RenderFailedError


def freeze(sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
    """Frozen text and rows.

    Raises:
        RenderFailedError: values are bound by name, or are of a type without a lasting form.
    """
    if len(rows) <= 1 and (no_parameters or not any(rows)):
        return sql, ()
    if any(isinstance(row, Mapping) and row for row in rows):
        raise RenderFailedError(
            "A revision binds values by name straight at the driver.", hint="Use sa.text() with bound parameters."
        )
    return sql, tuple(tuple(values.freeze(value) for value in row) for row in rows)
