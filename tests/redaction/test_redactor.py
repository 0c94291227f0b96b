"""Does what nobody may read stay off the record, and everything else on it?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import StatementFailedError
from mcp_migrate.redaction import Redactor
from mcp_migrate.redaction.redactor import LONGEST, MOST
from mcp_migrate.redaction.told import answered, details, failed
from mcp_migrate.settings.redact import Redact

SECRET = "Tr0ub4dor3"
FORMS = {
    "url": f"why does postgresql://app:{SECRET}@db/shop not answer",
    "url with an at sign": f"postgresql://app:x@{SECRET}@db/shop",
    "key and value": f"PGPASSWORD={SECRET} psql",
    "quoted value": f"the password is set: password = '{SECRET} more'",
    "json in a text": json.dumps({"api_key": SECRET}),
    "sql": f"CREATE USER app PASSWORD '{SECRET}'",
    "mysql": f"CREATE USER app IDENTIFIED BY '{SECRET}'",
    "header": f"Authorization: Bearer {SECRET}{SECRET}",
    "key": f"-----BEGIN OPENSSH PRIVATE KEY-----\nProc-Type: 4\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
    "key without an end": f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    "token of a service": f"ghp_{SECRET}{SECRET}",
}
redactor = Redactor(key=lambda: b"k" * 32)


@pytest.mark.proves("record-no-secrets")
@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_credential_leaves_a_tag_which_stays_as_it_is(text: str) -> None:
    shown = redactor.text(text)
    assert SECRET not in shown
    assert "[redacted hmac-sha256:" in shown
    assert redactor.text(shown) == shown


@given(st.sampled_from(list(FORMS.values())), st.text(max_size=40), st.text(max_size=40))
def test_what_stands_around_a_credential_does_not_hide_it(text: str, before: str, after: str) -> None:
    whole = f"{before}\n{text}\n{after}"
    arguments: dict[str, Any] = {"a": whole, "b": [{"c": whole}]}
    assert SECRET not in json.dumps(redactor.arguments("any", arguments).arguments)


def test_words_without_a_credential_stay() -> None:
    text = "Add a password column to users; see https://wiki.example.com/a:b and mail ada@example.com"
    assert redactor.text(text) == text


def test_a_tag_says_that_two_values_are_the_same_and_not_what_they_are() -> None:
    one, same, other = (redactor.text(f"password={word}") for word in ("hunter2", "hunter2", "hunter3"))
    assert one == same
    assert one != other
    assert one != Redactor(key=lambda: b"j" * 32).text("password=hunter2")
    assert one == f"password={redactor.tag('hunter2')}"


@pytest.mark.proves("record-redacted-by-rule")
def test_a_rule_takes_out_the_places_it_names_for_the_tools_it_names() -> None:
    ruled = Redactor((Redact(tools=("revision_*",), arguments=("/sql/*",)),), key=lambda: b"k" * 32)
    arguments = {"sql": ["SELECT 1", "SELECT 2"], "message": "two"}
    shown = ruled.arguments("revision_create", arguments)
    assert shown.arguments == {"sql": [ruled.tag("SELECT 1"), ruled.tag("SELECT 2")], "message": "two"}
    assert not shown.whole
    assert ruled.arguments("schema_read", arguments).arguments == arguments


@pytest.mark.proves("record-redacted-by-rule")
def test_a_rule_with_a_pattern_takes_out_what_it_finds() -> None:
    ruled = Redactor((Redact(arguments=("/*",), pattern=r"\d{4,}"),), key=lambda: b"k" * 32)
    shown = ruled.arguments("any", {"a": {"b": "customer 12345 of 12"}})
    assert shown.arguments == {"a": {"b": f"customer {ruled.tag('12345')} of 12"}}


def test_an_argument_whose_name_says_credential_is_taken_out_whatever_it_is() -> None:
    shown = redactor.arguments("any", {"db": {"password": 5, "tokens": ["a", ""]}, "null_token": None}).arguments
    tags = {"password": redactor.tag("5"), "tokens": [redactor.tag("a"), ""]}
    assert shown == {"db": tags, "null_token": None}


DEEP: Any = {}
for _ in range(100_000):
    DEEP = {"a": DEEP}
STRANGE: dict[str, Any] = {
    "long": {"a": "x" * (LONGEST + 1)},
    "long name": {"x" * (LONGEST + 1): 1},
    "many": {"a": ["x" * 100] * (MOST // 100)},
    "deep": DEEP,
    "no Unicode": {"a": "\ud800", "\ud800": "a"},
    "no number": {"a": float("nan")},
    "huge number": {"a": 10**5000},
}


@pytest.mark.proves("record-malformed")
@pytest.mark.parametrize("arguments", STRANGE.values(), ids=STRANGE)
def test_arguments_that_no_entry_can_hold_are_told_by_size_and_tag(arguments: dict[str, Any]) -> None:
    shown = redactor.arguments("any", arguments)
    assert not shown.whole
    assert len(json.dumps(shown.arguments, ensure_ascii=False, allow_nan=False).encode()) < 1000


@pytest.mark.proves("record-malformed")
def test_what_is_too_much_to_be_recorded_is_not_looked_through() -> None:
    tags: list[int] = []

    def key() -> bytes:
        tags.append(1)
        return b"k" * 32

    shown = Redactor(key=key).arguments("any", {"tokens": ["a" * 100] * MOST})
    assert list(shown.arguments) == ["left_out"]
    assert len(tags) == 1  # of the whole; each of them would have got one of its own


def test_ordinary_arguments_are_recorded_as_they_are() -> None:
    arguments = {"target": "shop", "tables": ["public.*"], "expects": {"max_rows": 3}, "ok": True, "x": 1.5}
    shown = redactor.arguments("any", arguments)
    assert (shown.arguments, shown.whole) == (arguments, True)
    assert shown.size == len(json.dumps(arguments))


@pytest.mark.proves("record-no-secrets")
@pytest.mark.parametrize(
    "said",
    [
        'duplicate key violates unique constraint "uq_mail" DETAIL: Key (mail)=(ada@example.com) already exists.',
        "Duplicate entry 'ada@example.com' for key 'users.mail'",
        'invalid input syntax for type integer: "ada@example.com"',
        "could not convert 'ada@example.com, cut",
    ],
)
def test_rows_that_a_database_quotes_are_not_recorded_and_names_of_the_plan_are(said: str) -> None:
    error = StatementFailedError(f"Statement 1 of revision x failed: {said}.", hint="")
    told = failed(error, redactor, known="ALTER TABLE users ADD CONSTRAINT uq_mail UNIQUE (mail)")
    assert "ada@" not in told
    assert ("uq_mail" in told, "users.mail" in told) == ("uq_mail" in said, "users.mail" in said)
    error.details = {"statement": 1, "left": {"object": "uq_mail", "why": said}, "checks": [{"detail": said}]}
    kept = details(error, redactor, known="ALTER TABLE users ADD CONSTRAINT uq_mail UNIQUE (mail)")
    why = redactor.sentence(said, known="uq_mail users.mail")
    assert kept == {"statement": 1, "left": {"object": "uq_mail", "why": why}, "checks": [{"detail": why}]}


def test_telling_of_an_answer_never_fails() -> None:
    """What is told of may be committed already."""
    assert answered({"a": object(), "b": "\ud800"})["answer_bytes"] > 0
