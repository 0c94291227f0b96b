"""Is what is remembered of the ledger what a fresh look would find?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.approvals.known import Known, known
from mcp_migrate.approvals.limits import approved_with, open_requests
from mcp_migrate.errors import ApprovalDeniedError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import Caller, Statement
from tests.approvals.conftest import NOON, PLAN, Desk

LATER = NOON + timedelta(minutes=1)


def ask_of(desk: Desk, table: str) -> Event:
    desk.plan = replace(PLAN, statements=(Statement(1, "c3", f"ALTER TABLE {table} DROP COLUMN c"),))
    desk.objects = (f"public.{table}.c",)
    desk.ask()
    return desk.request()


def open_now(desk: Desk, *, hours: float = 0.1) -> list[str]:
    now = NOON + timedelta(hours=hours)
    return list(open_requests("schema", desk.settings, desk.ledger, now=now))


def test_what_has_ended_is_forgotten_and_what_waits_is_not(desk: Desk) -> None:
    waits, used, withdrawn, denied = (ask_of(desk, name).subject for name in ("a", "b", "c", "d"))
    desk.put(desk.signed("deny"))
    assert open_now(desk) == [waits, used, withdrawn]
    desk.ledger.append(Draft(Kind.APPROVAL_CONSUMED, {}, subject=used), at=LATER)
    desk.ledger.append(Draft(Kind.APPROVAL_WITHDRAWN, {}, "schema", subject=withdrawn), at=LATER)
    assert open_now(desk) == [waits]
    assert list(known(desk.ledger).waiting) == [waits, denied]  # a denial ends with its key, and so is looked at again
    assert open_now(desk, hours=5) == []
    assert list(known(desk.ledger).waiting) == [denied]


def test_a_withdrawal_that_another_workflow_wrote_forgets_nothing(desk: Desk) -> None:
    waits = ask_of(desk, "a").subject
    desk.ledger.append(Draft(Kind.APPROVAL_WITHDRAWN, {}, "other", subject=waits), at=LATER)
    assert open_now(desk) == [waits]


def test_a_denial_counts_for_a_server_that_looked_before_another_one_wrote_it(desk: Desk, tmp_path: Path) -> None:
    ask_of(desk, "a")
    assert not known(desk.ledger).denied_on("shop", desk.ledger)
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as other:
        replace(desk, ledger=other).put(desk.signed("deny"))
    with pytest.raises(ApprovalDeniedError):
        desk.ask(at=LATER)


def test_nothing_is_read_twice_and_a_fresh_look_finds_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        ask_of(desk, f"t{number}")
        if number % 2:
            desk.put(desk.signed("deny"))
    mine, fresh = known(desk.ledger), Known()
    fresh.begin(desk.ledger)
    assert len(open_now(desk)) == 3
    with monkeypatch.context() as nothing_new:
        nothing_new.setattr(desk.ledger, "read", None)
        assert known(desk.ledger) is mine
    for target in ("shop", "clone"):
        assert mine.denied_on(target, desk.ledger) == fresh.denied_on(target, desk.ledger)
    assert mine.maybe_open("schema", now=LATER) == fresh.maybe_open("schema", now=LATER)


@pytest.mark.proves("scope-conditions")
def test_an_approval_is_open_for_its_ticket_target_and_workflow_until_it_is_used_or_over(desk: Desk) -> None:
    def is_open(*, at: datetime = LATER, **changes: Any) -> bool:
        return approved_with(replace(desk.call, **changes), desk.settings, desk.ledger, now=at)

    desk.ask()
    assert not is_open()
    desk.put(desk.signed(begins=LATER))
    assert (is_open(at=NOON), is_open()) == (False, True)
    others = ({"ticket": "T-2"}, {"ticket": None}, {"target": "clone"}, {"caller": Caller("agent:three")})
    assert [is_open(**other) for other in others] == [False] * 4
    assert not is_open(at=NOON + timedelta(days=1))
    desk.ledger.append(Draft(Kind.APPROVAL_CONSUMED, {}, subject=desk.request().subject), at=LATER)
    assert not is_open()
