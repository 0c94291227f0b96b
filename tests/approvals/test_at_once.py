"""Do decisions hold when people decide at the same instant, when the ledger is busy, and over a restart?"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.approvals.deciding import decide
from mcp_migrate.approvals.limits import open_requests
from mcp_migrate.approvals.standing import standing
from mcp_migrate.errors import TooManyRequestsError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.model import Approved, Pending, Statement
from mcp_migrate.stages.approve import approve, keep_room, request_body
from mcp_migrate.stages.record import Recorder
from tests.approvals.conftest import NOON, PLAN, Desk

pytestmark = pytest.mark.proves("approval-digest")
LATER = NOON + timedelta(minutes=1)


def together(desk: Desk, path: Path, *decisions: Mapping[str, Any]) -> list[str]:
    """Each decision through a ledger of its own, as by a process of its own, all at one moment; what came of each."""
    gate = threading.Barrier(len(decisions))

    def one(decision: Mapping[str, Any]) -> str:
        with Ledger.open(f"sqlite:///{path}") as own:
            gate.wait()
            decide(decision, desk.request(), desk.settings, own, now=LATER)
        return "held"

    with ThreadPoolExecutor(len(decisions)) as pool:
        return [str(done.exception() or done.result()) for done in [pool.submit(one, each) for each in decisions]]


def test_two_who_approve_at_the_same_instant_are_two(desk: Desk, tmp_path: Path) -> None:
    desk.config["approvals"][0]["require"]["count"] = 2
    desk.ask()
    assert together(desk, tmp_path / "ledger.db", desk.signed(by="grace"), desk.signed(by="ada")) == ["held"] * 2
    assert desk.runs()


def test_a_no_at_the_same_instant_as_a_yes_ends_it(desk: Desk, tmp_path: Path) -> None:
    desk.ask()
    together(desk, tmp_path / "ledger.db", desk.signed(by="grace"), desk.signed("deny", by="ada", reason="no"))
    denied = [e for e in desk.ledger.read(kind=Kind.APPROVAL_DECIDED) if e.body["statement"]["decision"] == "deny"]
    assert denied
    assert standing(desk.request(), desk.ledger, desk.settings).status(LATER) == "denied"


def test_one_decision_sent_twice_at_once_is_one_and_is_used_once(desk: Desk, tmp_path: Path) -> None:
    desk.config["approvals"][0]["require"]["count"] = 2
    desk.ask()
    said = desk.signed(by="grace")
    together(desk, tmp_path / "ledger.db", said, said, said)
    assert not desk.runs()
    decide(desk.signed(by="ada"), desk.request(), desk.settings, desk.ledger, now=LATER)
    done = desk.ask(at=LATER)
    assert isinstance(done, Approved)
    Recorder(desk.ledger, desk.settings.workflows).started(done, apply_id="apply_1", at=LATER)
    assert len(desk.ledger.read(kind=Kind.APPROVAL_CONSUMED)) == len({done.request_id, *done.nonces})


@pytest.mark.proves("limits-hold")
def test_of_questions_that_are_asked_at_once_as_many_stay_as_there_is_room_for(desk: Desk) -> None:
    desk.config["workflows"]["schema"]["limits"] = {"open_requests": 2}
    asked: list[Pending] = []
    for table in ("a", "b", "c"):  # each server found room before any of them had asked
        desk.plan = replace(PLAN, statements=(Statement(1, "c3", f"ALTER TABLE {table} DROP COLUMN c"),))
        found = approve(desk.permitted, desk.settings, desk.ledger, now=NOON)
        assert isinstance(found, Pending)
        asked.append(found)
    recorder = Recorder(desk.ledger, desk.settings.workflows)
    for each in asked:
        recorder.asked(each, request_body(each))
    for each in asked[:2]:
        keep_room(each, desk.settings, desk.ledger)
    with pytest.raises(TooManyRequestsError):
        keep_room(asked[2], desk.settings, desk.ledger)
    recorder.one_too_many(asked[2])
    assert list(open_requests("schema", desk.settings, desk.ledger, now=LATER)) == [e.request_id for e in asked[:2]]


def test_a_decision_waits_for_a_ledger_that_is_busy_and_holds_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    desk.ask()
    said, path = desk.signed(by="grace"), tmp_path / "ledger.db"
    desk.ledger.close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.rollback)
    release.start()
    desk.ledger = Ledger.open(f"sqlite:///{path}")
    decide(said, desk.request(), desk.settings, desk.ledger, now=LATER)
    release.join()
    other.close()
    assert desk.runs()
