"""Are limits counted on the ledger, and does whoever keeps trying have to wait?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from mcp_migrate.errors import LimitReachedError, PausedError
from mcp_migrate.leave.running import LONGEST, running_before
from mcp_migrate.leave.tempo import (
    DAY,
    Tempo,
    keeps_trying,
    refuse_beside,
    refuse_fast,
    refuse_more,
    refuse_over,
    tempo,
)
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.notices import ALARM, Outbox
from mcp_migrate.settings import Workflow
from tests.approvals.conftest import NOON, Desk

ME, MINUTE = "agent:one", timedelta(minutes=1)


def workflow(desk: Desk, **limits: Any) -> Workflow:
    desk.config["workflows"]["schema"]["limits"] = limits
    return desk.settings.workflows["schema"]


def put(desk: Desk, kind: Kind, times: int, *, at: datetime = NOON, **body: Any) -> None:
    drafts = [Draft(kind, {"principal": ME, **body}, "schema", subject="s") for _ in range(times)]
    desk.ledger.append(*drafts, at=at)


@pytest.mark.parametrize(
    ("limit", "kind", "window", "step"),
    [
        ("calls_per_minute", Kind.CALL_RECEIVED, timedelta(minutes=1), None),
        ("plans_per_hour", Kind.PLAN_FROZEN, timedelta(hours=1), "plan"),
        ("applies_per_day", Kind.STEP_STARTED, DAY, "apply"),
    ],
)
@pytest.mark.proves("limits-hold")
def test_what_a_workflow_did_lately_counts_on_every_server_until_it_is_long_ago(
    desk: Desk, limit: str, kind: Kind, window: timedelta, step: str | None
) -> None:
    held = workflow(desk, **{limit: 3})

    def refused(ledger: Ledger, at: datetime) -> bool:
        found = tempo(ME, "schema", held, ledger, now=at)
        try:
            refuse_fast(ME, held, at, found)
            refuse_more(held, found, step=step, statements=1)
        except LimitReachedError:
            return True
        return False

    put(desk, kind, 2)
    assert not refused(desk.ledger, NOON)
    desk.ledger.append(Draft(kind, {"principal": ME}, "other", subject="s"), at=NOON)
    assert not refused(desk.ledger, NOON), "another workflow's do not count"
    put(desk, kind, 1)
    with Ledger.open(f"sqlite:///{desk.ledger.place}") as another:
        assert refused(desk.ledger, NOON)
        assert refused(another, NOON)
    assert not refused(desk.ledger, NOON + window + MINUTE)


@pytest.mark.parametrize(
    ("limit", "kind", "step"),
    [("plans_per_hour", Kind.PLAN_FROZEN, "plan"), ("applies_per_day", Kind.STEP_STARTED, "apply")],
)
@pytest.mark.proves("limits-hold")
def test_of_those_that_came_at_once_on_all_servers_as_many_get_through_as_there_is_room_for(
    desk: Desk, limit: str, kind: Kind, step: str
) -> None:
    held = workflow(desk, **{limit: 2})
    calls = [f"call_{n}" for n in range(4)]
    for name in calls:
        desk.ledger.append(Draft(kind, {"principal": ME}, "schema", call_id=name, subject=name), at=NOON)

    def through(name: str) -> bool:
        with Ledger.open(f"sqlite:///{desk.ledger.place}") as server:
            found = tempo(ME, "schema", held, server, now=NOON - MINUTE, before=name)
        try:
            refuse_over(held, found, step=step)
        except LimitReachedError:
            return False
        return True

    assert [through(name) for name in calls] == [True, True, False, False]


@pytest.mark.proves("limits-hold")
def test_a_call_that_plans_has_its_place_on_the_ledger_until_it_ends_or_is_forgotten(desk: Desk) -> None:
    def put(kind: Kind, name: str, flow: str = "schema", **body: Any) -> None:
        desk.ledger.append(Draft(kind, body, flow, call_id=name), at=NOON)

    def before(name: str, at: datetime = NOON) -> list[int]:
        with Ledger.open(f"sqlite:///{desk.ledger.place}") as fresh:
            return [running_before(name, "schema", each, now=at) for each in (desk.ledger, fresh)]

    for name in ("one", "two", "three"):
        put(Kind.CALL_RECEIVED, name, plans=True)
    put(Kind.CALL_RECEIVED, "looks")
    put(Kind.CALL_RECEIVED, "others", "other", plans=True)
    assert [before(name) for name in ("one", "two", "three")] == [[0, 0], [1, 1], [2, 2]]
    put(Kind.CALL_REFUSED, "one", code="limit_reached")
    put(Kind.CALL_FINISHED, "two")
    put(Kind.CALL_FINISHED, "looks")
    put(Kind.CALL_RECEIVED, "four", plans=True)
    assert before("four") == [1, 1]
    assert before("four", NOON + LONGEST) == [0, 0]
    with pytest.raises(LimitReachedError, match="2 plans at once"):
        refuse_beside(workflow(desk, plans_at_once=2), 2)


@pytest.mark.proves("limits-hold", "keeps-trying-waits")
def test_what_others_do_meanwhile_pushes_nothing_out_of_the_count(desk: Desk) -> None:
    held = workflow(desk, calls_per_minute=2, pause={"after": 3})
    put(desk, Kind.CALL_RECEIVED, 2)
    put(desk, Kind.CALL_REFUSED, 3, code="not_permitted")
    for kind in (Kind.CALL_RECEIVED, Kind.CALL_REFUSED):
        others = (Draft(kind, {"principal": "agent:two", "code": "paused"}, "other") for _ in range(1_001))
        desk.ledger.append(*others, at=NOON)
    with pytest.raises(LimitReachedError):
        refuse_fast(ME, held, NOON, tempo(ME, "schema", held, desk.ledger, now=NOON))
    assert keeps_trying(ME, held, desk.ledger, now=NOON) is not None


@pytest.mark.proves("limits-hold")
def test_a_plan_that_is_too_long_is_refused_when_it_is_made_and_when_it_is_applied(desk: Desk) -> None:
    held = workflow(desk, plan_statements=10)
    refuse_more(held, Tempo(), step="apply", statements=10)
    refuse_more(held, Tempo(), step=None, statements=11)
    for step in ("plan", "apply"):
        with pytest.raises(LimitReachedError, match="11 statements"):
            refuse_more(held, Tempo(), step=step, statements=11)


@pytest.mark.proves("keeps-trying-waits")
def test_who_keeps_trying_what_is_refused_waits_and_what_is_not_its_fault_does_not_count(desk: Desk) -> None:
    held = workflow(desk, pause={"after": 3, "within": "10m", "for": "30m"})
    put(desk, Kind.CALL_REFUSED, 5, code="locked")
    put(desk, Kind.CALL_REFUSED, 5, code="not_permitted", at=NOON - timedelta(minutes=11))
    put(desk, Kind.CALL_REFUSED, 2, code="not_permitted")
    assert keeps_trying(ME, held, desk.ledger, now=NOON) is None
    put(desk, Kind.CALL_REFUSED, 1, code="render_failed")
    ends = NOON + timedelta(minutes=30)
    assert keeps_trying(ME, held, desk.ledger, now=NOON) == (3, ends)
    assert keeps_trying("agent:two", held, desk.ledger, now=NOON) is None
    body = {"principal": ME, "until": ends.isoformat(), "owner": "Ada <ada@example.com>", "refusals": 3}
    desk.ledger.append(Draft(Kind.PRINCIPAL_PAUSED, body, "schema", subject=ME), at=NOON)
    found = tempo(ME, "schema", held, desk.ledger, now=NOON)
    with pytest.raises(PausedError, match="kept trying"):
        refuse_fast(ME, held, NOON, found)
    refuse_fast(ME, held, ends, found)
    assert keeps_trying(ME, held, desk.ledger, now=ends) is None, "it begins anew"


@pytest.mark.proves("keeps-trying-waits", "freeze-holds")
def test_people_are_told_who_waits_and_what_is_frozen_each_once(desk: Desk) -> None:
    pager = {"kind": "command", "name": "pager", "run": ["true"], "on": ["expired"]}
    desk.config["notify"] = [pager]
    body = {"principal": ME, "until": NOON.isoformat(), "owner": "Ada <ada@example.com>", "refusals": 3}
    desk.ledger.append(Draft(Kind.PRINCIPAL_PAUSED, body, "schema", subject=ME), at=NOON)
    frozen = {"target": "*", "reason": "an incident", "by": "root"}
    desk.ledger.append(Draft(Kind.TARGET_FROZEN, frozen, subject="*"), at=NOON)
    outbox = Outbox(desk.settings, desk.ledger, lambda: NOON)
    told = [(due.notice.occasion, due.notice.headline.split(",")[0]) for due in outbox.due()]
    assert told == [(ALARM, f"PAUSED: {ME} kept trying what is refused"), (ALARM, "FROZEN: everything")]
    assert outbox.send() == (None, None)
    assert not tuple(outbox.due())


@pytest.mark.proves("limits-hold")
def test_a_server_that_begins_counts_what_was_done_before_it_however_much_others_did_since(desk: Desk) -> None:
    held = workflow(desk, applies_per_day=2)
    put(desk, Kind.STEP_STARTED, 3, at=NOON - DAY - MINUTE)
    put(desk, Kind.STEP_STARTED, 2, at=NOON - MINUTE)
    others = [Draft(Kind.STEP_STARTED, {"principal": "agent:three"}, "other", subject="s") for _ in range(300)]
    desk.ledger.append(*others, at=NOON)
    assert tempo(ME, "schema", held, desk.ledger, now=NOON).applies == 2
