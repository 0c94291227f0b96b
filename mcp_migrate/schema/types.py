"""Does a column's new type hold every old value, fewer of them, or others?

Types are the catalog's own spelling. What is on no list has changed, which is the careful answer.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Direction = Literal["widen", "narrow", "change"]

_TYPE = re.compile(r"(?P<name>[^()\[\]]*?)\s*(?:\((?P<size>[0-9, ]+)\))?(?P<zone>[^()\[\]]*)(?P<rest>[\[\]]*)")
_INTEGERS = {
    "tinyint": 3, "smallint": 5, "int2": 5, "mediumint": 7,
    "integer": 10, "int": 10, "int4": 10, "bigint": 19, "int8": 19,
}  # fmt: skip
"""Whole types of numbers with their decimal digits."""

_FLOATS = {"real": 1, "float4": 1, "double precision": 2, "float8": 2}
_EXACT = {"real": 5, "double precision": 10}
"""Digits of the widest integer type a float holds exactly."""

_TEXTS = {"character varying": 1, "varchar": 1, "text": 2, "mediumtext": 3, "longtext": 4}
_SIZED = frozenset(
    f"{name}{zone}"
    for name in ("character", "char", "bit", "bit varying", "varbinary", "nvarchar", "interval", "time", "timestamp")
    for zone in ("", " with time zone", " without time zone")
)
_DECIMALS = frozenset({"numeric", "decimal"})
_ENDLESS = 10_000_000


class _Type(NamedTuple):
    name: str
    size: tuple[int, ...]
    rest: str


def direction(before: str, after: str) -> Direction:
    """How `after` stands to `before`, two different types."""
    old, new = _parse(before), _parse(after)
    if old is None or new is None or old.rest != new.rest:
        return "change"
    if _holds(new, old):
        return "widen"
    return "narrow" if _holds(old, new) else "change"


def rewrites(before: str, after: str) -> bool:
    """Whether PostgreSQL writes each row again for a wider type: not for a longer ``varchar``, nor for ``text``."""
    old, new = _parse(before), _parse(after)
    return not (old and new and not new.rest and old.name == "character varying" and old.size and new.name in _TEXTS)


def _parse(text: str) -> _Type | None:
    found = _TYPE.fullmatch(text.strip().lower())
    if found is None:
        return None
    size = tuple(int(n) for n in found["size"].split(",") if n.strip()) if found["size"] else ()
    return _Type(f"{found['name']} {found['zone'].strip()}".strip(), size, found["rest"])


def _holds(wide: _Type, narrow: _Type) -> bool:
    """Whether each value of `narrow` is one of `wide`."""
    if wide.name in _INTEGERS and narrow.name in _INTEGERS:
        return _INTEGERS[wide.name] >= _INTEGERS[narrow.name]
    if wide.name in _FLOATS:
        return _FLOATS[wide.name] >= _FLOATS.get(narrow.name, 3) or _exact(wide, narrow)
    if wide.name in _DECIMALS:
        return _holds_decimal(wide, narrow)
    if wide.name in _TEXTS and narrow.name in _TEXTS:
        return _TEXTS[wide.name] > _TEXTS[narrow.name] or _longer(wide, narrow)
    return wide.name in _SIZED and wide.name == narrow.name and _longer(wide, narrow)


def _exact(wide: _Type, narrow: _Type) -> bool:
    return _INTEGERS.get(narrow.name, _ENDLESS) <= _EXACT.get(wide.name, 0)


def _longer(wide: _Type, narrow: _Type) -> bool:
    if wide.name != narrow.name:
        return False
    bare = 1 if wide.name in {"character", "char", "bit"} else _ENDLESS
    return (wide.size or (bare,))[0] >= (narrow.size or (bare,))[0]


def _holds_decimal(wide: _Type, narrow: _Type) -> bool:
    """Digits before and after the point both count."""
    whole, after_point = _digits(wide)
    if narrow.name in _INTEGERS:
        return whole >= _INTEGERS[narrow.name]
    if narrow.name not in _DECIMALS:
        return False
    least, least_after = _digits(narrow)
    return whole >= least and after_point >= least_after


def _digits(decimal: _Type) -> tuple[int, int]:
    if not decimal.size:
        return _ENDLESS, _ENDLESS
    scale = decimal.size[1] if len(decimal.size) > 1 else 0
    return decimal.size[0] - scale, scale
