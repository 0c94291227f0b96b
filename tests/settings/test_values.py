"""Are durations, windows and globs read as they are written?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mcp_migrate.settings.globs import matches
from mcp_migrate.settings.values import Window, seconds

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.integers(1, 10_000), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: tuple[str, float]) -> None:
    assert seconds(f"{number}{unit[0]}") == number * unit[1]


@given(st.text(max_size=8))
def test_other_text_is_no_duration(text: str) -> None:
    try:
        assert seconds(text) > 0
    except ValueError:
        assert True


@pytest.mark.parametrize(
    ("days", "hours", "after", "is_open"),
    [
        (["mon-thu"], "09:00-17:00", timedelta(hours=9), True),
        (["mon-thu"], "09:00-17:00", timedelta(hours=17), False),
        (["mon-thu"], "09:00-17:00", timedelta(days=4, hours=10), False),
        (["fri-mon"], "00:00-24:00", timedelta(hours=1), True),
        (["mon"], "22:00-06:00", timedelta(hours=23), True),
        (["mon"], "22:00-06:00", timedelta(days=1, hours=5), True),
        (["mon"], "22:00-06:00", timedelta(hours=5), False),
    ],
)
def test_a_window_is_open_on_its_days_and_hours(days: list[str], hours: str, after: timedelta, is_open: bool) -> None:  # noqa: FBT001  a column of the table
    assert Window(days=tuple(days), hours=hours).open_at(MONDAY + after) is is_open


def test_a_window_has_a_zone() -> None:
    window = Window(days=("mon",), hours="09:00-10:00", zone="Europe/Berlin")
    assert window.open_at(MONDAY + timedelta(hours=8, minutes=30))
    assert not window.open_at(MONDAY + timedelta(hours=9, minutes=30))


@pytest.mark.parametrize("wrong", [{"days": ["monday"]}, {"hours": "9-17"}, {"hours": "23:00-25:00"}, {"days": []}])
def test_what_is_no_window_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate(wrong)


globs = st.lists(st.sampled_from(["*", "a*", "a.b", "?.b", "[ab].*"]), max_size=4)
names = st.text("ab.", max_size=5)


@given(names, globs, st.sampled_from(["*", "a*", "x"]))
def test_one_more_glob_never_matches_less(name: str, patterns: list[str], more: str) -> None:
    assert matches(name, [*patterns, more]) >= matches(name, patterns)
    assert not matches(name, [])
