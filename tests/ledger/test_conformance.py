"""Does every kind of database keep a ledger in the same way? One suite, run against each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.errors import AlreadyUsedError, InvalidArgumentsError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Event, Head, Kind, Ledger, verify
from mcp_migrate.ledger.events import stamp
from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from mcp_migrate.ledger.proofs import verify_inclusion
from tests.ledger.conftest import Place

RECEIVED = Draft(Kind.CALL_RECEIVED, {"tool": "schema_read"}, workflow="shop", call_id="c1")


@pytest.fixture
def url(place: Place) -> str:
    return place.url


def consumed(subject: str) -> Draft:
    return Draft(Kind.APPROVAL_CONSUMED, {"apply_id": "a1"}, workflow="shop", call_id="c1", subject=subject)


def test_an_appended_event_is_read_back_as_it_was_returned(ledger: Ledger, now: datetime) -> None:
    (event,) = ledger.append(RECEIVED, at=now)
    leaf = leaf_hash(event.canonical())
    assert event == Event(
        seq=0,
        at="2026-01-02T03:04:05.000000+00:00",
        kind="call.received",
        body={"tool": "schema_read"},
        workflow="shop",
        call_id="c1",
        subject=None,
        leaf=leaf,
        root=Frontier().append(leaf).root,
    )
    assert ledger.read() == (event,)


def test_the_head_follows_every_append(ledger: Ledger, now: datetime) -> None:
    assert ledger.head() == Head(0, EMPTY_ROOT.hex())
    events = ledger.append(RECEIVED, RECEIVED, RECEIVED, at=now)
    assert [event.seq for event in events] == [0, 1, 2]
    assert ledger.head() == Head(3, events[-1].root.hex())


def test_events_outlive_the_server(url: str, now: datetime) -> None:
    with Ledger.open(url) as first:
        events = first.append(RECEIVED, RECEIVED, at=now)
    with Ledger.open(url, create=False) as second:
        assert second.read() == events
        (third,) = second.append(RECEIVED, at=now)
        assert second.head() == Head(3, third.root.hex())
    assert verify(url).ok


def test_nothing_to_append_is_nothing_appended(ledger: Ledger, now: datetime) -> None:
    assert ledger.append(at=now) == ()
    assert ledger.head().size == 0


def test_events_are_found_by_kind_and_subject(ledger: Ledger, now: datetime) -> None:
    plan, other = (Draft(Kind.PLAN_FROZEN, {}, subject=name) for name in ("plan_1", "plan_2"))
    request = Draft(Kind.APPROVAL_REQUESTED, {}, subject="plan_1")
    events = ledger.append(plan, other, request, plan, at=now)
    assert ledger.find(Kind.PLAN_FROZEN, "plan_1") == (events[0], events[3])
    assert ledger.find(Kind.PLAN_FROZEN, "plan_3") == ()


def test_reading_narrows_by_start_kind_workflow_and_limit(ledger: Ledger, now: datetime) -> None:
    elsewhere = Draft(Kind.CALL_RECEIVED, {}, workflow="crm")
    finished = Draft(Kind.CALL_FINISHED, {}, workflow="shop")
    events = ledger.append(RECEIVED, finished, elsewhere, RECEIVED, at=now)
    assert ledger.read(since=2) == events[2:]
    assert ledger.read(kind=Kind.CALL_RECEIVED) == (events[0], *events[2:])
    assert ledger.read(workflow="shop", limit=2) == events[:2]
    assert ledger.read(since=1, kind=Kind.CALL_RECEIVED, workflow="shop") == (events[3],)


def test_the_last_events_come_newest_first(ledger: Ledger, now: datetime) -> None:
    steps = [Draft(Kind.STEP_FINISHED, {"target": name, "n": n}) for n, name in enumerate("aabab")]
    events = ledger.append(*steps, RECEIVED, at=now)
    assert ledger.last(Kind.STEP_FINISHED) == (events[4],)
    assert ledger.last(Kind.STEP_FINISHED, limit=9, where={"target": "a"}) == (
        events[3],
        events[1],
        events[0],
    )
    assert ledger.last(Kind.STEP_FINISHED, where={"tar\"get'": "a"}) == ()


@pytest.mark.proves("interface-approval-used", "approval-one-use")
def test_an_approval_is_consumed_once_and_the_second_append_leaves_nothing(ledger: Ledger, now: datetime) -> None:
    first = ledger.append(consumed("req_1"), at=now)
    start = Draft(Kind.STEP_STARTED, {}, subject="apply_2")
    with pytest.raises(AlreadyUsedError) as caught:
        ledger.append(consumed("req_2"), consumed("req_1"), start, at=now)
    assert caught.value.details["approvals"] == ["req_2", "req_1"]
    assert ledger.read() == first
    assert ledger.append(consumed("req_2"), start, at=now)[0].seq == 1


def test_an_approval_is_not_consumed_twice_in_one_append(ledger: Ledger, now: datetime) -> None:
    with pytest.raises(AlreadyUsedError):
        ledger.append(consumed("req_1"), consumed("req_1"), at=now)
    assert ledger.head().size == 0


def test_a_refused_body_keeps_the_others_out_too(ledger: Ledger, now: datetime) -> None:
    with pytest.raises(InvalidArgumentsError):
        ledger.append(RECEIVED, Draft(Kind.CALL_RECEIVED, {"x": float("nan")}), at=now)
    assert ledger.head().size == 0


def test_threads_append_without_a_gap(ledger: Ledger, url: str, now: datetime) -> None:
    def work() -> None:
        for _ in range(25):
            ledger.append(RECEIVED, at=now)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in ledger.read(limit=1000)] == list(range(100))
    assert verify(url).ok


def test_a_closed_ledger_is_unavailable(url: str, now: datetime) -> None:
    ledger = Ledger.open(url)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerUnavailableError, match="closed"):
        ledger.append(RECEIVED, at=now)
    with pytest.raises(LedgerUnavailableError, match="closed"):
        ledger.read()


def test_a_clock_that_was_set_back_changes_neither_order_nor_what_is_proven(
    ledger: Ledger, url: str, now: datetime
) -> None:
    times = [now, now - timedelta(days=400), now + timedelta(days=400), now]
    for at in times:
        ledger.append(RECEIVED, at=at)

    assert [event.at for event in ledger.read()] == [stamp(at) for at in times]
    assert verify(url).ok


def test_entries_of_many_questions_are_found_by_what_their_bodies_say(ledger: Ledger, now: datetime) -> None:
    asked = [Draft(Kind.APPROVAL_REQUESTED, {"who": {"name": n}, "target": "a"}, subject=n) for n in "xyz"]
    events = ledger.append(*asked, Draft(Kind.APPROVAL_DECIDED, {}, subject="y"), at=now)
    assert ledger.last(Kind.APPROVAL_REQUESTED, where={("who", "name"): "z"}) == (events[2],)
    found = ledger.unanswered(Kind.APPROVAL_REQUESTED, Kind.APPROVAL_DECIDED, where={"target": "a"})
    assert found == (events[0], events[2])


@pytest.mark.parametrize("text", ["\0", "\\u0000", "é\U0001f600", '\u2028"\\', "' OR 1=1 --"])
def test_no_text_in_a_body_keeps_others_from_being_found(ledger: Ledger, now: datetime, text: str) -> None:
    strange, plain = ledger.append(
        Draft(Kind.CALL_RECEIVED, {"intent": text, text: 1, "target": "a"}),
        Draft(Kind.CALL_RECEIVED, {"target": "a"}),
        at=now,
    )
    assert ledger.last(Kind.CALL_RECEIVED, where={"target": "a"}, limit=9) == (plain, strange)
    assert strange.body["intent"] == text


@pytest.mark.parametrize("part", ["subject", "workflow", "call_id"])
def test_a_name_with_a_nul_is_refused(ledger: Ledger, now: datetime, part: str) -> None:
    names: dict[str, Any] = {part: "a\0b"}
    with pytest.raises(InvalidArgumentsError, match="NUL"):
        ledger.append(Draft(Kind.CALL_RECEIVED, {}, **names), at=now)
    assert ledger.head().size == 0


def test_proofs_are_made_from_what_is_kept_beside_entries(ledger: Ledger, now: datetime) -> None:
    events = ledger.append(*[RECEIVED] * 11, at=now)
    root = bytes.fromhex(ledger.root_at(9))
    assert verify_inclusion(events[4].leaf, 4, 9, ledger.prove_inclusion(4, 9), root)
    with pytest.raises(InvalidArgumentsError):
        ledger.prove_consistency(3, 12)


@pytest.mark.proves("ledger-shared")
def test_each_of_two_servers_finds_what_the_other_wrote(ledger: Ledger, url: str, now: datetime) -> None:
    with Ledger.open(url) as other:
        first = ledger.append(consumed("req_1"), at=now)
        assert other.find(Kind.APPROVAL_CONSUMED, "req_1") == first
        with pytest.raises(AlreadyUsedError):
            other.append(consumed("req_1"), at=now)
        other.append(RECEIVED, at=now)
        assert ledger.head() == other.head()
        assert ledger.append(RECEIVED, at=now)[0].seq == 2


ALTERATIONS: dict[str, tuple[tuple[str, ...], int]] = {
    "a body": (("UPDATE {events} SET body = '{\"n\":40}' WHERE seq = 4",), 4),
    "a time": (("UPDATE {events} SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 4",), 4),
    "a subject": (("UPDATE {events} SET subject = NULL WHERE seq = 4",), 4),
    "a root": (("UPDATE {events} SET root = leaf WHERE seq = 4",), 4),
    "a frontier": (("UPDATE {events} SET frontier = leaf WHERE seq = 6",), 6),
    "deleted": (("DELETE FROM {events} WHERE seq = 4",), 4),
    "moved": (
        (
            "UPDATE {events} SET seq = 99 WHERE seq = 4",
            "UPDATE {events} SET seq = 4 WHERE seq = 6",
            "UPDATE {events} SET seq = 6 WHERE seq = 99",
        ),
        4,
    ),
    "a cut end": (("DELETE FROM {events} WHERE seq >= 7",), 7),
    "everything": (("DELETE FROM {events}",), 0),
}


@pytest.mark.parametrize("name", ALTERATIONS)
@pytest.mark.proves("ledger-postgresql-tampering")
def test_what_the_owner_of_the_database_changes_is_found_and_named(place: Place, now: datetime, name: str) -> None:
    (statements, first), heads = ALTERATIONS[name], []
    with Ledger.open(place.url) as ledger:
        for n in range(10):
            ledger.append(Draft(Kind.PLAN_FROZEN, {"n": n}, workflow="shop", subject=f"plan_{n}"), at=now)
            heads.append(ledger.head())
    assert verify(place.url, trusted=heads).ok
    place.tamper(*statements)
    found = verify(place.url, trusted=heads)
    assert min(finding.seq for finding in found.findings if finding.seq is not None) == first
    assert found.head.size == first


def test_nothing_is_built_on_a_log_whose_end_was_cut_meanwhile(place: Place, ledger: Ledger, now: datetime) -> None:
    ledger.append(*[RECEIVED] * 5, at=now)
    place.tamper("DELETE FROM {events} WHERE seq >= 3")
    with pytest.raises(LedgerCorruptError, match="has 3 entries and had 5"):
        ledger.append(RECEIVED, at=now)


_DRAFTS = st.lists(
    st.builds(
        Draft,
        st.sampled_from([Kind.CALL_RECEIVED, Kind.PLAN_FROZEN, Kind.APPROVAL_CONSUMED]),
        st.fixed_dictionaries({"n": st.text(max_size=3), "target": st.sampled_from("ab")}),
        st.sampled_from([None, "shop", "crm"]),
        st.none(),
        st.sampled_from(["p", "q", "r"]),
    ),
    max_size=3,
)


@given(history=st.lists(st.tuples(_DRAFTS, st.booleans()), max_size=8))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.proves("ledger-shared")
def test_any_history_is_what_a_list_would_hold(
    place_of: Callable[[], Place], history: list[tuple[list[Draft], bool]], now: datetime
) -> None:
    place = place_of()
    kept, used = list[Event](), set[str | None]()
    with Ledger.open(place.url) as one, Ledger.open(place.url) as two:
        for drafts, first in history:
            mine = [draft.subject for draft in drafts if draft.kind == Kind.APPROVAL_CONSUMED]
            if used & {*mine} or len({*mine}) < len(mine):
                with pytest.raises(AlreadyUsedError):
                    (one if first else two).append(*drafts, at=now)
                continue
            kept += (one if first else two).append(*drafts, at=now)
            used |= {*mine}
        assert [event.seq for event in kept] == list(range(len(kept)))
        for ledger in (one, two):
            assert ledger.read(limit=1000) == tuple(kept)
            assert ledger.read(workflow="shop") == tuple(event for event in kept if event.workflow == "shop")
            at_a = [event for event in kept if event.kind == Kind.PLAN_FROZEN and event.body["target"] == "a"]
            assert ledger.last(Kind.PLAN_FROZEN, limit=99, where={"target": "a"}) == tuple(reversed(at_a))
        assert verify(place.url, trusted=[one.head()]).ok
