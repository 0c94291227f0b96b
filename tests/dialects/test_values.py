"""Does every value come back from a plan exactly as it was bound?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.dialects.values import freeze, thaw
from mcp_migrate.errors import RenderFailedError

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False)
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.none() | st.timezones().map(lambda _: None))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
)


@given(plain | st.lists(plain, max_size=3))
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    back = thaw(json.loads(json.dumps(freeze(value))))
    assert back == value
    assert type(back) is type(value)


def test_what_is_not_a_number_comes_back_too() -> None:
    assert str(thaw(freeze(float("nan")))) == "nan"


def test_a_value_without_a_lasting_form_is_refused() -> None:
    with pytest.raises(RenderFailedError, match="object"):
        freeze(object())
