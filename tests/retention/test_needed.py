"""Which entries stay, however old they are?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcp_migrate.ledger import Event, Kind
from mcp_migrate.retention.needed import needed

OLD = datetime(2026, 1, 2, tzinfo=UTC)
NOW = OLD + timedelta(days=400)
CALL, PLAN, REQUEST, APPLY, OTHER = (
    f"{name}_{n:020x}" for n, name in enumerate(("call", "plan", "req", "apply", "call"))
)

Said = tuple[Kind, str | None, str | None, Mapping[str, Any]]


def events(*said: Said) -> list[Event]:
    return [
        Event(seq, OLD.isoformat(), kind, body, None, call, subject, b"", b"")
        for seq, (kind, call, subject, body) in enumerate(said)
    ]


RECEIVED: Said = (Kind.CALL_RECEIVED, CALL, None, {})
FROZEN: Said = (Kind.PLAN_FROZEN, CALL, PLAN, {})
ANSWERED: Said = (Kind.CALL_FINISHED, CALL, None, {})
STARTED: Said = (Kind.STEP_STARTED, CALL, APPLY, {"target": "shop", "plan": {}, "plan_id": PLAN})
APPLIED: Said = (Kind.STEP_FINISHED, CALL, APPLY, {"target": "shop", "status": "applied"})
NEXT: Said = (Kind.STEP_STARTED, OTHER, "apply_later", {"target": "shop", "plan": {}})
AFTER: Said = (Kind.STEP_FINISHED, OTHER, "apply_later", {"target": "shop", "status": "applied"})
DONE = (RECEIVED, FROZEN, ANSWERED, STARTED, APPLIED)


def requested(**body: Any) -> Said:
    return Kind.APPROVAL_REQUESTED, CALL, REQUEST, {"expires_at": OLD.isoformat(), **body}


def decided(decision: str, key: str = "k") -> Said:
    return Kind.APPROVAL_DECIDED, None, REQUEST, {"statement": {"decision": decision, "key": key}}


def kept_undo(days: float) -> Said:
    undo = {"kept": [{}], "keep_seconds": days * 86400}
    return Kind.STEP_STARTED, CALL, APPLY, {"target": "shop", "plan": {"undo": undo}}


@pytest.mark.proves("retention-needed")
@pytest.mark.parametrize(
    "story",
    [
        [RECEIVED],
        [*DONE],  # the last of its target
        [*DONE[:4], NEXT, AFTER],  # never ended
        [RECEIVED, kept_undo(401), APPLIED, ANSWERED, NEXT, AFTER],
        [*DONE, requested(expires_at=(NOW + timedelta(hours=1)).isoformat()), NEXT, AFTER],
        [*DONE, requested(purpose="review"), NEXT, AFTER],
        [RECEIVED, requested(), ANSWERED, decided("deny"), decided("approve", "k")],
        [RECEIVED, requested(), ANSWERED, decided("approve")],  # how far the key has counted
        [(Kind.CONFIG_LOADED, None, None, {}), (Kind.CONFIG_LOADED, None, None, {})],
        [(Kind.REVIEWER_ENROLLED, None, "grace", {}), (Kind.REVIEWER_REMOVED, None, "grace", {})],
        [(Kind.UNDO_PRUNED, None, "key", {})],
    ],
)
def test_a_story_that_means_something_still_stays_as_a_whole(story: list[Said]) -> None:
    first = [seq for seq, each in enumerate(story) if OTHER not in each]
    assert needed(events(*story), len(story), NOW) >= {*first}


@pytest.mark.proves("retention-needed")
@pytest.mark.parametrize(
    "story",
    [
        [RECEIVED, FROZEN, ANSWERED],
        [RECEIVED, (Kind.CALL_REFUSED, CALL, None, {})],
        [*DONE],
        [RECEIVED, kept_undo(399), APPLIED, ANSWERED],
        [*DONE, requested(), decided("approve"), (Kind.NOTICE_SENT, None, "notice", {"request_id": REQUEST})],
        [*DONE, requested(purpose="review"), decided("approve")],
        [(Kind.CHECKPOINT_SIGNED, None, "origin", {})],
    ],
)
def test_a_story_that_is_over_goes_as_a_whole_once_another_took_its_place(story: list[Said]) -> None:
    newer: list[Said] = [
        NEXT,
        AFTER,
        (Kind.APPROVAL_DECIDED, None, "another", {"statement": {"decision": "approve", "key": "k"}}),
        (Kind.CHECKPOINT_SIGNED, None, "origin", {}),
    ]
    assert needed(events(*story, *newer), len(story), NOW).isdisjoint(range(len(story)))


@pytest.mark.proves("retention-needed")
def test_a_story_stays_while_a_young_entry_names_any_part_of_it() -> None:
    tail: list[Said] = [NEXT, AFTER, (Kind.CALL_RECEIVED, None, "c", {"arguments": {"apply_id": APPLY}})]
    assert needed(events(*DONE, *tail), len(DONE), NOW) >= {*range(len(DONE))}
    assert needed(events(*DONE, *tail[:2]), len(DONE), NOW).isdisjoint(range(len(DONE)))
