"""Does a freeze hold until an admin lifts it, and does what cannot be asked count as one?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.errors import ApprovalInvalidError, InvalidArgumentsError, UnknownTargetError
from mcp_migrate.leave.freezing import NAMESPACE, all_frozen, freeze, frozen, standing, statement, thaw
from mcp_migrate.leave.signals import opened
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.model import canonical
from mcp_migrate.signers.sign import sign
from tests.approvals.conftest import NOON, Desk

pytestmark = pytest.mark.proves("freeze-holds")
ADMIN = "edsger"


def freeze_(desk: Desk, what: str = "shop") -> int:
    return freeze(what, "an incident", "root", desk.settings, desk.ledger, now=NOON)


def entry(desk: Desk, what: str = "shop", *, by: str | None = None, **more: Any) -> Mapping[str, Any]:
    found = standing(what, desk.settings, desk.ledger)
    assert found
    key = desk.keys[by] if by else None
    fingerprint = key[1].fingerprint if key else None
    said = {**statement(found, "over", by="root", at=NOON, nonce=secrets.token_hex(16)), "key": fingerprint, **more}
    signature = sign(canonical(said), key[0], passphrase=str, namespace=NAMESPACE) if key else None
    return {"statement": said, "signature": signature}


def is_frozen(desk: Desk, target: str = "shop") -> bool:
    return frozen(target, desk.settings, desk.ledger) is not None


def test_a_target_or_everything_is_frozen_until_it_is_let_go_on(desk: Desk) -> None:
    freeze_(desk)
    assert (is_frozen(desk), is_frozen(desk, "clone")) == (True, False)
    thaw(entry(desk), desk.settings, desk.ledger, now=NOON)
    assert not is_frozen(desk)
    freeze_(desk, "*")
    assert is_frozen(desk, "clone")
    thaw(entry(desk, "*"), desk.settings, desk.ledger, now=NOON)
    assert not is_frozen(desk, "clone")


def test_with_admins_only_one_of_them_lets_a_target_go_on(desk: Desk) -> None:
    desk.config["admins"] = [desk.keys[ADMIN][1].line]
    freeze_(desk)
    for nobody in (entry(desk), entry(desk, by="stranger"), {**entry(desk, by=ADMIN), "signature": "none"}):
        with pytest.raises(ApprovalInvalidError):
            thaw(nobody, desk.settings, desk.ledger, now=NOON)
        desk.ledger.append(Draft(Kind.TARGET_THAWED, nobody, subject="shop"), at=NOON)
        assert is_frozen(desk), "and writing it into the ledger by hand changes nothing"
    thaw(entry(desk, by=ADMIN), desk.settings, desk.ledger, now=NOON)
    assert not is_frozen(desk)


def test_what_lifted_one_freeze_lifts_no_other(desk: Desk) -> None:
    freeze_(desk)
    old = entry(desk)
    thaw(old, desk.settings, desk.ledger, now=NOON)
    freeze_(desk)
    with pytest.raises(InvalidArgumentsError, match="No such freeze"):
        thaw(old, desk.settings, desk.ledger, now=NOON)
    desk.ledger.append(Draft(Kind.TARGET_THAWED, old, subject="shop"), at=NOON)
    assert is_frozen(desk)


def test_each_freeze_stands_until_a_thaw_names_it(desk: Desk) -> None:
    desk.config["admins"] = [desk.keys[ADMIN][1].line]
    entries = [freeze_(desk), freeze_(desk), freeze_(desk, "*")]
    told = [each.seq for each in all_frozen("shop", desk.settings, desk.ledger)]
    assert told == [entries[1], entries[0], entries[2]]
    newest = standing("shop", desk.settings, desk.ledger)[0]
    one: dict[str, Any] = {"lifts": [{"entry": newest.seq, "frozen_at": newest.since}]}
    thaw(entry(desk, by=ADMIN, **one), desk.settings, desk.ledger, now=NOON)
    assert [each.seq for each in all_frozen("shop", desk.settings, desk.ledger)] == [entries[0], entries[2]]
    desk.config["admins"] = [desk.keys["grace"][1].line]
    assert len(standing("shop", desk.settings, desk.ledger)) == 2, "what an admin lifted who is none any more"
    thaw(entry(desk, by="grace"), desk.settings, desk.ledger, now=NOON)
    assert [each.seq for each in all_frozen("shop", desk.settings, desk.ledger)] == [entries[2]]


@pytest.mark.parametrize("lifts", [None, 0, [0], [{"entry": [0]}], {"entry": 0}])
def test_what_is_written_into_the_ledger_by_hand_in_any_form_lifts_nothing(desk: Desk, lifts: Any) -> None:
    freeze_(desk)
    for form in ("mcp-migrate/thaw/1", "mcp-migrate/thaw/2", None):
        said = {"format": form, "target": "shop", "lifts": lifts, "frozen_at": None}
        desk.ledger.append(Draft(Kind.TARGET_THAWED, {"statement": said}, subject="shop"), at=NOON)
    assert is_frozen(desk)


def test_a_thaw_of_before_lifts_the_one_that_it_names(desk: Desk) -> None:
    freeze_(desk)
    [found] = standing("shop", desk.settings, desk.ledger)
    old: dict[str, Any] = {"format": "mcp-migrate/thaw/1", "lifts": found.seq, "frozen_at": found.since}
    thaw(entry(desk, **old), desk.settings, desk.ledger, now=NOON)
    assert not is_frozen(desk)


def test_what_is_not_there_is_neither_frozen_nor_let_go_on(desk: Desk) -> None:
    with pytest.raises(UnknownTargetError):
        freeze_(desk, "shopp")
    freeze_(desk)
    lifted = entry(desk)
    thaw(lifted, desk.settings, desk.ledger, now=NOON)
    with pytest.raises(InvalidArgumentsError):
        thaw(lifted, desk.settings, desk.ledger, now=NOON)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", None),
        ("fine\n", None),
        ("freezer is broken", None),
        ("freeze\n", "it says so"),
        ("FREEZE: release night\n", "release night"),
    ],
)
def test_a_file_may_say_that_its_targets_are_frozen(desk: Desk, tmp_path: Path, said: str, why: str | None) -> None:
    file = tmp_path / "signal"
    file.write_text(said)
    desk.config["freezes"] = [{"file": str(file), "targets": ["sh*"]}]
    found = frozen("shop", desk.settings, desk.ledger)
    assert (found.reason if found else None) == why
    assert not is_frozen(desk, "clone")


def test_a_file_that_is_not_there_says_nothing_and_what_cannot_be_asked_freezes(desk: Desk, tmp_path: Path) -> None:
    desk.config["freezes"] = [{"file": str(tmp_path / "none")}]
    assert not is_frozen(desk)
    for unanswered in ({"file": str(tmp_path)}, {"url": "http://127.0.0.1:9/freeze"}):
        desk.config["freezes"] = [unanswered]
        found = frozen("shop", desk.settings, desk.ledger)
        assert found is not None
        assert "cannot be asked" in found.reason


@pytest.mark.proves("scope-conditions")
def test_a_scope_is_open_while_the_file_of_the_calls_ticket_says_so(desk: Desk, tmp_path: Path) -> None:
    while_ = {"while": {"file": str(tmp_path / "{ticket}")}}
    desk.config["workflows"]["schema"]["scopes"] = [{"tools": ["*"], "targets": ["*"], **while_}]
    (tmp_path / "T-1").write_text("open: since monday")
    (tmp_path / "T-2").write_text("closed")
    (tmp_path / "outside").mkdir()
    for ticket, holds in (
        ("T-1", {0}),
        ("T-2", set()),
        ("T-3", set()),
        (None, set()),
        ("..", set()),
        ("outside", set()),
    ):
        asked = replace(desk.call, ticket=ticket)
        assert opened(asked, desk.settings, scope_name="migration_apply") == holds, ticket
    desk.config["workflows"]["schema"]["scopes"][0]["while"] = {"file": str(tmp_path / "outside" / "{ticket}" / "T-1")}
    for ticket in ("..", "."):
        asked = replace(desk.call, ticket=ticket)
        assert not opened(asked, desk.settings, scope_name="migration_apply"), ticket
