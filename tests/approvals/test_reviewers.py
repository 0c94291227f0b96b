"""Does a reviewer's key count only where the configuration, an admin or a reviewer let it in, and only that far?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.anchors import enrolments
from mcp_migrate.approvals import reviewers as enrolling
from mcp_migrate.approvals.deciding import decide
from mcp_migrate.errors import ApprovalInvalidError, MigrateError, SelfApprovalError
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import Assurance, Caller, canonical
from mcp_migrate.signers.enrolment import NAMESPACE, Act
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.sign import generate_key, sign
from mcp_migrate.stages.record import bodies
from tests.approvals.conftest import NOON, Desk

pytestmark = pytest.mark.proves("reviewers-enrolled")
LATER = NOON + timedelta(minutes=1)


class Office:
    """Where keys are let in and taken out: an admin, Grace of the configuration, and whoever comes."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.files: dict[str, Path] = {}
        for name in ("admin", "bob", "carol", "eve"):
            self.files[name] = folder / name
            generate_key(folder / name)
        self.files |= {name: path for name, (path, _) in desk.keys.items()}
        desk.config["admins"] = [self.key("admin").line]
        self.settings = desk.settings

    def key(self, name: str) -> PublicKey:
        from mcp_migrate.signers.keys import parse_public_key

        return parse_public_key(self.files[name].with_suffix(".pub").read_text())

    def signed(self, who: str, *, by: str = "admin", act: Act = "enrol", **more: Any) -> dict[str, Any]:
        """A word on a key of `who`; `more` stands in the signed statement in place of what would."""
        key, namespace = self.key(more.pop("of", who)), more.pop("namespace", NAMESPACE)
        with_key = more.pop("with_key", by)
        said = enrolling.draft(
            act,
            who,
            key,
            signer=None if by == "admin" else by,
            signed_by=self.key(with_key),
            roster=enrolling.reviewers(self.settings, self.desk.ledger),
            ledger=self.desk.ledger,
            now=NOON,
            nonce=secrets.token_hex(16),
            groups=more.pop("groups", ("dba",) if act == "enrol" else ()),
            email=more.pop("email", f"{who}@example.com" if act == "enrol" else None),
        )
        said.update(more)
        return {
            "statement": said,
            "signature": sign(canonical(said), self.files[with_key], passphrase=str, namespace=namespace),
        }

    def takes(self, entry: Mapping[str, Any]) -> None:
        enrolling.enrol(entry, self.settings, self.desk.ledger, now=NOON)

    def names(self) -> set[str]:
        """Whose signature counts, to a process that begins now."""
        return set(enrolling.reviewers(self.desk.settings, self.desk.ledger).people)

    def decide(self, name: str, **more: Any) -> None:
        self.desk.keys = {**self.desk.keys, name: (self.files[name], self.key(name))}
        self.desk.config = {**self.desk.config}
        decide(self.desk.signed(by=name, **more), self.desk.request(), self.settings, self.desk.ledger, now=LATER)


@pytest.fixture
def office(desk: Desk, tmp_path: Path) -> Office:
    desk.config["approvals"][0]["require"]["count"] = 2
    office = Office(desk, tmp_path)
    desk.ledger.append(Draft(Kind.CONFIG_LOADED, {"digest": "d", "keys": {}}), at=NOON)
    return office


def test_whom_an_admin_lets_in_decides_what_is_asked_from_then_on_and_is_told_of(office: Office) -> None:
    office.desk.ask()
    office.takes(office.signed("bob"))
    with pytest.raises(ApprovalInvalidError, match="enrolled after the request"):
        office.decide("bob")
    office.desk.call = replace(office.desk.call, caller=Caller("agent:two"))  # another question, which knows the key
    office.desk.ask()
    assert [each["reviewer"] for each in office.desk.request().body["new_keys"]] == ["bob"]
    office.decide("bob")
    assert not office.desk.runs()
    office.decide("grace")
    assert office.desk.runs()


FORGED: Mapping[str, Mapping[str, Any]] = {
    "a key of nobody's, as an admin": {"by": "admin", "with_key": "eve", "signed_by": None},
    "a reviewer's key, as an admin": {"by": "admin", "with_key": "grace"},
    "a stranger's key, as a reviewer": {"by": "grace", "with_key": "eve"},
    "a signature made for an approval": {"namespace": "approval@mcp-migrate"},
    "another ledger": {"ledger": {"size": 1, "root": "00" * 32}},
    "a ledger that is not there yet": {"ledger": {"size": 9, "root": "00" * 32}},
    "another key than it says": {"fingerprint": "SHA256:other"},
    "no nonce": {"nonce": ""},
    "another format": {"format": "mcp-migrate/decision/2"},
    "a group that a reviewer is not in": {"by": "grace", "groups": ["dba", "leads"]},
    "somebody else's name": {"by": "grace", "of": "eve", "reviewer": "ada", "email": "ada@example.com"},
    "a name in another case": {"reviewer": "Grace"},
    "a name that is none": {"reviewer": "bob\u202e"},
    "other groups than the person has": {"reviewer": "grace", "email": "grace@example.com", "groups": ["leads"]},
    "a key that is there already": {"of": "edsger"},
}


