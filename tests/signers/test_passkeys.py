"""Does a passkey's answer count only over exactly this statement, on one of our pages, by a person it knows?"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError
from mcp_migrate.model import Assurance
from mcp_migrate.signers.interface import Verified
from mcp_migrate.signers.passkey import PARTS, Passkey, decoded, encoded, parse_passkey, verify
from tests.signers.authenticator import PRESENT, VERIFIED, Authenticator

MESSAGE = b'{"decision":"approve"}'
KEY = Authenticator(counter=7)


@pytest.mark.proves("passkey-strict")
def test_an_honest_answer_is_a_verified_person() -> None:
    assert verify(MESSAGE, KEY.sign(MESSAGE), KEY.passkey) == Verified(Assurance.VERIFIED, 7)


@pytest.mark.proves("passkey-strict")
@pytest.mark.parametrize(
    "told",
    [
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": 0},
        {"rp": "evil.example"},
        {"client": {"type": "webauthn.create"}},
        {"client": {"challenge": encoded(b"x" * 32)}},
        {"client": {"origin": "http://evil.example"}},
        {"client": {"origin": "https://localhost:8021"}},
        {"client": {"origin": "http://localhost.evil.example:8021"}},
        {"client": {"origin": "http://localhost:8021/x"}},
        {"client": {"origin": "http://a@localhost:8021"}},
        {"client": {"origin": None}},
        {"client": {"crossOrigin": True}},
        {"client": {"topOrigin": "http://evil.example"}},
    ],
    ids=str,
)
def test_an_answer_made_elsewhere_or_for_something_else_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ApprovalInvalidError):
        verify(MESSAGE, KEY.sign(MESSAGE, **told), KEY.passkey)


@pytest.mark.proves("passkey-elsewhere", "passkey-strict")
@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ({}, True),
        ({"rp": "localhost"}, False),
        ({"rp": "example.com"}, False),
        ({"client": {"origin": "https://migrate.example.com:444"}}, False),
        ({"client": {"origin": "http://migrate.example.com"}}, False),
        ({"client": {"origin": "https://other.migrate.example.com"}}, False),
        ({"client": {"origin": "http://localhost:8021"}}, False),
        ({"rp": "localhost", "client": {"origin": "http://localhost:8021"}}, False),
        ({"flags": PRESENT}, False),
    ],
    ids=str,
)
def test_a_passkey_of_another_address_signs_there_and_nowhere_else(told: dict[str, Any], *, holds: bool) -> None:
    key = Authenticator(origin="https://migrate.example.com")
    here = replace(key.passkey, origin=None)
    with nullcontext() if holds else pytest.raises(ApprovalInvalidError):
        assert verify(MESSAGE, key.sign(MESSAGE, **told), key.passkey).assurance is Assurance.VERIFIED
    if told.get("rp") != "localhost":
        with pytest.raises(ApprovalInvalidError):
            verify(MESSAGE, key.sign(MESSAGE, **told), here)


@pytest.mark.proves("passkey-strict")
def test_the_answer_of_another_passkey_is_refused() -> None:
    other = Authenticator()
    for pretended in (other.passkey, Passkey(other.credential, KEY.passkey.public, 0)):
        with pytest.raises(ApprovalInvalidError):
            verify(MESSAGE, KEY.sign(MESSAGE), pretended)


@pytest.mark.proves("passkey-strict")
@given(part=st.sampled_from(PARTS), at=st.integers(0, 400), flip=st.integers(1, 255))
@settings(max_examples=60)
def test_no_changed_byte_goes_unnoticed(part: str, at: int, flip: int) -> None:
    answer = KEY.sign(MESSAGE)
    data = bytearray(decoded(answer[part]))
    data[at % len(data)] ^= flip
    with pytest.raises(ApprovalInvalidError):
        verify(MESSAGE, {**answer, part: encoded(bytes(data))}, KEY.passkey)


@pytest.mark.parametrize(
    "broken",
    [None, [], "x", {}, {"id": "AA"}, dict.fromkeys(PARTS, ""), dict.fromkeys(PARTS, 1), dict.fromkeys(PARTS, "A=")],
)
def test_what_is_no_answer_is_refused(broken: object) -> None:
    with pytest.raises(ApprovalInvalidError):
        verify(MESSAGE, broken, KEY.passkey)


def test_an_answer_with_a_part_more_or_a_padded_part_is_refused() -> None:
    answer = KEY.sign(MESSAGE)
    for other in ({**answer, "more": "AA"}, {**answer, "id": answer["id"] + "=="}):
        with pytest.raises(ApprovalInvalidError):
            verify(MESSAGE, other, KEY.passkey)


def test_a_line_of_the_configuration_says_the_same_when_it_is_read_again() -> None:
    for key in (KEY.passkey, replace(KEY.passkey, origin="https://migrate.example.com:8443", comment="with words")):
        assert parse_passkey(key.line) == key


@pytest.mark.parametrize(
    "line",
    [
        "",
        "passkey/1",
        "passkey/2 AA AA 0",
        "passkey/3 AA AA 0",
        "passkey/1 AA= AA 0",
        "passkey/1 AA AA -1",
        "passkey/1 AA AA 4294967296",
        "passkey/1 https://migrate.example.com AA AA 0",
        "passkey/2 http://localhost:8021 AA AA 0",
        "passkey/2 http://migrate.example.com AA AA 0",
        "passkey/2 https://10.0.0.1 AA AA 0",
        "passkey/2 https://migrate.example.com/x AA AA 0",
        "passkey/2 https://a@migrate.example.com AA AA 0",
        "passkey/2 https://migrate.example.com",
    ],
)
def test_a_line_that_is_no_passkey_is_refused(line: str) -> None:
    with pytest.raises(ConfigInvalidError):
        parse_passkey(line)
