"""Is what a process knows by heart what the ledger says now, whoever wrote it?"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.leave.tempo import Pauses
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.stages.record.unfinished import Open
from tests.ledger.conftest import NOW

BEGUN = {"plan": {}, "target": "a"}
written = st.lists(st.tuples(st.booleans(), st.booleans(), st.lists(st.sampled_from(["start", "end", "call"]))))


def drafts_of(words: Sequence[str], begun: list[str], ended: list[str]) -> Iterator[Draft]:
    """Steps that begin once and may end once, and calls between them."""
    for word in words:
        if word == "start":
            begun.append(f"apply_{len(begun)}")
            yield Draft(Kind.STEP_STARTED, BEGUN, subject=begun[-1])
        elif word == "end" and len(ended) < len(begun):
            ended.append(begun[len(ended)])
            yield Draft(Kind.STEP_FINISHED, {}, subject=ended[-1])
        else:
            yield Draft(Kind.CALL_RECEIVED, {})


@settings(max_examples=15)
@given(written)
@pytest.mark.proves("ledger-shared")
def test_what_is_known_by_heart_is_what_a_query_finds_whoever_wrote(steps: list[tuple[bool, bool, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'ledger.db'}"
        begun: list[str] = []
        ended: list[str] = []
        with Ledger.open(url) as mine, Ledger.open(url) as other:
            for by_me, looks, words in [*steps, (True, True, [])]:
                (mine if by_me else other).append(*drafts_of(words, begun, ended), at=NOW)
                asked = mine.unanswered(Kind.STEP_STARTED, Kind.STEP_FINISHED, where={})
                assert not looks or mine.current(Open).steps == asked
            assert other.current(Open).steps == asked


def test_a_second_kind_of_knowledge_begins_with_what_was_there_before(ledger: Ledger, now: datetime) -> None:
    until = "2026-01-02T04:00:00+00:00"
    ledger.append(Draft(Kind.PRINCIPAL_PAUSED, {"until": until}, subject="agent:one"), at=now)

    assert ledger.current(Open).steps == ()
    assert ledger.current(Pauses).until("agent:one") == datetime.fromisoformat(until)
    assert ledger.current(Pauses).until("agent:two") is None


def test_a_look_that_others_wait_for_is_not_older_than_their_question(ledger: Ledger, now: datetime) -> None:
    ledger.current(Open)
    missed: list[str] = []

    def start(name: str) -> None:
        for n in range(20):
            ledger.append(Draft(Kind.STEP_STARTED, BEGUN, subject=f"{name}{n}"), at=now)
            if f"{name}{n}" not in {event.subject for event in ledger.current(Open).steps}:
                missed.append(f"{name}{n}")

    threads = [threading.Thread(target=start, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert missed == []
