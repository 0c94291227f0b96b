"""Does a ledger on a server hold against its roles, its connections and its failovers?"""

# ruff: noqa: S608 - what is sent here stands in this file
from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import ConfigInvalidError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Kind, Ledger, verify
from mcp_migrate.ledger.postgresql.place import grants_sql, locate, schema_sql
from mcp_migrate.ledger.postgresql.storage import PostgresqlStorage
from mcp_migrate.ledger.scan import COLUMNS
from tests.ledger.conftest import Place, in_a_schema

RECEIVED = Draft(Kind.CALL_RECEIVED, {"tool": "schema_read"}, workflow="shop", call_id="c1")


@pytest.fixture
def place(ledgers_url: str) -> Place:
    return in_a_schema(ledgers_url)


@pytest.fixture
def url(place: Place) -> str:
    return place.url


@pytest.fixture
def table(url: str) -> str:
    return f"{locate(url).schema}.events"


@pytest.fixture
def login(ledgers_url: str, url: str) -> Iterator[str]:
    """The ledger's URL for a login that an administrator let in as the documentation says."""
    role, schema = f"server_{uuid.uuid4().hex[:12]}", locate(url).schema
    with connect(ledgers_url) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN".encode())
        admin.execute(f"ALTER ROLE {role} SET synchronous_commit = off".encode())
        admin.execute((schema_sql(schema) + grants_sql(schema, role)).encode())
        yield url.replace("//postgres:@", f"//{role}@")
        admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def end_sessions(url: str) -> None:
    with connect(url.partition("&schema=")[0]) as admin:
        admin.execute(
            b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            b" WHERE application_name = 'mcp-migrate ledger' AND datname = current_database()"
        )


def storage_of(ledger: Ledger) -> PostgresqlStorage:
    assert isinstance(ledger._storage, PostgresqlStorage)
    return ledger._storage


def beside(ledger: Ledger) -> PostgresqlStorage:
    assert isinstance(ledger._beside, PostgresqlStorage)
    return ledger._beside


@pytest.mark.proves("ledger-postgresql-role", "ledger-append-only")
def test_the_login_of_a_server_appends_and_reads_and_can_do_nothing_else(login: str, now: datetime) -> None:
    with Ledger.open(login) as ledger:
        ledger.append(RECEIVED, at=now)
        assert ledger.left_open() == ("the ledger's server has fsync = off: what it recorded need not outlive it",)
        raw = storage_of(ledger)._raw()
        table = f"{locate(login).schema}.events"
        for statement in (
            f"UPDATE {table} SET body = '{{}}'",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"DROP TABLE {table}",
        ):
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                raw.execute(statement.encode())
    assert verify(login).ok


@pytest.mark.proves("ledger-append-only")
def test_the_triggers_refuse_the_owner_too_also_as_a_replica(url: str, table: str, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
        assert ledger.left_open()[0] == "the ledger's role is a superuser"
    with connect(url.partition("&schema=")[0]) as owner:
        owner.execute(b"SET session_replication_role = replica")
        for statement in (
            f"UPDATE {table} SET body = '{{}}'",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"INSERT INTO {table} SELECT 5, {', '.join(COLUMNS[1:])} FROM {table}",
        ):
            with pytest.raises(Exception, match="append-only"):
                owner.execute(statement.encode())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DROP TRIGGER events_no_change ON {}", "trigger events_no_change is missing"),
        ("ALTER TABLE {} DISABLE TRIGGER events_only_at_the_end", "trigger events_only_at_the_end is changed"),
        ("ALTER TABLE {} SET UNLOGGED", "relation events is changed"),
        ("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", "relation events is changed"),
        ("CREATE TABLE {}_2 () INHERITS ({})", "child events_2 is not ours"),
        ("CREATE RULE hide AS ON INSERT TO {} DO INSTEAD NOTHING", "rule hide is not ours"),
    ],
)
@pytest.mark.proves("ledger-postgresql-tampering")
def test_a_schema_that_was_weakened_is_found_and_nothing_is_appended(
    url: str, table: str, change: str, why: str
) -> None:
    Ledger.open(url).close()
    with connect(url.partition("&schema=")[0]) as owner:
        owner.execute(change.replace("{}", table).encode())
    with pytest.raises(LedgerCorruptError, match=why):
        Ledger.open(url)
    assert any(why in finding.why for finding in verify(url).findings)


@pytest.mark.proves("ledger-durable")
def test_a_commit_waits_for_the_servers_disk_whatever_its_role_says(login: str) -> None:
    with Ledger.open(login) as ledger, storage_of(ledger).writing():
        assert storage_of(ledger)._raw().execute(b"SHOW synchronous_commit").fetchone() == ("on",)


