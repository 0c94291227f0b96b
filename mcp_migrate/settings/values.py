"""How are durations and opening hours written?"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Globs = tuple[str, ...]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK, _HOUR, _MIDNIGHT = 7, 60, 24 * 60
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


def seconds(text: str) -> float:
    """The seconds of ``500ms``, ``3s``, ``10m``, ``4h`` or ``14d``. Raises: ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError("a duration is a number above zero with ms, s, m, h or d, as in 30s or 4h")
    return float(match[1]) * _UNITS[match[2]]


def _seconds(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


def _timedelta(value: Any) -> Any:
    return timedelta(seconds=seconds(value)) if isinstance(value, str) else value


DURATION = r"^\d+(\.\d+)?(ms|s|m|h|d)$"
"""How the JSON Schema tells one from any other text."""
_Written = Annotated[str, Field(pattern=DURATION)]
Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=_Written)]
Duration = Annotated[timedelta, BeforeValidator(_timedelta, json_schema_input_type=_Written)]


class Part(BaseModel):
    """Any part of the configuration: nothing in it changes, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Window(Part):
    """The hours of the days on which a scope is open."""

    days: tuple[str, ...] = Field(("mon-sun",), min_length=1, description="Days or ranges of days: mon-thu, sat.")
    hours: str = Field("00:00-24:00", description="From-to; may span midnight.")
    zone: str = Field("UTC", description="IANA time zone, as Europe/Berlin.")

    @field_validator("days")
    @classmethod
    def _known_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for entry in days:
            if not set(entry.split("-")) <= set(_DAYS) or entry.count("-") > 1:
                raise ValueError(f"{entry!r} is no day or range of days; days are {', '.join(_DAYS)}")
        return days

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is no IANA time zone, as Europe/Berlin is") from error
        return zone

    @model_validator(mode="after")
    def _sometimes_open(self) -> Window:
        start, end = self._span()
        if start == end:
            raise ValueError(f"hours {self.hours!r} are never open")
        return self

    def open_at(self, at: datetime) -> bool:
        """Whether it is open at `at`. Hours over midnight belong to the day on which they begin."""
        local = at.astimezone(ZoneInfo(self.zone))
        start, end = self._span()
        now, today, days = local.hour * _HOUR + local.minute, local.weekday(), self._weekdays()
        if start < end:
            return today in days and start <= now < end
        return (today in days and now >= start) or ((today - 1) % _WEEK in days and now < end)

    def _span(self) -> tuple[int, int]:
        parts = [_CLOCK.fullmatch(part.strip()) for part in self.hours.split("-")]
        if len(parts) != 2 or None in parts:  # noqa: PLR2004  from and to
            raise ValueError(f"hours {self.hours!r} are not written like 09:00-17:00")
        start, end = (int(part[1]) * _HOUR + int(part[2]) for part in parts if part)
        if max(start, end) > _MIDNIGHT:
            raise ValueError(f"hours {self.hours!r} go beyond 24:00")
        return start, end

    def _weekdays(self) -> set[int]:
        found: set[int] = set()
        for entry in self.days:
            first, _, last = entry.partition("-")
            start, end = _DAYS.index(first), _DAYS.index(last or first)
            found |= {day % _WEEK for day in range(start, (end if end >= start else end + _WEEK) + 1)}
        return found
