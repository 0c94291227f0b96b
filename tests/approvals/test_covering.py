"""When does a rollback need no second signature, and when are people asked all the same?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.approvals.deciding import decide, draft
from mcp_migrate.errors import AlreadyUsedError, ApprovalInvalidError
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Approved, Caller, Party, Pending, Reverse, Statement, Undo, canonical
from mcp_migrate.signers.sign import sign
from mcp_migrate.stages.approve import approve
from mcp_migrate.stages.record import Recorder
from tests.approvals.conftest import NOON, PLAN, Desk
from tests.world import proved

FOUR_HOURS = timedelta(hours=4)
SOON = NOON + timedelta(minutes=1)
AGAIN = Reverse(available=True, restores_schema=True, statements=PLAN.statements)
BACK = replace(
    PLAN,
    from_revision="c3",
    to_revision="b2",
    base_fingerprint="sha256:after",
    expected_fingerprint="sha256:before",
    statements=PLAN.reverse.statements,
    reverse=AGAIN,
    undo=Undo(""),
)


def applied(desk: Desk, *, by: Mapping[str, timedelta | None] | None = None) -> str:
    """Ask, sign, and begin the apply; the id of its request. `by` says who covers the rollback for how long."""
    desk.ask()
    for name, rollback_for in (by or {"grace": FOUR_HOURS}).items():
        decision = desk.signed(by=name, rollback_for=rollback_for)
        decide(decision, desk.request(), desk.settings, desk.ledger, now=NOON)
    approved = desk.ask(at=SOON)
    assert isinstance(approved, Approved)
    Recorder(desk.ledger, desk.settings.workflows).started(approved, apply_id="apply_1", at=SOON)
    desk.call = replace(desk.call, call_id="call_2", tool="migration_rollback")
    desk.plan = BACK
    return str(approved.request_id)


def rolls_back(desk: Desk, *, at: Any = SOON, undoes: str | None = "apply_1") -> Approved | Pending:
    permitted = desk.permitted
    prepared = replace(permitted.classified.prepared, undoes=undoes)
    permitted = replace(permitted, classified=replace(permitted.classified, prepared=prepared))
    return approve(permitted, desk.settings, desk.ledger, now=at)


@pytest.mark.proves("approval-covers-rollback")
@pytest.mark.proves("evidence-offline")
def test_a_covered_rollback_asks_nobody_and_says_by_whom_it_is_covered(desk: Desk, tmp_path: Path) -> None:
    for call_id in ("call_1", "call_2"):
        desk.ledger.append(Draft(Kind.CALL_RECEIVED, {}, "schema", call_id), at=NOON)
    request_id = applied(desk)
    desk.effects = frozenset({"destructive", "data"})  # type: ignore[arg-type]
    found = rolls_back(desk, at=NOON + FOUR_HOURS)
    assert isinstance(found, Approved)
    assert found.reviewers == ("grace",)
    assert found.covered is not None
    assert found.covered.told() == {"request_id": request_id, "until": (NOON + FOUR_HOURS).isoformat()}
    Recorder(desk.ledger, desk.settings.workflows).started(found, apply_id="apply_2", at=SOON)
    first, second = desk.ledger.read(kind=Kind.STEP_STARTED)
    assert first.body["covers_rollback_until"] == found.covered.told()["until"]
    assert second.body["covered_by"] == found.covered.told()
    evidence = proved(desk.ledger, "apply_2", tmp_path)
    assert evidence.told["allowed_by"]["covered_by"] == found.covered.told()
    assert [each["reviewer"] for each in evidence.told["decisions"]] == ["grace"]
    assert isinstance(rolls_back(desk), Pending), "it is good for once"
    with pytest.raises(AlreadyUsedError):
        Recorder(desk.ledger, desk.settings.workflows).started(found, apply_id="apply_3", at=SOON)


def _calls(desk: Desk, reviewer: str) -> None:
    """The same principal calls with a token of a reviewer's."""
    desk.config["people"] = {reviewer: ["mine@sub"]}
    desk.call = replace(desk.call, caller=Caller("agent:one", "oauth", Party("mine@sub")))


