"""Is it said of a request that too few people could ever approve it, and is that true?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mcp_migrate.approvals.summary import warned
from mcp_migrate.model import Approved, Pending, TooFew
from mcp_migrate.tools.approval_status import request_status
from tests.approvals.conftest import NAMES, NOON, Desk

LATER = NOON + timedelta(minutes=1)


def asks(**require: Any) -> Callable[[Desk], None]:
    return lambda desk: desk.config["approvals"][0]["require"].update(require)


def groups(desk: Desk, group: str, *names: str) -> None:
    for name, reviewer in desk.config["reviewers"].items():
        reviewer["groups"] = [group] if name in names else ["others"]


def one_is_who_asks(desk: Desk) -> None:
    groups(desk, "dba", "grace", "edsger")
    desk.config["people"] = {"grace": ["agent:one"]}


def one_has_a_pin(desk: Desk) -> None:
    desk.config["approvals"][0]["require"]["assurance"] = "verified"
    desk.give_token("grace", "pin", pin=True)


def two_groups(desk: Desk) -> None:
    groups(desk, "leads", "ada")
    desk.config["approvals"].append({"when": {}, "require": {"from": "leads", "count": 1}})


CASES: dict[str, tuple[tuple[Callable[[Desk], None], ...], tuple[TooFew, ...]]] = {
    "four of four": ((asks(count=4),), ()),
    "five of four": ((asks(count=5),), (TooFew("dba", 5, 4),)),
    "the group is small": ((asks(count=2), lambda desk: groups(desk, "dba", "grace")), (TooFew("dba", 2, 1),)),
    "the group is empty": ((lambda desk: groups(desk, "dba"),), (TooFew("dba", 1, 0),)),
    "one of two asks": ((asks(count=2), one_is_who_asks), (TooFew("dba", 2, 1),)),
    "the other of two is enough": ((one_is_who_asks,), ()),
    "the owner is excluded": ((asks(count=4, never=["owner"]),), (TooFew("dba", 4, 3),)),
    "one proves enough": ((one_has_a_pin,), ()),
    "one of two proves enough": ((asks(count=2), one_has_a_pin), (TooFew("dba", 2, 1),)),
    "another group is empty": ((two_groups,), (TooFew("dba", 1, 0),)),
}


@pytest.mark.proves("approval-out-of-reach")
@pytest.mark.parametrize("name", CASES)
def test_too_few_is_said_where_the_signatures_of_everybody_are_not_enough_and_nowhere_else(
    desk: Desk, name: str
) -> None:
    changes, too_few = CASES[name]
    for change in changes:
        change(desk)
    asked = desk.ask()
    assert isinstance(asked, Pending)
    assert asked.too_few == too_few
    assert desk.request().body.get("too_few", []) == [each.told() for each in too_few]
    for who in NAMES:
        desk.put(desk.signed(by=who, key="pin" if who == "grace" and "pin" in desk.tokens else None))
    assert desk.runs() is not bool(too_few)


@pytest.mark.proves("approval-out-of-reach")
def test_who_said_no_is_not_waited_for_where_others_may_outvote_them(desk: Desk) -> None:
    desk.config["approvals"][0]["require"].update(count=3, deny="quorum")
    desk.ask()
    status = request_status(desk.request(), desk.ledger, desk.settings, now=LATER)
    assert "too_few" not in status
    for who in ("grace", "ada"):
        desk.put(desk.signed("deny", by=who))
    status = request_status(desk.request(), desk.ledger, desk.settings, now=LATER)
    assert (status["too_few"], status["next"]["action"]) == ([{"group": "dba", "asked": 3, "able": 2}], "ask_admin")
    assert "3 people in dba are asked for, and 2 could approve it" in status["next"]["hint"]
    assert warned(desk.request().body, status)[0][0] == "TOO FEW"
    again = desk.ask(at=LATER)
    assert isinstance(again, Pending)
    assert ([each.able for each in again.too_few], again.fresh) == ([2], False), "to ask anew gets nobody past a no"


@pytest.mark.proves("approval-out-of-reach")
def test_once_more_people_are_let_in_the_same_call_asks_anew_and_they_can_approve_it(desk: Desk) -> None:
    groups(desk, "dba")
    first = desk.ask()
    desk.config["reviewers"]["grace"]["groups"] = ["dba"]
    del desk.config["reviewers"]["edsger"]
    same = desk.ask(at=LATER)
    desk.config["reviewers"]["grace"]["ssh_keys"] = [desk.keys["edsger"][1].line]
    newer = desk.ask(at=LATER)
    assert isinstance(first, Pending)
    assert isinstance(same, Pending)
    assert isinstance(newer, Pending)
    assert (same.request_id, same.too_few) == (first.request_id, ()), "her key was there when it was asked"
    assert (newer.request_id != first.request_id, newer.too_few) == (True, ()), "this one came later"
    desk.put(desk.signed(by="grace", key="edsger"))
    assert isinstance(desk.ask(at=LATER), Approved)
