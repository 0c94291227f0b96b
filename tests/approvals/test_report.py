"""Does the report show who only clicks, and does a canary tell without ever leading to an apply?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mcp_migrate.approvals.deciding import decide, opened
from mcp_migrate.approvals.limits import open_requests
from mcp_migrate.approvals.report import questions, report
from mcp_migrate.errors import ApprovalDeniedError
from mcp_migrate.ledger import Event, Kind
from mcp_migrate.model import Pending, Statement
from mcp_migrate.notices import Outbox
from mcp_migrate.signers.decisions import Verdict
from mcp_migrate.stages.approve import canary, request_body
from mcp_migrate.stages.record import Recorder
from tests.approvals.conftest import NOON, PLAN, Desk

LATER = NOON + timedelta(minutes=1)


def answer(desk: Desk, verdict: Verdict, *, by: str, at: datetime) -> None:
    decide(desk.signed(verdict, by=by, at=at), desk.request(), desk.settings, desk.ledger, now=at)


def put_canary(desk: Desk) -> Event:
    pending = canary(desk.permitted, desk.settings, desk.ledger, now=NOON)
    Recorder(desk.ledger, desk.settings.workflows).asked_canary(pending, request_body(pending))
    return desk.request()


@pytest.mark.proves("approval-report")
def test_the_report_tells_rates_times_and_haste_per_rule_and_reviewer(desk: Desk) -> None:
    said: list[tuple[Verdict, str, int]]
    said = [("approve", "grace", 4), ("approve", "grace", 300), ("deny", "ada", 60), ("approve", "ada", 9)]
    for number, (verdict, by, seconds) in enumerate(said):
        desk.plan = replace(PLAN, statements=(Statement(1, "c3", f"ALTER TABLE t{number} DROP COLUMN c"),))
        desk.objects = (f"public.t{number}.c",)
        desk.ask()
        if by == "ada" and verdict == "approve":
            shown_at, now = NOON + timedelta(seconds=1), NOON + timedelta(seconds=5)
            opened(desk.request(), "ada", desk.ledger, shown_at=shown_at, now=now)
        answer(desk, verdict, by=by, at=NOON + timedelta(seconds=seconds))
    told = report(questions(desk.settings, desk.ledger, since=NOON, now=LATER))
    [rule] = told["rules"].values()
    assert (rule["requests"], rule["approved"], rule["denied"], rule["approve_rate"]) == (4, 3, 1, 0.75)
    assert rule["median_seconds"] == 34.5
    grace, ada = told["reviewers"]["grace"], told["reviewers"]["ada"]
    assert (grace["decisions"], grace["approve_rate"], grace["hasty"], grace["opened_known"]) == (2, 1.0, 1, 0)
    assert (ada["decisions"], ada["approve_rate"], ada["hasty"], ada["opened_known"]) == (2, 0.5, 1, 1)
    assert "grace: 1 of 2 decisions within 10 seconds." in told["notes"]


@pytest.mark.proves("approval-canary")
def test_an_approved_canary_runs_nothing_and_is_recorded_told_and_reported(desk: Desk) -> None:
    desk.config["notify"] = [{"kind": "command", "name": "pager", "run": ["true"], "on": ["expired"]}]
    request = put_canary(desk)
    answer(desk, "approve", by="grace", at=LATER)
    [approved] = desk.ledger.read(kind=Kind.APPROVAL_CANARY_APPROVED)
    assert approved.body == {"request_id": request.subject, "reviewer": "grace"}
    [due] = Outbox(desk.settings, desk.ledger, lambda: LATER).due()
    assert due.notice.headline.startswith("A CANARY WAS APPROVED by grace")
    assert not desk.runs()
    assert desk.request().subject != request.subject
    told = report(questions(desk.settings, desk.ledger, since=NOON, now=LATER))
    assert told["notes"] == ["grace: APPROVED 1 canaries."]
    assert told["reviewers"]["grace"]["decisions"] == 0


@pytest.mark.proves("approval-canary")
def test_a_denied_canary_denies_nothing_that_is_real(desk: Desk) -> None:
    put_canary(desk)
    answer(desk, "deny", by="grace", at=LATER)
    assert isinstance(desk.ask(at=LATER), Pending)
    desk.put(desk.signed("deny"))
    with pytest.raises(ApprovalDeniedError):
        desk.ask(at=LATER)


def test_a_canary_looks_like_any_other_request_and_takes_no_place_of_one(desk: Desk) -> None:
    made_up = put_canary(desk).body
    assert not open_requests("schema", desk.settings, desk.ledger, now=LATER)
    desk.ask()
    real = desk.request().body
    assert {name for name in real if real[name] != made_up[name]} == {"request_id"}
    assert "canary" not in str(made_up).casefold()