@pytest.mark.parametrize("changed", FORGED.values(), ids=FORGED)
def test_what_is_not_signed_by_who_may_lets_nobody_in_however_it_got_on_the_ledger(
    office: Office, changed: Mapping[str, Any]
) -> None:
    before, changed = office.names(), {key: value for key, value in changed.items() if value is not None}
    entry = office.signed("bob", **changed)
    with pytest.raises(MigrateError):
        office.takes(entry)
    [refused] = office.desk.ledger.read(kind=Kind.REVIEWER_REFUSED)
    assert refused.body["act"] == "enrol"
    office.desk.ledger.append(Draft(Kind.REVIEWER_ENROLLED, entry, subject="bob"), at=NOON)
    assert office.names() == before
    assert len(enrolling.of_no_account(office.desk.settings, office.desk.ledger)) == 1


def test_who_was_let_in_by_a_reviewer_proves_no_more_and_is_counted_as_one_with_them(office: Office) -> None:
    office.takes(office.signed("bob", by="grace"))
    office.takes(office.signed("carol", by="bob"))
    roster = enrolling.reviewers(office.settings, office.desk.ledger)
    assert [held.at_most for held in roster.people["bob"].keys] == [Assurance.SOFTWARE]
    assert roster.stands_for("carol") == "grace"
    office.desk.ask()
    for name in ("grace", "bob", "carol"):
        office.decide(name)
    assert not office.desk.runs()
    office.decide("ada")
    assert office.desk.runs()


def test_whom_the_one_who_asked_let_in_does_not_decide_for_them(office: Office) -> None:
    office.desk.config["workflows"]["schema"]["principals"].append("person:grace")
    office.takes(office.signed("bob", by="grace"))
    office.desk.call = replace(office.desk.call, caller=Caller("person:grace"))
    office.desk.ask()
    with pytest.raises(SelfApprovalError, match="grace asked for"):
        office.decide("bob")


def test_a_removed_key_counts_no_more_nor_whom_it_let_in_nor_what_was_signed_before(office: Office) -> None:
    entry, spare = office.signed("bob"), office.signed("bob")
    office.takes(entry)
    meanwhile = office.signed("bob")
    office.takes(office.signed("carol", by="bob"))
    office.desk.ask()
    office.decide("carol")
    office.takes(office.signed("bob", act="remove"))
    assert not {"bob", "carol"} & office.names()
    for old in (entry, spare, meanwhile):
        with pytest.raises(ApprovalInvalidError, match=r"removed|already"):
            office.takes(old)
        office.desk.ledger.append(Draft(Kind.REVIEWER_ENROLLED, old, subject="bob"), at=NOON)
    office.decide("grace")
    assert not {"bob", "carol"} & office.names()
    assert not office.desk.runs()
    office.takes(office.signed("bob"))
    assert "bob" in office.names()


def test_a_key_of_the_configuration_can_be_taken_out_by_its_owner_and_by_nobody_else_but_an_admin(
    office: Office,
) -> None:
    with pytest.raises(ApprovalInvalidError, match="only keys of their own"):
        office.takes(office.signed("ada", by="grace", act="remove"))
    office.takes(office.signed("ada", by="ada", act="remove"))
    office.takes(office.signed("edsger", act="remove"))
    assert office.names() == {"grace", "barbara"}


def test_an_admin_who_leaves_the_configuration_takes_along_whom_they_let_in(office: Office) -> None:
    office.takes(office.signed("bob"))
    office.desk.config["admins"] = []
    assert "bob" not in office.names()


