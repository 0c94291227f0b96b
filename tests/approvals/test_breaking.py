"""Can a named person act alone in an emergency, with two keys and a reason, and never quietly?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.approvals.deciding import break_glass, decide
from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import ApprovalDeniedError, ApprovalInvalidError, SelfApprovalError
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Approved, Caller
from mcp_migrate.notices import Outbox
from mcp_migrate.stages.record import Recorder
from tests.approvals.conftest import NOON, Desk
from tests.world import proved

LATER = NOON + timedelta(minutes=1)
WHY = "orders are failing and nobody answers"


@pytest.fixture
def night(desk: Desk) -> Desk:
    """Two people are asked for, and Grace may act alone."""
    desk.config["approvals"][0]["require"]["count"] = 2
    desk.config["break_glass"] = {"people": ["grace"]}
    for person in ("grace", "ada"):
        desk.give_token(person, f"{person} touches", pin=False)
        desk.give_token(person, f"{person} types", pin=True)
    desk.ask()
    return desk


def sign(desk: Desk, key: str, *, by: str = "grace", reason: str = WHY, **more: Any) -> Any:
    decision = desk.signed("break-glass", by=by, key=key, reason=reason, **more)
    return break_glass(decision, desk.request(), desk.settings, desk.ledger, now=LATER)


@pytest.mark.proves("approval-break-glass")
def test_two_keys_of_two_levels_and_a_reason_let_a_named_person_act_alone(night: Desk) -> None:
    sign(night, "grace touches")
    assert not night.runs()
    sign(night, "grace types")
    answer = night.ask(at=LATER)
    assert isinstance(answer, Approved)
    assert answer.reviewers == ("grace",)


@pytest.mark.proves("approval-break-glass")
@pytest.mark.proves("evidence-offline")
def test_the_start_records_who_acted_alone_and_asks_the_others_to_review_it(night: Desk, tmp_path: Path) -> None:
    night.ledger.append(Draft(Kind.CALL_RECEIVED, {}, "schema", "call_1"), at=NOON)
    sign(night, "grace touches")
    sign(night, "grace types")
    done = night.ask(at=LATER)
    assert isinstance(done, Approved)
    asked = night.request()
    Recorder(night.ledger, night.settings.workflows).started(done, apply_id="apply_1", at=LATER)
    [started] = night.ledger.read(kind=Kind.STEP_STARTED)
    review = night.request()
    assert started.body["broken_glass"] == {"request_id": asked.subject, "by": "grace", "reason": WHY}
    assert (review.body["purpose"], review.body["reviews"]) == ("review", started.body["broken_glass"])
    assert standing(asked, night.ledger, night.settings).status(LATER) == "used"
    with pytest.raises(SelfApprovalError, match="alone"):
        decide(night.signed(by="grace"), review, night.settings, night.ledger, now=LATER)
    decide(night.signed(by="ada"), review, night.settings, night.ledger, now=LATER)
    decide(night.signed(by="edsger"), review, night.settings, night.ledger, now=LATER)
    assert standing(review, night.ledger, night.settings).status(LATER) == "approved"
    night.ledger.append(Draft(Kind.STEP_FINISHED, {"status": "applied"}, subject="apply_1"), at=LATER)
    found = proved(night.ledger, "apply_1", tmp_path)
    assert found.told["allowed_by"]["broken_glass"]["reason"] == WHY
    assert [(each["reviewer"], each["decision"]) for each in found.told["decisions"]] == [
        *[("grace", "break-glass")] * 2,
        ("ada", "approve"),
        ("edsger", "approve"),
    ]
    assert found.decisions == 4
    assert not night.runs()  # that it was right to act alone once is no approval of another time


@pytest.mark.proves("approval-break-glass")
@pytest.mark.parametrize(
    "pair",
    [("grace touches", "grace touches"), ("grace", "grace types"), ("grace touches", "grace")],
    ids=["one key twice", "a key of software", "nothing verified"],
)
def test_less_than_two_keys_of_both_levels_is_not_enough(night: Desk, pair: tuple[str, str]) -> None:
    for key in pair:
        sign(night, key)
    assert not night.runs()


def test_signatures_that_have_run_out_are_renewed_and_not_in_the_way(night: Desk) -> None:
    night.config["approvals"][0]["require"].update(expires="8h", execute_within="1h")
    night.ask()
    for hour in (0, 2):
        for key in ("grace touches", "grace types"):
            night.put(
                night.signed("break-glass", by="grace", key=key, reason=WHY, at=NOON + timedelta(hours=hour)),
                kind=Kind.APPROVAL_BROKEN,
            )
    assert night.runs(at=NOON + timedelta(hours=2.5))
    assert not night.runs(at=NOON + timedelta(hours=3.5))


@pytest.mark.proves("approval-break-glass")
def test_who_is_not_named_or_gives_no_reason_is_refused_and_recorded(night: Desk) -> None:
    with pytest.raises(ApprovalInvalidError, match="not named"):
        sign(night, "ada types", by="ada")
    with pytest.raises(ApprovalInvalidError, match="reason"):
        sign(night, "grace types", reason="because")
    assert [event.body["decision"] for event in night.ledger.read(kind=Kind.APPROVAL_REFUSED)] == ["break-glass"] * 2
    assert not night.ledger.read(kind=Kind.APPROVAL_BROKEN)


def test_without_a_word_in_the_configuration_nobody_acts_alone(night: Desk) -> None:
    sign(night, "grace touches")
    sign(night, "grace types")
    del night.config["break_glass"]
    assert not night.runs()


def test_a_denial_stands_whoever_would_break_the_glass(night: Desk) -> None:
    night.put(night.signed("deny", by="ada"))
    with pytest.raises(ApprovalDeniedError):
        sign(night, "grace types")


def test_who_asked_does_not_break_the_glass_for_themselves(night: Desk) -> None:
    night.config["workflows"]["schema"]["principals"].append("person:grace")
    night.call = replace(night.call, caller=Caller("person:grace"))
    night.ask()
    with pytest.raises(SelfApprovalError):
        sign(night, "grace types")


@pytest.mark.proves("approval-break-glass")
def test_every_channel_is_told_whatever_else_it_is_told(night: Desk) -> None:
    night.config["notify"] = [{"kind": "command", "name": "pager", "run": ["true"], "on": ["expired"]}]
    outbox = Outbox(night.settings, night.ledger, lambda: LATER)
    assert not list(outbox.due())
    sign(night, "grace touches")
    sign(night, "grace types")
    [due] = outbox.due()
    assert due.notice.occasion == "alarm"
    assert due.notice.headline.startswith("GLASS BROKEN by grace, alone: migration_apply on shop")
