"""What time is it in the second recording? Another one, so that a statement with the time in it is found out."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import Any

VARIABLE = "MCP_MIGRATE_CLOCK"


def shift() -> None:
    """Move every clock of this process by the seconds that the parent asked for, before the project is imported."""
    seconds = float(os.environ.pop(VARIABLE, "0"))
    if not seconds:
        return
    now, nanoseconds = time.time, time.time_ns
    _set(time, "time", lambda: now() + seconds)
    _set(time, "time_ns", lambda: nanoseconds() + int(seconds * 1e9))
    delta = dt.timedelta(seconds=seconds)
    _set(dt, "datetime", _shifted_datetime(dt.datetime, delta))
    _set(dt, "date", _shifted_date(dt.date, dt.datetime, delta))


def _set(module: Any, name: str, value: Any) -> None:
    setattr(module, name, value)


def _shifted_datetime(real: Any, delta: dt.timedelta) -> type:
    return _posing_as(
        real,
        now=lambda _cls, tz=None: real.now(tz) + delta,
        utcnow=lambda _cls: real.now(dt.UTC).replace(tzinfo=None) + delta,
        today=lambda _cls: real.now() + delta,
    )


def _shifted_date(real: Any, moment: Any, delta: dt.timedelta) -> type:
    return _posing_as(real, today=lambda _cls: (moment.now() + delta).date())


def _posing_as(real: Any, **methods: Any) -> type:
    """A class that makes values of `real`, takes every one of them for its own, and has other class methods."""

    class Posing(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

    changed: dict[str, Any] = {name: classmethod(method) for name, method in methods.items()}
    make: dict[str, Any] = {"__new__": lambda _cls, *parts, **named: real(*parts, **named)}
    return Posing(real.__name__, (real,), {**make, **changed})