def test_a_key_that_an_admin_or_its_owner_took_out_stays_out_when_theirs_leaves_the_configuration(
    office: Office,
) -> None:
    config, spare = office.desk.config, office.key("eve").line
    config["reviewers"]["ada"]["ssh_keys"].append(spare)
    office.settings = office.desk.settings
    said = {"admins": [office.key("admin").fingerprint], "public_keys": bodies.public(office.settings)}
    office.desk.ledger.append(Draft(Kind.CONFIG_LOADED, said), at=NOON)
    office.takes(office.signed("grace", act="remove"))
    office.takes(office.signed("ada", by="ada", with_key="eve", act="remove"))
    left = office.signed("edsger", act="remove")
    config["admins"] = []
    config["reviewers"]["ada"]["ssh_keys"].remove(spare)
    office.desk.ledger.append(Draft(Kind.CONFIG_LOADED, {"admins": [], "public_keys": {}}), at=NOON)
    assert office.names() == {"edsger", "barbara"}
    office.desk.ledger.append(Draft(Kind.CONFIG_LOADED, {"admins": [], "public_keys": {}}), at=NOON)
    forged: Mapping[str, Any] = {"statement": [], "signature": None}
    for late in (left, forged):
        office.desk.ledger.append(Draft(Kind.REVIEWER_REMOVED, late), at=NOON)
    assert office.names() == {"edsger", "barbara"}


def test_a_rule_that_excludes_the_owner_takes_no_yes_of_somebody_whose_e_mail_nobody_knows(office: Office) -> None:
    office.desk.config["approvals"][0]["require"]["never"] = ["requester", "owner"]
    office.settings = office.desk.settings
    entry = office.signed("bob")
    said = {**entry["statement"], "email": None}
    file = office.files["admin"]
    office.takes({"statement": said, "signature": sign(canonical(said), file, passphrase=str, namespace=NAMESPACE)})
    office.desk.ask()
    with pytest.raises(ApprovalInvalidError, match="no e-mail"):
        office.decide("bob")


def weighed(office: Office, *, partly: bool = False, since: int = 0) -> enrolments.Enrolments:
    """What verifying makes of the signatures, with a configuration of which the record knows as well."""
    events = office.desk.ledger.read(since=since)
    return enrolments.weigh(events, bodies.public(office.settings), (office.key("admin").fingerprint,), partly=partly)


@pytest.mark.proves("ledger-enrolments-verified")
def test_verifying_holds_each_enrolment_and_removal_against_the_keys_of_its_time(office: Office) -> None:
    ledger = office.desk.ledger
    said = {"admins": [office.key("admin").fingerprint], "public_keys": bodies.public(office.settings)}
    ledger.append(Draft(Kind.CONFIG_LOADED, said), at=NOON)
    office.takes(office.signed("bob"))
    of_bob = office.signed("eve", by="bob")
    office.takes(office.signed("carol", by="bob"))
    of_carol = office.signed("eve", by="carol")
    office.takes(office.signed("bob", act="remove"))
    office.takes(office.signed("eve", by="grace"))
    whole = weighed(office)
    assert (whole.holding, whole.findings) == (4, [])
    assert [each.by.partition(" (")[0] for each in whole.witnessed] == [
        *("an admin, on bob", "bob, on carol", "an admin, on bob", "grace, on eve"),
    ]
    bad = [office.signed("carol"), of_bob, of_carol, office.signed("bob", by="admin", with_key="eve")]
    bad[0]["statement"] = {**bad[0]["statement"], "groups": ["leads"]}
    forged = [ledger.append(Draft(Kind.REVIEWER_ENROLLED, each), at=NOON)[0].seq for each in bad]
    elsewhere = office.signed("carol", ledger={"size": 10_000, "root": "00"})
    forged.append(ledger.append(Draft(Kind.REVIEWER_ENROLLED, elsewhere), at=NOON)[0].seq)
    found = weighed(office)
    assert [each.seq for each in found.findings] == forged
    assert "saw another ledger" in found.findings[-1].why
    assert all("does not hold" in each.why for each in found.findings[:-1])
    later = weighed(office, partly=True, since=forged[1])
    assert [each.seq for each in later.unchecked] == forged[1:-1]


@pytest.mark.proves("ledger-enrolments-verified")
def test_who_was_let_in_before_a_new_configuration_was_recorded_counts_by_that_one(office: Office) -> None:
    office.takes(office.signed("bob"))  # the record knows of no admin yet
    assert weighed(office).holding == 1
    said = {"admins": [office.key("admin").fingerprint], "public_keys": {}}
    office.desk.ledger.append(Draft(Kind.CONFIG_LOADED, said), at=NOON)
    office.desk.ledger.append(Draft(Kind.CONFIG_LOADED, {"admins": []}), at=NOON)
    assert weighed(office).holding == 1
    office.desk.ledger.append(Draft(Kind.REVIEWER_ENROLLED, office.signed("carol")), at=NOON)
    office.desk.ledger.append(Draft(Kind.CONFIG_LOADED, {"admins": []}), at=NOON)
    assert [each.seq for each in weighed(office).findings] == [4]
