"""What do the database and a project's own checks say of a target, and what of that is new since an apply began?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_migrate.dialects.interface import Reader
from mcp_migrate.dialects.told import Counted
from mcp_migrate.schema.text import clean
from mcp_migrate.settings import Check

_SHOWN = 20
_COUNTED = 1_000
"""How far the rows of a project's own check are counted."""

_SECONDS = 10.0
"""How long one question about the database's own state may take."""

_AS_PLANNED = "constraints were checked on all rows"
"""A plan may leave a constraint unchecked on purpose: the expected fingerprint says whether it did."""


@dataclass(frozen=True, slots=True)
class Found:
    """What does not hold beside the schema, by name, and how many rows each of the project's own checks returned."""

    faults: Mapping[str, tuple[str, ...]]
    own: tuple[tuple[Check, Counted], ...]


def look(reader: Reader, checks: Sequence[Check]) -> Found:
    """Ask both; nothing is changed."""
    faults = reader.faults(seconds=_SECONDS)
    own = ((each, reader.count_returned(each.sql, at_most=_COUNTED + 1, seconds=each.within)) for each in checks)
    return Found(faults, tuple(own))


def told(found: Found, *, kept: bool) -> list[Mapping[str, Any]]:
    """Each with whether it holds. With `kept`, the schema is the planned one to the letter."""
    return [*_healthy(found, kept=kept), *(_own(check, counted) for check, counted in found.own)]


def worse(before: Found, after: Found, *, kept: bool) -> list[Mapping[str, Any]]:
    """What does not hold after an apply and is not the same as before it: that alone is of its doing."""
    faults = {
        name: tuple(fault for fault in now if fault not in before.faults.get(name, ()))
        for name, now in after.faults.items()
    }
    were = {check.name: counted for check, counted in before.own}
    own = tuple((check, now) for check, now in after.own if not _same_failure(were.get(check.name, Counted()), now))
    return [check for check in told(Found(faults, own), kept=kept) if not check["ok"]]


def _same_failure(before: Counted, now: Counted) -> bool:
    """What could not be asked before, for want of what it names, and returns rows now, fails for the first time."""
    return bool(before.rows and now.rows) or (before.why_not is not None and now.why_not is not None)


def _healthy(found: Found, *, kept: bool) -> Iterator[Mapping[str, Any]]:
    """What the database knows of itself."""
    for name, faults in found.faults.items():
        shown = "; ".join(clean(fault) for fault in faults[:_SHOWN]) + (" …" if len(faults) > _SHOWN else "")
        planned = kept and name == _AS_PLANNED and bool(faults)
        detail = f"left unchecked as planned: {shown}" if planned else shown or "yes"
        yield {"name": name, "ok": planned or not faults, "detail": detail}


def _own(check: Check, counted: Counted) -> Mapping[str, Any]:
    """A check of the project: how many rows it returned, never what is in them."""
    more = "more than " if counted.rows > _COUNTED else ""
    detail = f"returned {more}{min(counted.rows, _COUNTED)} rows, expected none" if counted.rows else "no rows"
    if counted.why_not is not None:
        detail = f"could not be asked: {clean(counted.why_not)}"
    return {
        "name": check.name,
        "ok": counted.why_not is None and not counted.rows,
        "detail": detail,
        "sql": check.sql,
    }
