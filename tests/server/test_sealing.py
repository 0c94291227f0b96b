"""Is a state opened only as it was sealed, by whoever has the key, in its time?"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import RequestStateInvalidError
from mcp_migrate.server.sealing import Pause, Seal

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
PAUSE = Pause(
    principal="agent:demo",
    workflow="shop-agent",
    tool="migration_apply",
    arguments="sha256:" + "0" * 64,
    request_id="req_1",
    expires_at=(NOW + timedelta(hours=4)).isoformat(),
    asked=1,
)
STATE = Seal([OLD]).close(PAUSE)


def test_what_was_sealed_is_what_is_opened() -> None:
    assert Seal([OLD]).open(STATE, NOW) == PAUSE


@given(st.integers(0, len(STATE) - 1), st.characters())
def test_no_character_can_be_changed(place: int, character: str) -> None:
    changed = STATE[:place] + character + STATE[place + 1 :]
    if changed != STATE:
        with pytest.raises(RequestStateInvalidError):
            Seal([OLD]).open(changed, NOW)


@given(st.text(max_size=300) | st.integers(0, len(STATE) - 1).map(lambda end: STATE[:end]))
def test_nothing_else_is_opened(state: str) -> None:
    with pytest.raises(RequestStateInvalidError):
        Seal([OLD]).open(state, NOW)


@pytest.mark.parametrize("state", [STATE + "A", STATE + "." * 5_000, "mm1..", STATE.replace("mm1", "mm2")])
def test_what_is_longer_or_of_another_version_is_refused(state: str) -> None:
    with pytest.raises(RequestStateInvalidError):
        Seal([OLD]).open(state, NOW)


def test_a_state_ends_with_its_request() -> None:
    with pytest.raises(RequestStateInvalidError, match="expired"):
        Seal([OLD]).open(STATE, NOW + timedelta(hours=4))


def test_a_state_sealed_by_another_version_of_us_is_refused() -> None:
    other = json.loads(json.dumps({"principal": "agent:demo"}))
    sealed = Seal([OLD])
    body = urlsafe_b64encode(json.dumps(other).encode()).decode()
    from mcp_migrate.server.sealing import _tag

    with pytest.raises(RequestStateInvalidError, match="form"):
        sealed.open(f"mm1.{body}.{_tag(OLD, body)}", NOW)


def test_keys_can_be_changed_while_calls_wait() -> None:
    assert Seal([NEW, OLD]).open(STATE, NOW) == PAUSE
    assert Seal([OLD, NEW]).open(Seal([NEW, OLD]).close(PAUSE), NOW) == PAUSE
    with pytest.raises(RequestStateInvalidError):
        Seal([NEW]).open(STATE, NOW)


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_a_seal_without_a_good_key_is_none(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(keys)