@pytest.mark.proves("ledger-postgresql-lost")
def test_a_lost_connection_is_made_again_and_what_was_being_written_is_told(url: str, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
        end_sessions(url)
        assert len(ledger.read()) == 1
        end_sessions(url)
        assert ledger.append(RECEIVED, at=now)[0].seq == 1
        with pytest.raises(LedgerUnavailableError, match="cannot be used"), storage_of(ledger).writing():  # noqa: PT012  it is lost within
            end_sessions(url)
            storage_of(ledger).tail()
        assert ledger.append(RECEIVED, at=now)[0].seq == 2
        with pytest.raises(LedgerUnavailableError, match="nobody knows whether"), storage_of(ledger).writing():
            end_sessions(url)
        assert ledger.append(RECEIVED, at=now)[0].seq == 3
    assert verify(url).ok


@pytest.mark.proves("ledger-failover")
def test_what_is_looked_up_waits_for_no_writer_and_comes_from_where_it_writes(url: str, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        events = ledger.append(RECEIVED, at=now)
        with ledger._lock, storage_of(ledger).writing():
            assert ledger.read() == events
        writes, looks = (each._raw().info.backend_pid for each in (storage_of(ledger), beside(ledger)))
        with connect(url.partition("&schema=")[0]) as owner:
            owner.execute(f"SELECT pg_terminate_backend({writes})".encode())
        events += ledger.append(RECEIVED, at=now)
        assert ledger.read() == events
        assert beside(ledger)._raw().info.backend_pid != looks


def test_a_ledger_that_another_server_keeps_locked_is_unavailable_and_then_goes_on(
    url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_migrate.ledger.postgresql.storage._BEGIN", _impatient())
    with Ledger.open(url) as one, Ledger.open(url) as two:
        with storage_of(two).writing(), pytest.raises(LedgerUnavailableError, match="lock timeout"):
            one.append(RECEIVED, at=now)
        assert one.append(RECEIVED, at=now)[0].seq == 0


def _impatient() -> str:
    from mcp_migrate.ledger.postgresql import storage

    return storage._BEGIN.replace("10s", "50ms")


@pytest.mark.proves("ledger-failover", "ledger-truncated-tail")
def test_a_failover_to_a_stale_replica_is_noticed_by_a_server_that_was_there_before(
    place: Place, tmp_path: Path, now: datetime
) -> None:
    remember = tmp_path / "state" / "head"
    with Ledger.open(place.url, remember=remember) as ledger:
        ledger.append(*[RECEIVED] * 5, at=now)
    place.tamper("DELETE FROM {events} WHERE seq >= 3")
    assert verify(place.url).ok  # nothing that lies there can tell, and the note says so
    assert "remembers no head" in verify(place.url).notes[0]
    (finding,) = verify(place.url, remember=remember).findings
    assert finding.why == "The log ends after 3 entries, and this machine knows 5: its end was cut."
    with Ledger.open(place.url, remember=remember) as ledger, pytest.raises(LedgerCorruptError, match="had 5"):
        ledger.append(RECEIVED, at=now)
    with Ledger.open(place.url) as fresh:
        fresh.append(*[Draft(Kind.CALL_FINISHED, {})] * 4, at=now)
    with Ledger.open(place.url, remember=remember) as ledger, pytest.raises(LedgerCorruptError, match="this server"):
        ledger.append(RECEIVED, at=now)
    remember.unlink()
    with Ledger.open(place.url, remember=remember) as ledger:
        remember.unlink()
        with pytest.raises(LedgerCorruptError, match="is gone"):
            ledger.append(RECEIVED, at=now)


def test_a_server_that_may_not_remember_the_head_says_which_folder_it_needs(place: Place, tmp_path: Path) -> None:
    (tmp_path / "etc").touch()
    with pytest.raises(LedgerUnavailableError, match=r"etc/state.*Make that folder"):
        Ledger.open(place.url, remember=tmp_path / "etc" / "state" / "head")


def _work(url: str, events: int, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        for n in range(events):
            ledger.append(Draft(Kind.CALL_RECEIVED, {"n": n}), at=now)


@pytest.mark.proves("ledger-shared")
def test_several_processes_make_and_fill_one_ledger_without_a_gap(url: str, now: datetime) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_work, args=(url, 25, now)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    with Ledger.open(url) as ledger:
        assert [event.seq for event in ledger.read(limit=1000)] == list(range(100))
    assert verify(url).ok


def test_a_missing_ledger_is_not_made_to_be_read(url: str) -> None:
    for look in (lambda: Ledger.open(url, create=False), lambda: verify(url)):
        with pytest.raises(LedgerUnavailableError, match="is not there"):
            look()


def test_the_schema_of_someone_else_is_refused_and_left_alone(url: str) -> None:
    with connect(url.partition("&schema=")[0]) as owner:
        owner.execute(f"CREATE SCHEMA {locate(url).schema}".encode())
        with pytest.raises(LedgerUnavailableError, match="not a ledger"):
            Ledger.open(url)
        owner.execute(f"COMMENT ON SCHEMA {locate(url).schema} IS 'mcp-migrate ledger, format 2'".encode())
        with pytest.raises(LedgerUnavailableError, match="another format"):
            Ledger.open(url)


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("postgresql://u:p@ss/word@h/db", "cannot be read"),
        ("postgresql://h/db?sslmodus=hunter2", "cannot be read"),
        ("postgresql://h/db?schema=Ledger;--", "no plain name"),
        ("postgresql://h/db?schema=pg_ledger", "no plain name"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_telling_its_password(url: str, match: str) -> None:
    with pytest.raises(ConfigInvalidError, match=match) as caught:
        Ledger.open(url)
    assert "word" not in caught.value.sentence
    assert "hunter2" not in caught.value.sentence


def test_a_server_that_is_not_there_is_unavailable_and_its_password_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError) as caught:
        Ledger.open(f"postgresql://u:hunter2@/db?host={quote(str(tmp_path))}")
    assert "hunter2" not in f"{caught.value.sentence} {caught.value.hint}"


def test_look_ups_go_by_an_index(url: str, table: str, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(*[Draft(Kind.PLAN_FROZEN, {}, subject=f"p{n}") for n in range(50)], at=now)
        raw = storage_of(ledger)._raw()
        raw.execute(b"SET enable_seqscan = off")
        for condition, index in (("subject = 'p1' AND kind = 'k'", "subject"), ("kind = 'k'", "kind")):
            query = f"EXPLAIN SELECT * FROM {table} WHERE {condition} ORDER BY seq DESC LIMIT 1"
            plan = str(raw.execute(query.encode()).fetchall())
            assert f"events_by_{index}" in plan
            assert "Sort" not in plan
