"""How does a bound value stand in a plan? As JSON that comes back as exactly the same value."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
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
        return float(value) if math.isfinite(value) else {"$float": str(float(value))}
    if type(value) in {list, tuple}:  # a driver binds a list as an array, a tuple as a row
        return {f"${type(value).__name__}": [freeze(item) for item in value]}
    for kind, (tag, write, _read) in _TYPES.items():
        if type(value) is kind:
            return {tag: write(value)}
    driver = type(value).__module__.partition(".")[0]
    if driver in {"psycopg", "psycopg2"} and type(value).__name__ in _WRAPPERS:
        return _WRAPPERS[type(value).__name__](value)
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
    if tag in {"$list", "$tuple"}:
        return (list if tag == "$list" else tuple)(thaw(item) for item in inner)
    return _WRAPPING[tag](inner) if tag in _WRAPPING else _READERS[tag](inner)


def rows_digest(rows: Iterable[Sequence[Any]]) -> str:
    """Of what a read gave, in whatever order: without ORDER BY a database promises none.

    Raises:
        RenderFailedError: a value has no lasting form.
    """
    from mcp_migrate.model import digest  # here, because each child that records imports this module

    return digest(sorted(digest([freeze(value) for value in row]) for row in rows))


def _inner(wrapper: Any) -> Any:
    """What psycopg or psycopg2 was given to wrap."""
    return wrapper.obj if hasattr(wrapper, "obj") else wrapper.adapted


def _json(wrapper: Any) -> Any:
    """Psycopg says which type it is; psycopg2 sends a text that could be of any."""
    text = _json_text(wrapper)
    return {f"${type(wrapper).__name__.lower()}": text} if hasattr(wrapper, "obj") else text


def _json_again(inner: str) -> Any:
    from psycopg.types.json import Json

    return Json(inner, dumps=str)


def _jsonb_again(inner: str) -> Any:
    from psycopg.types.json import Jsonb

    return Jsonb(inner, dumps=str)


def _range(value: Any) -> Any:
    return {"$range": [] if value.isempty else [freeze(value.lower), freeze(value.upper), value.bounds]}


def _range_again(inner: Sequence[Any]) -> Any:
    from psycopg.types.range import Range

    return Range(thaw(inner[0]), thaw(inner[1]), inner[2]) if inner else Range(empty=True)


def _multirange_again(inner: Sequence[Any]) -> Any:
    from psycopg.types.multirange import Multirange

    return Multirange(thaw(part) for part in inner)


def _json_text(wrapper: Any) -> str:
    """The text the driver sends: a column of type json keeps its order and white space. Raises: RenderFailedError."""
    try:
        text = (wrapper.dumps or json.dumps)(_inner(wrapper))
    except (TypeError, ValueError) as error:
        raise RenderFailedError(
            f"A revision binds a JSON document that cannot be frozen: {error}.", hint="Bind plain JSON values."
        ) from error
    return text.decode() if isinstance(text, bytes) else str(text)


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
    IPv4Address: ("$ipv4", str, IPv4Address),
    IPv6Address: ("$ipv6", str, IPv6Address),
    IPv4Interface: ("$ipv4interface", str, IPv4Interface),
    IPv6Interface: ("$ipv6interface", str, IPv6Interface),
    IPv4Network: ("$ipv4network", str, IPv4Network),
    IPv6Network: ("$ipv6network", str, IPv6Network),
}
_WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "Binary": lambda wrapper: freeze(_inner(wrapper)),
    "Json": _json,
    "Jsonb": _json,
    "Range": _range,
    "Multirange": lambda value: {"$multirange": [freeze(part) for part in value]},
}
"""What the drivers of PostgreSQL wrap values in, by its name."""
_WRAPPING: dict[str, Callable[[Any], Any]] = {
    "$json": _json_again,
    "$jsonb": _jsonb_again,
    "$range": _range_again,
    "$multirange": _multirange_again,
}
_READERS = {tag: read for tag, _write, read in _TYPES.values()}
