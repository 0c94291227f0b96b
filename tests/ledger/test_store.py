"""Is what was appended there, whole, once, in order and found again?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from mcp_migrate.errors import (
    ConfigInvalidError,
    LedgerCorruptError,
    LedgerUnavailableError,
)
from mcp_migrate.ledger import Draft, Kind, Ledger, verify
from tests.ledger.conftest import connection_of

RECEIVED = Draft(Kind.CALL_RECEIVED, {"tool": "schema_read"}, workflow="shop", call_id="c1")


def consumed(subject: str) -> Draft:
    return Draft(Kind.APPROVAL_CONSUMED, {"apply_id": "a1"}, workflow="shop", call_id="c1", subject=subject)


@pytest.mark.parametrize(
    ("query", "index"),
    [("find('plan.frozen', 'p')", "events_by_subject"), ("last('plan.frozen', {}, 1, None)", "events_by_kind")],
)
def test_look_ups_go_by_an_index(ledger: Ledger, query: str, index: str) -> None:
    from sqlalchemy.dialects import sqlite

    from mcp_migrate.ledger import queries

    name, arguments = query.split("(", 1)
    statement = getattr(queries, name)(*eval(f"({arguments}"))  # noqa: S307 - the text is in this file
    sql = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    plan = str(connection_of(ledger).exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all())
    assert index in plan


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
        connection_of(ledger).exec_driver_sql(statement)


@pytest.mark.proves("ledger-append-only")
def test_no_statement_of_ours_changes_or_removes_an_entry() -> None:
    import mcp_migrate.ledger

    for module in Path(mcp_migrate.ledger.__path__[0]).rglob("*.py"):
        source = module.read_text().lower()
        assert "update(" not in source
        assert "update events" not in source
        assert "delete(" not in source
        assert "delete from" not in source


@pytest.mark.proves("ledger-append-only")
def test_only_the_command_reaches_what_empties_entries() -> None:
    import mcp_migrate

    root = Path(mcp_migrate.__path__[0])
    importing = {
        str(each.relative_to(root)) for each in root.rglob("*.py") if "mcp_migrate.retention" in each.read_text()
    }
    assert {each for each in importing if not each.startswith("retention/")} == {
        "cli/ledger_evidence.py",
        "cli/ledger_retention.py",
    }


@pytest.mark.proves("ledger-durable")
def test_every_commit_reaches_the_disk(ledger: Ledger) -> None:
    full = 2
    assert connection_of(ledger).exec_driver_sql("PRAGMA synchronous").scalar_one() == full
    assert connection_of(ledger).exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_the_ledger_is_made_for_its_owner_alone(ledger: Ledger, path: Path, now: datetime) -> None:
    ledger.append(RECEIVED, at=now)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == dict.fromkeys(["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.head"], 0o600)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite:///ledger.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///ledger.db?mode=memory&uri=true",
        "ledger.db",
        "",
    ],
)
def test_neither_memory_nor_another_database_can_be_a_ledger(url: str) -> None:
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
