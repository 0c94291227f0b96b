"""How does a bound value stand in a plan? As JSON that comes back as exactly the same value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from mcp_migrate.errors import RenderFailedError


def freeze(value: Any) -> Any:
    """The JSON form of one bound value.

    Raises:
        RenderFailedError: a value of this type has none.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return _plain(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, (list, tuple)):
        return {"$list": [freeze(item) for item in value]}
    for kind, (tag, write, _read) in _TYPES.items():
        if type(value) is kind:
            return {tag: write(value)}
    if type(value).__name__ in {"Json", "Jsonb"} and hasattr(value, "obj"):
        return {f"${type(value).__name__.lower()}": value.obj}
    raise RenderFailedError(
        f"A revision binds a value of type {type(value).__name__}, which cannot be frozen.",
        hint="Bind plain values: text, numbers, dates, bytes, UUIDs, lists of these.",
    )


def thaw(value: Any) -> Any:
    """The value that `freeze` wrote."""
    if not isinstance(value, Mapping):
        return value
    [(tag, inner)] = value.items()
    if tag == "$float":
        return float(inner)
    if tag == "$list":
        return [thaw(item) for item in inner]
    if tag in {"$json", "$jsonb"}:
        from psycopg.types.json import Json, Jsonb

        return (Json if tag == "$json" else Jsonb)(inner)
    return _READERS[tag](inner)


def _plain(value: Any) -> Any:
    """Without subclasses: an enum member that is text is bound as that text."""
    for kind in (bool, int, str):
        if isinstance(value, kind):
            return kind(value) if kind is not str else str.__str__(value)
    return value


_TYPES: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: ("$bytes", bytes.hex, bytes.fromhex),
    bytearray: ("$bytes", lambda value: bytes(value).hex(), bytes.fromhex),
    memoryview: ("$bytes", lambda value: bytes(value).hex(), bytes.fromhex),
    Decimal: ("$decimal", str, Decimal),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    timedelta: (
        "$interval",
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda value: timedelta(*value),
    ),
    UUID: ("$uuid", str, UUID),
}
_READERS = {tag: read for tag, _write, read in _TYPES.values()}
