"""Is an approval an approval of exactly what was shown, once, and of nothing that differs from it in any part?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.approvals.deciding import decide
from mcp_migrate.errors import AlreadyUsedError, ApprovalInvalidError, SelfApprovalError
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.ledger.events import stamp
from mcp_migrate.model import Approved, Caller, Effect, Pending, Reverse, canonical
from mcp_migrate.signers.decisions import check
from mcp_migrate.signers.roster import configured
from mcp_migrate.signers.sign import sign
from mcp_migrate.signers.statements import BOUND
from mcp_migrate.stages.record import Recorder
from tests.approvals.conftest import NOON, PLAN, Desk

LATER = NOON + timedelta(minutes=1)


def change(name: str, value: Any) -> Callable[[Desk], None]:
    return lambda desk: setattr(desk, name, value)


def change_call(**values: Any) -> Callable[[Desk], None]:
    return lambda desk: setattr(desk, "call", replace(desk.call, **values))


def change_plan(**values: Any) -> Callable[[Desk], None]:
    return lambda desk: setattr(desk, "plan", replace(PLAN, **values))


DIFFERENCES: Mapping[str, Callable[[Desk], None]] = {
    "workflow": change("workflow", "other"),
    "requester": change_call(caller=Caller("agent:two")),
    "tool": change_call(tool="migration_rollback"),
    "target's name": change_call(target="clone"),
    "target's identity": change("identity", {"product": "sqlite", "file": "/clone.db"}),
    "plan": change_plan(statements=()),
    "fingerprint before": change_plan(base_fingerprint="sha256:other"),
    "way back": change_plan(reverse=Reverse(available=False, restores_schema=False, why_not="none")),
    "effects": change("effects", frozenset({Effect.DESTRUCTIVE, Effect.DATA})),
    "objects": change("objects", ("public.t.d",)),
    "rows, far more": change("rows", {"public.t": 1101}),
    "rows of another table": change("rows", {"public.t": 1000, "public.u": 1}),
    "policy": lambda desk: desk.config["approvals"].append({"when": {"tier": "production"}}),
    "policy of the target": lambda desk: desk.config["targets"]["shop"].update(tier="development"),
    "owner": lambda desk: desk.config["workflows"]["schema"].update(owner={"name": "Eve", "email": "e@example.com"}),
}


@pytest.mark.proves("approval-binding")
@pytest.mark.parametrize("name", DIFFERENCES)
def test_an_approval_is_void_where_reality_differs_in(desk: Desk, name: str) -> None:
    desk.ask()
    desk.put(desk.signed())
    assert desk.runs()
    DIFFERENCES[name](desk)
    assert not desk.runs()
    assert len(desk.ledger.read(kind=Kind.APPROVAL_REQUESTED)) == 2


def test_a_table_that_grew_by_a_few_rows_or_shrank_is_still_what_was_shown(desk: Desk) -> None:
    desk.ask()
    desk.put(desk.signed())
    for rows in (1100, 3):
        desk.rows = {"public.t": rows}
        assert desk.runs()


SAID: Mapping[str, Any] = {
    **{f"about {name}": {"about": {name: "other"}} for name in BOUND},
    "format": {"format": "mcp-migrate/decision/1"},
    "request": {"request_id": "req_0"},
    "digest": {"request_digest": "sha256:0"},
    "verdict": {"decision": "maybe"},
    "reviewer": {"reviewer": "edsger"},
    "key": {"key": "SHA256:other"},
    "nonce": {"nonce": "short"},
    "cover": {"covers": "this change and its rollback"},
    "decided without a zone": {"decided_at": "2026-11-24T12:00:00"},
    "decided too late": {"decided_at": "2026-11-24T17:00:00+00:00"},
    "not before it was decided": {"not_before": "2026-11-24T11:00:00+00:00"},
    "approval's end": {"approval_expires": "2027-11-24T12:00:00+00:00"},
    "execution's end": {"execution_expires": "2027-11-24T12:00:00+00:00"},
    "no moment": {"execution_expires": "soon"},
    "ledger's root": {"ledger": {"size": 1, "root": "00" * 32}},
    "ledger's size": {"ledger": {"size": 10**30, "root": ""}},
    "no ledger": {"ledger": None},
}


@pytest.mark.proves("approval-binding")
@pytest.mark.parametrize("name", SAID)
def test_a_signed_statement_is_void_where_it_says_another(desk: Desk, name: str) -> None:
    desk.ask()
    decision = desk.signed()
    said = {**decision["statement"], **SAID[name]}
    if "about" in SAID[name]:
        said["about"] = {**decision["statement"]["about"], **SAID[name]["about"]}
    signature = sign(canonical(said), desk.keys["grace"][0], passphrase=lambda: "")  # by the right key, all the same
    forged = {"statement": said, "signature": signature}
    with pytest.raises((ApprovalInvalidError, SelfApprovalError)):
        decide(forged, desk.request(), desk.settings, desk.ledger, now=LATER)
    desk.put(forged)
    assert not desk.runs()
    assert desk.ledger.last(Kind.APPROVAL_REFUSED)[0].subject == desk.request().subject


@pytest.mark.proves("approval-binding")
def test_what_is_signed_says_which_database_who_planned_and_how_many_rows(desk: Desk) -> None:
    desk.ledger.append(
        Draft(Kind.PLAN_FROZEN, {"principal": "person:alan"}, subject=replace(PLAN, target="shop").plan_id), at=NOON
    )
    desk.ask()
    about = desk.signed()["statement"]["about"]
    assert about["identity"] == {"product": "sqlite", "file": "/shop.db"}
    assert about["planners"] == ["agent:one", "person:alan"]
    assert about["rows"] == {"public.t": 1000}
    assert about["rollback"].startswith("sha256:")


@pytest.mark.proves("approval-not-requester-identity")
def test_who_planned_it_cannot_approve_it(desk: Desk) -> None:
    desk.ledger.append(
        Draft(Kind.PLAN_FROZEN, {"principal": "person:grace"}, subject=replace(PLAN, target="shop").plan_id), at=NOON
    )
    desk.ask()
    with pytest.raises(SelfApprovalError, match="grace planned this change"):
        decide(desk.signed(), desk.request(), desk.settings, desk.ledger, now=LATER)
    desk.put(desk.signed())
    assert not desk.runs()


@pytest.mark.proves("approval-keys")
def test_the_signature_of_a_key_that_was_removed_counts_no_more(desk: Desk) -> None:
    desk.ask()
    desk.put(desk.signed())
    del desk.config["reviewers"]["grace"]
    assert not desk.runs()
    with pytest.raises(ApprovalInvalidError, match="no enrolled reviewer"):
        decide(desk.signed(), desk.request(), desk.settings, desk.ledger, now=LATER)
    [refused] = desk.ledger.read(kind=Kind.APPROVAL_REFUSED)
    assert (refused.body["reviewer"], refused.body["code"]) == ("grace", "approval_invalid")


@pytest.mark.proves("approval-keys")
def test_a_key_that_was_enrolled_after_the_request_does_not_decide_on_it(desk: Desk) -> None:
    desk.ask()
    desk.config["reviewers"]["stranger"] = {"ssh_keys": [desk.keys["stranger"][1].line], "groups": ["dba"]}
    decision = desk.signed(by="stranger")
    with pytest.raises(ApprovalInvalidError, match="enrolled after the request"):
        decide(decision, desk.request(), desk.settings, desk.ledger, now=LATER)
    desk.put(decision)
    assert not desk.runs()


@pytest.mark.proves("approval-expiry")
def test_a_signature_is_used_in_its_own_time_and_not_in_that_of_the_request(desk: Desk) -> None:
    desk.config["approvals"][0]["require"].update(expires="1h", execute_within="2h")
    desk.ask()
    tonight = NOON + timedelta(hours=10)
    desk.put(desk.signed(begins=tonight))
    early = desk.ask(at=LATER)
    assert isinstance(early, Pending)
    assert (early.fresh, early.not_before) == (False, tonight)
    assert desk.runs(at=tonight)
    assert desk.runs(at=tonight + timedelta(hours=2))
    assert not desk.runs(at=tonight + timedelta(hours=2, seconds=1))


@pytest.mark.proves("approval-one-use")
def test_the_nonce_is_consumed_with_the_record_of_the_start_and_only_once(desk: Desk) -> None:
    desk.ask()
    desk.put(desk.signed())
    first, second = desk.ask(at=LATER), desk.ask(at=LATER)
    assert isinstance(first, Approved)
    assert isinstance(second, Approved)
    recorder = Recorder(desk.ledger, desk.settings.workflows)
    recorder.started(first, apply_id="apply_1", at=LATER)
    size = desk.ledger.head().size
    with pytest.raises(AlreadyUsedError):
        recorder.started(second, apply_id="apply_2", at=LATER)
    assert desk.ledger.head().size == size
    assert desk.ledger.find(Kind.APPROVAL_CONSUMED, first.nonces[0])


@pytest.mark.proves("approval-one-use")
def test_a_decision_that_is_brought_twice_is_refused_and_recorded(desk: Desk) -> None:
    desk.config["approvals"][0]["require"].update(count=2)
    desk.ask()
    decision = desk.signed()
    decide(decision, desk.request(), desk.settings, desk.ledger, now=LATER)
    with pytest.raises(ApprovalInvalidError, match="on the record already"):
        decide(decision, desk.request(), desk.settings, desk.ledger, now=LATER)
    assert len(desk.ledger.read(kind=Kind.APPROVAL_REFUSED)) == 1


def test_a_decision_of_the_first_format_still_verifies_over_a_request_of_its_time(desk: Desk) -> None:
    desk.ask()
    old = json.loads(canonical(desk.request().body))
    for name in ("identity", "planners", "keys", "execute_seconds", "policy_digest", "rollback", "purpose"):
        del old[name]
    old["format"] = "mcp-migrate/request/1"
    desk.ledger.append(Draft(Kind.APPROVAL_REQUESTED, old, "schema", subject=old["request_id"]), at=LATER)
    decision = desk.signed()
    assert decision["statement"]["format"] == "mcp-migrate/decision/1"
    assert "about" not in decision["statement"]
    assert check(decision, old, desk.settings, configured(desk.settings)).reviewer == "grace"


def test_a_decision_made_in_front_of_another_ledger_does_not_count(desk: Desk, tmp_path: Path) -> None:
    desk.ask()
    with Ledger.open(f"sqlite:///{tmp_path}/shown.db") as shown:
        other = replace(desk, ledger=shown)
        other.ledger.append(Draft(Kind.CONFIG_LOADED, {}), at=NOON)
        other.ask()
        decision = other.signed()
    with pytest.raises(ApprovalInvalidError, match="another ledger"):
        decide(decision, desk.request(), desk.settings, desk.ledger, now=LATER)


@pytest.mark.proves("clock-set-back")
def test_a_clock_that_is_set_back_makes_no_approval_good_again(desk: Desk) -> None:
    desk.ask()
    decide(desk.signed(), desk.request(), desk.settings, desk.ledger, now=LATER)
    assert desk.runs(at=LATER)
    desk.ledger.append(Draft(Kind.CONFIG_LOADED, {}), at=NOON + timedelta(days=2))
    desk.ledger.append(Draft(Kind.CONFIG_LOADED, {}), at=LATER)
    assert not desk.runs(at=LATER)
    assert desk.request().at == stamp(LATER)  # asked anew, and what came before is nothing to the new question
    decide(desk.signed(at=LATER), desk.request(), desk.settings, desk.ledger, now=LATER)
    assert desk.runs(at=LATER)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(part=st.integers(0, 40), value=ANYTHING, gone=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_statement_that_is_spoilt_anywhere_counts_or_breaks_anything(
    desk: Desk, part: int, value: Any, *, gone: bool
) -> None:
    if not desk.ledger.read(kind=Kind.APPROVAL_REQUESTED):
        desk.ask()
    said = desk.signed()["statement"]
    name = sorted(set(said) - {"reason"})[part % (len(said) - 1)]  # what a reviewer writes as a reason is theirs
    spoilt = {key: value if key == name else old for key, old in said.items() if not (gone and key == name)}
    if canonical(spoilt) != canonical(said):
        forged = {"statement": spoilt, "signature": sign(canonical(spoilt), desk.keys["grace"][0], passphrase=str)}
        with pytest.raises((ApprovalInvalidError, SelfApprovalError)):
            decide(forged, desk.request(), desk.settings, desk.ledger, now=LATER)


@given(decision=st.dictionaries(st.sampled_from(["statement", "signature"]), ANYTHING))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_the_ledger_as_a_decision_is_only_invalid(desk: Desk, decision: dict[str, Any]) -> None:
    if not desk.ledger.read(kind=Kind.APPROVAL_REQUESTED):
        desk.ask()
    desk.put(decision)
    assert not desk.runs()
