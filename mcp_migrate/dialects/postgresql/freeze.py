"""What was PostgreSQL's driver sent? Its placeholders become PostgreSQL's own, so the text is real SQL.

The rules are psycopg's (`psycopg._queries`): a query with parameters (also an empty set of them) has ``%%`` for a
percent sign and ``%s``, ``%b``, ``%t`` or ``%(name)s`` for a value; a query without any is sent as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_migrate.dialects import values
from mcp_migrate.errors import RenderFailedError

_PLACEHOLDER = re.compile(r"%(?:\(([^)]+)\).|.)")
"""As psycopg has it: a percent sign before a line's end stands for itself."""


def freeze(sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
    """Frozen text and rows.

    Raises:
        RenderFailedError: a placeholder is not psycopg's, or a value has no lasting form.
    """
    if no_parameters and len(rows) <= 1:
        return sql, ()
    order: list[str | int] = []
    text = _PLACEHOLDER.sub(lambda match: _native(match, order), sql)
    if len({type(name) for name in order}) > 1:
        raise _unfit()
    if not order and len(rows) <= 1:
        return text, ()
    return text, tuple(tuple(values.freeze(_value(row, name)) for name in order) for row in rows)


def _native(match: re.Match[str], order: list[str | int]) -> str:
    if match[0] == "%%":
        return "%"
    if match[1] is not None and match[0][-1] in "sbt":
        if match[1] not in order:
            order.append(match[1])
        return f"${order.index(match[1]) + 1}"
    if match[0] in {"%s", "%b", "%t"}:
        order.append(len(order))
        return f"${len(order)}"
    raise RenderFailedError(
        f"The placeholder {match[0]!r} is not one of the driver's.", hint="Write %% for a percent sign."
    )


def _value(row: Any, name: str | int) -> Any:
    if isinstance(row, Mapping) != isinstance(name, str):
        raise _unfit()
    try:
        return row[name]
    except LookupError as error:
        raise _unfit() from error


def _unfit() -> RenderFailedError:
    return RenderFailedError("Values and placeholders do not fit.", hint="Bind by name or by position, not both.")
