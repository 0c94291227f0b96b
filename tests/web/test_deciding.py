"""Does a decision on the pages need a key, exactly the statement that was shown, and a question that is still open?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import canonical
from mcp_migrate.signers.sign import generate_key, sign
from tests.signers.authenticator import Authenticator
from tests.web.visitor import Visitor, field_of, statement_of

REQUEST = "req_1"
ALONE = "orders fail and nobody answers the phone"
QUORUM = {"count": 1, "groups": ["dba"], "never": ["requester"], "rules": ["r"]}


def decisions(visitor: Visitor) -> list[str]:
    return [event.body["statement"]["decision"] for event in visitor.ledger.read(kind=Kind.APPROVAL_DECIDED)]


@pytest.mark.proves("review-pages-sign")
@pytest.mark.parametrize(("verdict", "reason"), [("approve", ""), ("deny", "customers' fax")])
def test_a_pasted_signature_decides(visitor: Visitor, verdict: str, reason: str) -> None:
    visitor.ask(REQUEST)
    answer = visitor.decide(REQUEST, verdict, reason)
    assert answer.status_code == 303, answer.text
    assert decisions(visitor) == [verdict]
    page = visitor.read(answer.headers["location"])
    assert f"<b>grace</b>: {verdict}" in page
    assert "Decide" not in page


@pytest.mark.proves("approval-covers-rollback")
def test_the_rollback_is_approved_as_well_only_where_that_was_ticked(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    assert "covers_rollback" not in visitor.read(f"/requests/{REQUEST}"), "there is no way back to cover"
    about: dict[str, Any] = {"identity": None, "planners": [], "fingerprint_before": None, "policy_digest": "sha256:0"}
    second = {"format": "mcp-migrate/request/2", "rollback": "sha256:1", "purpose": "change", "execute_seconds": 600}
    visitor.ask("req_2", **about, **second)
    assert 'type="checkbox" name="covers_rollback" value="yes">' in visitor.read("/requests/req_2")
    assert "rollback_until" not in statement_of(visitor.draft("req_2", covers_for="4h").text).decode()
    assert visitor.draft("req_2", covers_rollback="yes", covers_for="8d").status_code == 409
    ticked = visitor.draft("req_2", covers_rollback="yes", covers_for="4h").text
    assert "And its rollback, once, until" in ticked
    assert "--covers-rollback 14400s" in ticked
    assert visitor.decide("req_2", covers_rollback="yes", covers_for="4h").status_code == 303
    assert "covers its rollback until" in visitor.read("/requests/req_2")


@pytest.mark.proves("approval-report")
def test_since_when_the_page_was_open_is_noted_for_whoever_is_about_to_sign(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    shown = re.search(r'name="shown_at" value="([^"]+)"', visitor.read(f"/requests/{REQUEST}"))
    assert shown is not None
    visitor.draft(REQUEST, shown_at=shown[1])
    assert visitor.draft(REQUEST, shown_at="yesterday").status_code == 409
    [event] = visitor.ledger.read(kind=Kind.APPROVAL_OPENED)
    assert (event.body["reviewer"], event.body["shown_at"]) == ("grace", shown[1])


@pytest.mark.proves("review-pages-sign")
def test_reading_the_page_and_sending_its_forms_decides_nothing(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    shown = visitor.draft(REQUEST).text
    answer = visitor.send(REQUEST, shown, "")
    assert answer.status_code == 409
    assert not decisions(visitor)


@pytest.mark.proves("review-pages-sign")
def test_the_signature_of_another_key_decides_nothing(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    generate_key(visitor.folder / "agent_key")
    shown = visitor.draft(REQUEST).text
    forged = sign(statement_of(shown), visitor.folder / "agent_key", passphrase=lambda: "")
    assert visitor.send(REQUEST, shown, forged).status_code == 409
    assert not decisions(visitor)


@pytest.mark.proves("review-pages-sign")
def test_a_signature_for_one_request_does_not_decide_another(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    visitor.ask("req_2", "DROP TABLE users")
    shown = visitor.draft(REQUEST).text
    signature = sign(statement_of(shown), visitor.folder / "grace_key", passphrase=lambda: "")
    assert visitor.send("req_2", shown, signature).status_code == 409
    assert not decisions(visitor)


@pytest.mark.proves("passkey-strict")
def test_a_passkey_decides_and_proves_a_verified_person(visitor: Visitor) -> None:
    visitor.ask(REQUEST, quorum={**QUORUM, "assurance": "verified"})
    assert visitor.decide(REQUEST).status_code == 409  # a key file is not enough here
    assert visitor.touch(REQUEST).status_code == 303
    assert decisions(visitor) == ["approve"]
    assert "verified" in visitor.read(f"/requests/{REQUEST}")


@pytest.mark.proves("passkey-counter")
@pytest.mark.parametrize(
    ("first", "second", "counts"), [(5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False), (0, 0, True)]
)
def test_an_authenticator_that_counts_no_further_is_refused(
    visitor: Visitor, first: int, second: int, *, counts: bool
) -> None:
    visitor.ask(REQUEST)
    visitor.ask("req_2")
    visitor.authenticator.counter = first
    assert visitor.touch(REQUEST).status_code == 303
    visitor.authenticator.counter = second
    assert (visitor.touch("req_2").status_code == 303) == counts


@pytest.mark.proves("passkey-counter")
def test_a_forged_decision_with_a_high_counter_locks_nobody_out(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    liar = Authenticator(counter=10_000)
    said = {"key": visitor.authenticator.passkey.fingerprint, "reviewer": "grace"}
    forged = {"statement": said, "passkey": liar.sign(canonical(said))}
    visitor.ledger.append(Draft(Kind.APPROVAL_DECIDED, forged, subject=REQUEST), at=visitor.now[0])
    assert visitor.touch(REQUEST).status_code == 303


def test_an_approval_that_comes_after_a_denial_is_refused(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    shown = visitor.draft(REQUEST).text
    visitor.decide(REQUEST, "deny", "no")
    signature = sign(statement_of(shown), visitor.folder / "grace_key", passphrase=lambda: "")
    answer = visitor.send(REQUEST, shown, signature)
    assert answer.status_code == 409
    assert "denied" in answer.text
    assert decisions(visitor) == ["deny"]


def test_nothing_is_decided_after_the_request_expired(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    shown = visitor.draft(REQUEST).text
    visitor.later(timedelta(hours=5))
    signature = sign(statement_of(shown), visitor.folder / "grace_key", passphrase=lambda: "")
    assert visitor.send(REQUEST, shown, signature).status_code == 409
    assert not decisions(visitor)
    assert "Decide" not in visitor.read(f"/requests/{REQUEST}")


@pytest.mark.parametrize("reason", ["", "two\nlines", "right-to-left \u202e", "x" * 501])
def test_a_no_needs_one_plain_line_of_reason(visitor: Visitor, reason: str) -> None:
    visitor.ask(REQUEST)
    assert visitor.draft(REQUEST, "deny", reason).status_code == 409


def test_the_inbox_follows_what_happens_and_puts_the_nearest_deadline_first(visitor: Visitor) -> None:
    soon = (visitor.now[0] + timedelta(minutes=20)).isoformat()
    visitor.ask("req_late")
    visitor.ask("req_soon", expires_at=soon)
    page = visitor.read("/")
    assert page.index("req_soon") < page.index("req_late")
    assert "20 min left" in page
    visitor.decide("req_late", "deny", "no")
    assert "req_late" not in visitor.read("/")
    visitor.later(timedelta(minutes=30))
    assert "Nothing waits for people" in visitor.read("/")
    history = visitor.read("/history")
    assert "denied" in history
    assert "expired" in history


def test_an_entry_that_is_no_request_of_ours_is_not_in_the_inbox(visitor: Visitor) -> None:
    body = {"format": "something else", "request_id": "req_odd"}
    visitor.ledger.append(Draft(Kind.APPROVAL_REQUESTED, body, subject="req_odd"), at=visitor.now[0])
    assert "req_odd" not in visitor.read("/")


@pytest.mark.proves("approval-break-glass")
def test_a_named_person_breaks_the_glass_on_the_page_with_two_keys(tmp_path: Path) -> None:
    glass = {"people": ["grace"], "assurance": ["software", "verified"]}
    with Visitor.at(tmp_path, break_glass=glass) as visitor:
        visitor.ask(REQUEST, quorum={**QUORUM, "count": 2, "assurance": "software"})
        assert "0 of 2 are there" in visitor.read(f"/requests/{REQUEST}")
        assert visitor.draft(REQUEST, "break-glass", "").status_code == 409
        assert visitor.draft(REQUEST, "break-glass", ALONE, loss1="7").status_code == 409
        assert visitor.decide(REQUEST, "break-glass", ALONE).status_code == 303
        assert "1 of 2 is there" in visitor.read(f"/requests/{REQUEST}")
        assert visitor.touch(REQUEST, "break-glass", ALONE).status_code == 303
        assert "approved" in visitor.read(f"/requests/{REQUEST}")


def test_nobody_is_offered_to_act_alone_where_the_configuration_names_nobody(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    assert 'value="break-glass"' not in visitor.read(f"/requests/{REQUEST}")
    assert visitor.decide(REQUEST, "break-glass", ALONE).status_code == 409


def test_a_denied_request_is_reopened_on_its_page_and_no_other_is(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    assert visitor.draft(REQUEST, "reopen", "why not").status_code == 409
    visitor.decide(REQUEST, "deny", "no")
    assert visitor.decide(REQUEST, "reopen", "the faxes are gone").status_code == 303
    [event] = visitor.ledger.read(kind=Kind.APPROVAL_REOPENED)
    assert event.body["statement"]["reason"] == "the faxes are gone"
    assert "Reopen" not in visitor.read(f"/requests/{REQUEST}")


def test_what_was_signed_before_a_restart_of_the_pages_counts_after_it(visitor: Visitor) -> None:
    visitor.ask(REQUEST)
    shown = visitor.draft(REQUEST).text
    signature = sign(statement_of(shown), visitor.folder / "grace_key", passphrase=lambda: "")
    visitor.restart()
    assert visitor.send(REQUEST, shown, signature).status_code == 409  # a form of before; nothing is lost
    again = {"mark": visitor.mark(REQUEST), "statement": field_of(shown, "statement"), "signature": signature}
    assert visitor.post(f"/requests/{REQUEST}/decision", again).status_code == 303


@pytest.mark.proves("passkey-elsewhere")
def test_a_passkey_of_an_address_that_these_pages_had_once_is_neither_offered_nor_heard(visitor: Visitor) -> None:
    """Whoever has that address now could have somebody sign there."""
    old = Authenticator(origin="https://old.example.com")
    grace = visitor.desk.settings.reviewers["grace"]
    known = grace.model_copy(update={"passkeys": (*grace.passkeys, old.passkey.line)})
    told = visitor.desk.settings.model_copy(update={"reviewers": {"grace": known}})
    visitor.desk = replace(visitor.desk, settings=told)
    visitor.restart()
    visitor.ask("req_1")
    page = visitor.read("/requests/req_1")
    honest, visitor.authenticator = visitor.authenticator, old
    chosen = f"grace {honest.passkey.fingerprint}"
    refused = visitor.touch("req_1", signer=chosen)
    assert ("passkey at localhost" in page, "old.example.com" in page) == (True, False)
    assert refused.status_code == 409
    assert "It was signed on" in refused.text
    assert not visitor.ledger.read(kind=Kind.APPROVAL_DECIDED)
