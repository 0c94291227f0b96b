"""Is what was appended there, whole, once, in order and found again?"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mcp_migrate.errors import (
    AlreadyUsedError,
    ConfigInvalidError,
    InvalidArgumentsError,
    LedgerCorruptError,
    LedgerUnavailableError,
)
from mcp_migrate.ledger import Draft, Event, Head, Kind, Ledger, verify
from mcp_migrate.ledger.events import stamp
from mcp_migrate.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash

RECEIVED = Draft(Kind.CALL_RECEIVED, {"tool": "schema_read"}, workflow="shop", call_id="c1")


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


@pytest.mark.parametrize(
    ("query", "index"),
    [("find('plan.frozen', 'p')", "events_by_subject"), ("last('plan.frozen', {}, 1)", "events_by_kind")],
)
def test_look_ups_go_by_an_index(ledger: Ledger, query: str, index: str) -> None:
    from sqlalchemy.dialects import sqlite

    from mcp_migrate.ledger import queries

    name, arguments = query.split("(", 1)
    statement = getattr(queries, name)(*eval(f"({arguments}"))  # noqa: S307 - the text is in this file
    sql = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    plan = str(ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all())
    assert index in plan


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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 0",
        "INSERT INTO events SELECT 5, at, kind, workflow, call_id, subject, body, leaf, root, frontier FROM events",
    ],
)
@pytest.mark.proves("ledger-append-only")
def test_the_file_itself_refuses_changes(ledger: Ledger, now: datetime, statement: str) -> None:
    from sqlalchemy.exc import IntegrityError

    ledger.append(RECEIVED, at=now)
    with pytest.raises(IntegrityError, match="append-only"):
        ledger._connection.exec_driver_sql(statement)


@pytest.mark.proves("ledger-append-only")
def test_no_statement_of_ours_changes_or_removes_an_entry() -> None:
    import mcp_migrate.ledger

    for module in Path(mcp_migrate.ledger.__path__[0]).glob("*.py"):
        source = module.read_text().lower()
        assert "update(" not in source
        assert "update events" not in source
        assert "delete(" not in source
        assert "delete from" not in source


@pytest.mark.proves("ledger-durable")
def test_every_commit_reaches_the_disk(ledger: Ledger) -> None:
    full = 2
    assert ledger._connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == full
    assert ledger._connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_the_ledger_is_made_for_its_owner_alone(ledger: Ledger, path: Path, now: datetime) -> None:
    ledger.append(RECEIVED, at=now)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == dict.fromkeys(["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.head"], 0o600)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost/ledger",
        "sqlite+aiosqlite:///ledger.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///ledger.db?mode=memory&uri=true",
        "ledger.db",
        "",
    ],
)
def test_only_an_sqlite_file_can_be_a_ledger(url: str) -> None:
    with pytest.raises(ConfigInvalidError, match="must be"):
        Ledger.open(url)


def test_a_missing_ledger_is_not_made_to_be_read(url: str, path: Path) -> None:
    with pytest.raises(LedgerUnavailableError, match="no such file"):
        Ledger.open(url, create=False)
    with pytest.raises(LedgerUnavailableError, match="no such file"):
        verify(url)
    assert not path.parent.exists()


@pytest.mark.parametrize("content", [b"", b"Dear diary, " * 500], ids=["empty", "text"])
@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(
    url: str, path: Path, content: bytes, *, create: bool
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerUnavailableError, match=r"not a (ledger|database)"):
        Ledger.open(url, create=create)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {path.name: content}


def test_the_database_of_someone_else_is_refused_and_left_alone(url: str, path: Path) -> None:
    import sqlite3

    path.parent.mkdir()
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE customers (id INTEGER)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(LedgerUnavailableError, match="not a ledger"):
        Ledger.open(url)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {path.name: before}


def test_a_ledger_of_a_later_format_is_refused(url: str, path: Path) -> None:
    import sqlite3

    Ledger.open(url).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version=2")
    raw.close()
    with pytest.raises(LedgerUnavailableError, match="format 2"):
        Ledger.open(url)


def test_a_closed_ledger_is_unavailable(url: str, now: datetime) -> None:
    ledger = Ledger.open(url)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerUnavailableError, match="closed"):
        ledger.append(RECEIVED, at=now)
    with pytest.raises(LedgerUnavailableError, match="closed"):
        ledger.read()


def test_a_ledger_moved_away_while_open_takes_nothing_more(ledger: Ledger, path: Path, now: datetime) -> None:
    ledger.append(RECEIVED, at=now)
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(LedgerUnavailableError):
        ledger.append(RECEIVED, at=now)
    path.write_bytes(b"")
    with pytest.raises(LedgerUnavailableError, match="replaced"):
        ledger.append(RECEIVED, at=now)


def test_a_removed_ledger_is_not_begun_anew_while_its_head_is_there(url: str, path: Path, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
    path.unlink()
    with pytest.raises(LedgerCorruptError, match="had 1 entries"):
        Ledger.open(url)
    assert not path.exists()


def test_two_names_of_one_file_share_one_head(url: str, path: Path, tmp_path: Path, now: datetime) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with Ledger.open(f"sqlite:///{link}") as ledger:
        ledger.append(RECEIVED, at=now)
    assert path.with_name("ledger.db.head").is_file()
    assert verify(url).ok


def test_a_clock_that_was_set_back_changes_neither_order_nor_what_is_proven(
    ledger: Ledger, url: str, now: datetime
) -> None:
    times = [now, now - timedelta(days=400), now + timedelta(days=400), now]
    for at in times:
        ledger.append(RECEIVED, at=at)

    assert [event.at for event in ledger.read()] == [stamp(at) for at in times]
    assert verify(url).ok
