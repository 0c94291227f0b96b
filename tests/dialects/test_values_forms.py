from __future__ import annotations

import enum
import json
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Binary
from psycopg.types.json import Json, Jsonb

from mcp_migrate.dialects import dialect_for, values
from mcp_migrate.errors import ConfigInvalidError, RenderFailedError
from mcp_migrate.model import canonical

ZONES = st.none() | st.integers(-1000, 1000).map(lambda minutes: timezone(timedelta(minutes=minutes)))
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=ZONES)
    | st.dates()
    | st.times(timezones=ZONES)
    | st.timedeltas()
    | st.uuids()
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.lists(inner).map(tuple), max_leaves=8)


def types(value: Any) -> Any:
    """The shape of a value: equality alone takes True for 1 and a list for nothing else."""
    return [type(value), *map(types, value)] if isinstance(value, (list, tuple)) else type(value)


@given(VALUES)
def test_a_value_comes_back_from_json_as_the_same_value_of_the_same_type(value: Any) -> None:
    back = values.thaw(json.loads(canonical(values.freeze(value))))

    assert back == value
    assert types(back) == types(value)


@pytest.mark.parametrize(
    ("value", "frozen"),
    [
        (b"\x00\xff", {"$bytes": "00ff"}),
        (bytearray(b"\x01"), {"$bytes": "01"}),
        (Decimal("1.10"), {"$decimal": "1.10"}),
        (datetime(2026, 1, 2, 3, 4, 5), {"$datetime": "2026-01-02T03:04:05"}),  # noqa: DTZ001  naive values are bound too
        (date(2026, 1, 2), {"$date": "2026-01-02"}),
        (time(3, 4), {"$time": "03:04:00"}),
        (timedelta(days=1, seconds=2, microseconds=3), {"$interval": [1, 2, 3]}),
        (UUID(int=1), {"$uuid": "00000000-0000-0000-0000-000000000001"}),
        ([1, [b""]], {"$list": [1, {"$list": [{"$bytes": ""}]}]}),
        ((1, "a"), {"$tuple": [1, "a"]}),
        (math.inf, {"$float": "inf"}),
        (-math.inf, {"$float": "-inf"}),
        (math.nan, {"$float": "nan"}),
        (True, True),
        (Binary(b"a"), {"$bytes": "61"}),
    ],
)
def test_each_type_has_its_own_form(value: Any, frozen: Any) -> None:
    assert values.freeze(value) == frozen


def test_not_a_number_stays_not_a_number() -> None:
    assert math.isnan(values.thaw({"$float": "nan"}))


@pytest.mark.parametrize("kind", [Json, Jsonb])
def test_a_json_document_keeps_its_kind_and_its_very_text(kind: type[Json | Jsonb]) -> None:
    frozen = values.freeze(kind({"b": 1, "a": [None]}))
    back = values.thaw(frozen)

    assert frozen == {f"${kind.__name__.lower()}": '{"b": 1, "a": [null]}'}
    assert type(back) is kind
    assert values.freeze(back) == frozen


def test_a_json_document_is_written_by_the_serialiser_it_came_with() -> None:
    assert values.freeze(Json([1, 2], dumps=lambda value: json.dumps(value, indent=0).encode())) == {
        "$json": "[\n1,\n2\n]"
    }


def test_a_json_document_with_anything_else_in_it_is_refused() -> None:
    with pytest.raises(RenderFailedError, match="date is not JSON serializable"):
        values.freeze(Json({"at": date(2026, 1, 1)}))


def test_a_member_of_a_text_enumeration_is_bound_as_its_text() -> None:
    class Size(enum.StrEnum):
        BIG = "big"

    assert type(values.freeze(Size.BIG)) is str


@pytest.mark.parametrize("value", [object(), {"a": 1}, {1}, 1j, range(2)])
def test_a_value_without_a_lasting_form_is_refused_by_the_name_of_its_type(value: Any) -> None:
    with pytest.raises(RenderFailedError, match=type(value).__name__):
        values.freeze(value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite", "sqlite"),
        ("sqlite:///a.db", "sqlite"),
        ("postgresql+psycopg://h/d", "postgresql"),
        ("postgres://h/d", "postgresql"),
    ],
)
def test_a_dialect_is_found_by_url_or_name(url: str, name: str) -> None:
    assert dialect_for(url).name == name


def test_an_unknown_database_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ConfigInvalidError) as caught:
        dialect_for("oracle://user:secret@host/db")

    assert "postgresql" in caught.value.hint
    assert "secret" not in str(caught.value)
