"""Are the hashed bytes what they should be, and is what cannot be held refused?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_migrate.errors import InternalError, InvalidArgumentsError
from mcp_migrate.ledger import Draft, Event, Kind
from mcp_migrate.ledger.events import MAX_BODY_BYTES, MAX_DEPTH, body_of, hashed_bytes, stamp

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(text, json_values, max_size=4)
names = st.none() | text.filter(lambda name: "\0" not in name)


@given(bodies, names, names, names, st.integers(0, 2**40))
def test_the_hashed_bytes_are_the_canonical_json_of_the_event(
    body: dict[str, Any], workflow: str | None, call_id: str | None, subject: str | None, seq: int
) -> None:
    draft = Draft(Kind.CALL_RECEIVED, body, workflow, call_id, subject)
    at = stamp(datetime(2026, 1, 2, tzinfo=UTC))
    event = Event(seq, at, draft.kind, body, workflow, call_id, subject, b"", b"")
    raw = hashed_bytes(
        seq=seq,
        at=at,
        kind=str(draft.kind),
        body=body_of(draft).text,
        workflow=workflow,
        call_id=call_id,
        subject=subject,
    )
    assert raw == event.canonical()
    assert json.loads(raw)["body"] == body


def test_a_moment_is_told_in_utc() -> None:
    moment = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert stamp(moment) == "2026-02-28T22:30:00.000000+00:00"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InternalError, match="without a zone"):
        stamp(datetime(2026, 1, 1))  # noqa: DTZ001 - the missing zone is the point


def nested(levels: int) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for _ in range(levels - 1):
        body = {"a": body}
    return body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"rows": float("nan")}, "not JSON compliant"),
        ({"rows": [float("-inf")]}, "not JSON compliant"),
        ({"intent": "\ud800"}, "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ({"n": 10**5000}, "limit"),
        ({"sql": "x" * MAX_BODY_BYTES}, "are allowed"),
        (nested(MAX_DEPTH + 1), "nested deeper"),
        (nested(100_000), "nested"),
    ],
    ids=["nan", "infinity", "surrogate", "surrogate key", "huge number", "too large", "too deep", "far too deep"],
)
def test_what_json_cannot_say_is_refused(body: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidArgumentsError, match=why):
        body_of(Draft(Kind.CALL_RECEIVED, body))


@pytest.mark.parametrize("field", ["workflow", "call_id", "subject"])
def test_a_lone_surrogate_in_a_name_is_refused(field: str) -> None:
    with pytest.raises(InvalidArgumentsError, match="lone surrogate"):
        body_of(Draft(Kind.CALL_RECEIVED, {}, **{field: "\ud800"}))


def test_the_largest_and_deepest_body_is_held() -> None:
    frame = len(b'{"sql":""}')
    assert len(body_of(Draft(Kind.PLAN_FROZEN, {"sql": "x" * (MAX_BODY_BYTES - frame)})).text) == MAX_BODY_BYTES
    assert body_of(Draft(Kind.PLAN_FROZEN, nested(MAX_DEPTH))).text
    assert body_of(Draft(Kind.PLAN_FROZEN, {"rows": [[1]] * 500})).text


@pytest.mark.parametrize(
    "draft",
    [
        Draft("call.invented", {}),
        Draft(Kind.APPROVAL_CONSUMED, {}),
        Draft(Kind.APPROVAL_CONSUMED, {}, subject=""),
        Draft(Kind.CALL_RECEIVED, {"at": datetime(2026, 1, 1, tzinfo=UTC)}),
        Draft(Kind.CALL_RECEIVED, {1: "a", "1": "b"}),  # type: ignore[dict-item]  # the wrong key is the point
        Draft(Kind.CALL_RECEIVED, {9: "a", 10: "b"}),  # type: ignore[dict-item]  # the wrong key is the point
        Draft(Kind.CALL_RECEIVED, ["no", "object"]),  # type: ignore[arg-type]  # the wrong type is the point
    ],
    ids=["kind", "consumed nothing", "consumed empty", "datetime", "mixed keys", "number keys", "list"],
)
def test_a_draft_only_a_defect_can_make_is_refused(draft: Draft) -> None:
    with pytest.raises(InternalError):
        body_of(draft)
