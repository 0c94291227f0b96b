"""What was the driver sent? Its placeholders become MySQL's own ``?``, so that the text is real SQL.

pymysql writes the values into the text itself, wherever ``%s`` stands: also inside a string. A placeholder that is not
one in SQL is refused, and what is sent to a target is put together from the same literals at the same places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcp_migrate.dialects import values
from mcp_migrate.dialects.mysql.words import marks_in
from mcp_migrate.errors import RenderFailedError

_PLACEHOLDER = re.compile(r"%(?:\(([^)]+)\))?(.)", re.DOTALL)


def freeze(sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
    """Frozen text and rows.

    Raises:
        RenderFailedError: a placeholder is not the driver's, or no value can stand there, or has no lasting form.
    """
    if no_parameters and len(rows) <= 1:
        return sql, ()
    order: list[str | int] = []
    text = _PLACEHOLDER.sub(lambda match: _native(match, order), sql)
    if not order and len(rows) <= 1:
        return text, ()
    if len(list(marks_in(text))) != len(order) or "/*!" in text or "/*M!" in text:
        raise RenderFailedError(
            "A value is bound where no value can stand, as in a string.", hint="Bind whole values, outside of quotes."
        )
    return text, tuple(tuple(values.freeze(_value(row, name)) for name in order) for row in rows)


def filled(sql: str, row: Sequence[Any], literal: Callable[[Any], str]) -> str:
    """The text with each placeholder replaced by the literal of its value, which is how the driver does it."""
    parts, before = [], 0
    for at, value in zip(marks_in(sql), row, strict=True):
        parts += [sql[before:at], literal(values.thaw(value))]
        before = at + 1
    return "".join([*parts, sql[before:]])


def _native(match: re.Match[str], order: list[str | int]) -> str:
    if match[0] == "%%":
        return "%"
    if match[2] != "s":
        raise RenderFailedError(
            f"The placeholder {match[0]!r} is not one of the driver's.", hint="Write %% for a percent sign."
        )
    order.append(len(order) if match[1] is None else match[1])
    return "?"


def _value(row: Any, name: str | int) -> Any:
    if isinstance(row, Mapping) != isinstance(name, str):
        raise _unfit()
    try:
        return row[name]
    except LookupError as error:
        raise _unfit() from error


def _unfit() -> RenderFailedError:
    return RenderFailedError("Values and placeholders do not fit.", hint="Bind by name or by position, not both.")