OTHERS: Mapping[str, Callable[[Desk], None]] = {
    "another statement": lambda d: _plan(d, statements=(Statement(1, "c3", "ALTER TABLE t ADD d int"),)),
    "one statement more": lambda d: _plan(d, statements=(*BACK.statements, Statement(2, "c3", "DELETE FROM t"))),
    "none of them": lambda d: _plan(d, statements=()),
    "a schema that moved": lambda d: _plan(d, base_fingerprint="sha256:moved"),
    "another revision": lambda d: _plan(d, from_revision="d4"),
    "rows written since that it cannot keep": lambda d: _plan(d, undo=Undo("", why_not=("too many rows",))),
    "another database": lambda d: setattr(d, "identity", {"product": "sqlite", "file": "/clone.db"}),
    "another target": lambda d: setattr(d, "call", replace(d.call, target="clone")),
    "another workflow": lambda d: setattr(d, "workflow", "other"),
    "the reviewer's own call": lambda d: setattr(d, "call", replace(d.call, caller=Caller("person:grace"))),
    "a key that was taken back": lambda d: d.config["reviewers"]["grace"].update(ssh_keys=[]),
    "a rule for rollbacks": lambda d: d.config["approvals"].append(
        {"when": {"tools": ["migration_rollback"]}, "require": {"from": "dba", "count": 2}}
    ),
    "one of them who calls": lambda d: _calls(d, "grace"),
    "a stricter level": lambda d: d.config["approvals"][0]["require"].update(assurance="hardware"),
}


def _plan(desk: Desk, **other: Any) -> None:
    desk.plan = replace(BACK, **other)


@pytest.mark.proves("approval-covers-rollback")
@pytest.mark.parametrize("name", OTHERS)
def test_people_are_asked_as_ever_for(desk: Desk, name: str) -> None:
    applied(desk)
    OTHERS[name](desk)
    assert isinstance(rolls_back(desk), Pending)


@pytest.mark.proves("approval-covers-rollback")
def test_people_are_asked_after_its_time_for_another_apply_and_where_one_did_not_cover_it(desk: Desk) -> None:
    desk.config["approvals"][0]["require"]["count"] = 2
    applied(desk, by={"grace": FOUR_HOURS, "edsger": timedelta(hours=1)})
    assert isinstance(rolls_back(desk, at=NOON + timedelta(hours=1)), Approved), "the shorter of the two"
    assert isinstance(rolls_back(desk, at=NOON + timedelta(hours=1, seconds=1)), Pending)
    assert isinstance(rolls_back(desk, undoes="apply_9"), Pending)
    assert isinstance(rolls_back(desk, undoes=None), Pending)


@pytest.mark.proves("approval-covers-rollback")
def test_all_who_counted_have_to_cover_it(desk: Desk) -> None:
    desk.config["approvals"][0]["require"]["count"] = 2
    applied(desk, by={"grace": FOUR_HOURS, "edsger": None})
    assert isinstance(rolls_back(desk), Pending)


def test_what_the_rollback_keeps_of_its_own_is_no_other_way_back(desk: Desk) -> None:
    applied(desk)
    kept = Statement(1, "c3", "CREATE TABLE kept AS SELECT c FROM t", kind="preserve")
    _plan(desk, statements=(kept, replace(BACK.statements[0], n=2)))
    assert isinstance(rolls_back(desk), Approved)


SAID: Mapping[str, Any] = {
    "the words of a format before": {"format": "mcp-migrate/decision/2"},
    "other words": {"covers": "this change and not its rollback"},
    "no time": {"rollback_until": None},
    "a time without a zone": {"rollback_until": "2026-11-24T16:00:00"},
    "a time before it may run": {"rollback_until": "2026-11-24T11:00:00+00:00"},
    "more than a week": {"rollback_until": "2026-12-02T12:00:00+00:00"},
    "a denial": {"decision": "deny", "reason": "no"},
}


@pytest.mark.proves("approval-covers-rollback")
@pytest.mark.parametrize("name", SAID)
def test_a_covering_statement_is_void_where_it_says(desk: Desk, name: str) -> None:
    desk.ask()
    said = {**desk.signed(rollback_for=FOUR_HOURS)["statement"], **SAID[name]}
    forged = {"statement": said, "signature": sign(canonical(said), desk.keys["grace"][0], passphrase=lambda: "")}
    with pytest.raises(ApprovalInvalidError):
        decide(forged, desk.request(), desk.settings, desk.ledger, now=SOON)
    desk.put(forged)
    assert not desk.runs()


@pytest.mark.proves("approval-covers-rollback")
def test_what_has_no_way_back_and_what_is_a_rollback_itself_cannot_be_covered(desk: Desk) -> None:
    who: Mapping[str, Any] = {"reviewer": "grace", "key": desk.keys["grace"][1], "nonce": "n" * 16}
    for change in (
        {"plan": replace(PLAN, reverse=Reverse(available=False, restores_schema=False, why_not="lost"))},
        {"call": replace(desk.call, tool="migration_rollback"), "plan": PLAN},
    ):
        for name, value in change.items():
            setattr(desk, name, value)
        desk.ask()
        with pytest.raises(ApprovalInvalidError, match="cannot be approved with this"):
            draft(desk.request(), "approve", ledger=desk.ledger, now=NOON, rollback_for=FOUR_HOURS, **who)
