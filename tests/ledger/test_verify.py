"""Is every kind of tampering found, and named?"""

# ruff: noqa: S608 - forgers write SQL, and all of it stands in this file
from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mcp_migrate.errors import LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Finding, Head, Kind, Ledger, verify
from mcp_migrate.ledger.events import hashed_bytes
from mcp_migrate.ledger.merkle import EMPTY_ROOT, leaf_hash
from mcp_migrate.ledger.scan import COLUMNS
from mcp_migrate.ledger.sidecar import sidecar_path
from tests.forger import rewrite, tamper


@pytest.fixture
def head(url: str, now: datetime) -> Head:
    """The head of a closed ledger with ten events."""
    with Ledger.open(url) as ledger:
        for n in range(10):
            ledger.append(
                Draft(Kind.PLAN_FROZEN, {"n": n}, workflow="shop", call_id=f"c{n}", subject=f"plan_{n}"), at=now
            )
        return ledger.head()


def test_an_untouched_ledger_verifies(url: str, head: Head) -> None:
    result = verify(url, trusted=[head, Head(0, EMPTY_ROOT.hex())])
    assert result.ok
    assert result.head == head
    assert result.findings == ()


def test_an_empty_ledger_verifies(url: str) -> None:
    Ledger.open(url).close()
    assert verify(url).ok


def test_verifying_changes_and_makes_no_file(url: str, path: Path, head: Head) -> None:
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert verify(url).head == head
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_ledger_in_use_verifies(url: str, head: Head, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
        assert verify(url, trusted=[head, ledger.head()]).head == ledger.head()
        assert verify(url).ok


def test_a_ledger_that_comes_into_use_while_it_is_read_verifies(url: str, head: Head, now: datetime) -> None:
    with ExitStack() as stack:

        class Trusted(list[Head]):
            """Heads of someone who writes while we verify: at the first look, one more event is recorded."""

            def __iter__(self) -> Iterator[Head]:
                if not self:
                    ledger = stack.enter_context(Ledger.open(url))
                    ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
                    self.append(ledger.head())
                return super().__iter__()

        result = verify(url, trusted=Trusted())
    assert result.ok
    assert result.head.size == head.size + 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "'2020-01-01T00:00:00.000000+00:00'"),
        ("kind", "'plan.thawed'"),
        ("workflow", "'crm'"),
        ("workflow", "NULL"),
        ("call_id", "'c9'"),
        ("subject", "'plan_x'"),
        ("subject", "NULL"),
        ("body", """'{"n":40}'"""),
        ("body", """'{"n": 4}'"""),
        ("body", "x'7b7d'"),
        ("body", "CAST(x'ff' AS TEXT)"),
        ("at", "x'00'"),
        ("call_id", "x'00'"),
        ("leaf", "zeroblob(32)"),
        ("root", "zeroblob(32)"),
        ("frontier", "zeroblob(64)"),
        ("frontier", "x''"),
        ("leaf", "hex(zeroblob(16))"),
        ("root", "hex(zeroblob(16))"),
        ("frontier", "hex(zeroblob(32))"),
        ("frontier", "7"),
        ("seq", "40"),
    ],
)
@pytest.mark.proves("ledger-edit")
def test_an_edited_column_is_found_where_it_is(url: str, path: Path, head: Head, column: str, value: str) -> None:
    tamper(path, f"UPDATE events SET {column} = {value} WHERE seq = 4")
    result = verify(url, trusted=[head])
    assert [finding.seq for finding in result.findings] == [4]
    assert result.head.size == 4


@pytest.mark.proves("ledger-edit")
def test_an_edit_with_its_leaf_hashed_again_is_found(url: str, path: Path, head: Head) -> None:
    with closing(sqlite3.connect(path)) as raw:
        row = raw.execute(f"SELECT {', '.join(COLUMNS[:7])} FROM events WHERE seq = 4").fetchone()
    fields = dict(zip(COLUMNS[:7], row, strict=True)) | {"body": "{}"}
    leaf = leaf_hash(hashed_bytes(**fields)).hex()
    tamper(path, f"UPDATE events SET body = '{{}}', leaf = x'{leaf}' WHERE seq = 4")
    (finding,) = verify(url).findings
    assert finding.seq == 4
    assert "does not follow" in finding.why
    assert head.size == 10


@pytest.mark.proves("ledger-delete")
def test_a_deleted_entry_is_found(url: str, path: Path, head: Head) -> None:
    tamper(path, "DELETE FROM events WHERE seq = 4")
    assert verify(url, trusted=[head]).findings == (Finding(4, "It is missing: entry 5 stands in its place."),)


@pytest.mark.proves("ledger-delete")
def test_a_deleted_entry_is_found_after_closing_the_gap(url: str, path: Path, head: Head) -> None:
    tamper(
        path,
        "DELETE FROM events WHERE seq = 4",
        *(f"UPDATE events SET seq = {n} - 1 WHERE seq = {n}" for n in range(5, 10)),
    )
    assert verify(url, trusted=[head]).findings[0].seq == 4


@pytest.mark.proves("ledger-insert")
def test_an_inserted_entry_is_found(url: str, path: Path, head: Head) -> None:
    tamper(
        path,
        *(f"UPDATE events SET seq = {n} + 1 WHERE seq = {n}" for n in range(9, 3, -1)),
        "INSERT INTO events SELECT 4, at, kind, workflow, call_id, 'forged', body, leaf, root, frontier"
        " FROM events WHERE seq = 3",
    )
    assert verify(url, trusted=[head]).findings[0].seq == 4


@pytest.mark.proves("ledger-insert")
def test_an_entry_before_the_first_is_found(url: str, path: Path, head: Head) -> None:
    tamper(path, "UPDATE events SET seq = -1 WHERE seq = 9", checks=False)
    assert verify(url, trusted=[head]).findings[0].seq == 0


@pytest.mark.proves("ledger-reorder")
def test_reordered_entries_are_found(url: str, path: Path, head: Head) -> None:
    swap = ("SET seq = 99 WHERE seq = 4", "SET seq = 4 WHERE seq = 6", "SET seq = 6 WHERE seq = 99")
    tamper(path, *(f"UPDATE events {part}" for part in swap))
    assert verify(url, trusted=[head]).findings[0].seq == 4


@pytest.mark.proves("ledger-truncated-tail")
def test_a_cut_tail_is_found_by_the_head_file(url: str, path: Path, head: Head) -> None:
    tamper(path, "DELETE FROM events WHERE seq >= 7")
    result = verify(url)
    assert result.findings == (
        Finding(7, "The log ends after 7 entries, and the head file knows 10: its end was cut."),
    )
    assert result.head.size == 7 < head.size


@pytest.mark.proves("ledger-truncated-tail")
def test_a_cut_tail_is_found_by_a_trusted_head_although_the_head_file_was_cut_too(
    url: str, path: Path, now: datetime, head: Head
) -> None:
    older = path.with_name("older")
    shutil.copy(sidecar_path(path), older)
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
        newer = ledger.head()
    tamper(path, "DELETE FROM events WHERE seq >= 10")
    shutil.copy(older, sidecar_path(path))
    assert verify(url, trusted=[head]).ok
    (finding,) = verify(url, trusted=[head, newer]).findings
    assert finding == Finding(10, "The log ends after 10 entries, and a trusted head knows 11: its end was cut.")


def test_a_log_emptied_whole_is_found(url: str, path: Path, head: Head) -> None:
    tamper(path, "DELETE FROM events")
    assert verify(url).findings[0].why.startswith("The log ends after 0 entries")
    sidecar_path(path).unlink()
    assert "is missing" in verify(url).findings[0].why
    assert verify(url, trusted=[head]).findings[0].seq == 0


def test_a_log_rewritten_whole_is_found_by_every_head(url: str, path: Path, head: Head) -> None:
    rewrite(path, lambda rows: rows)
    assert verify(url, trusted=[head]).ok
    rewrite(path, lambda rows: [*rows[:4], {**rows[4], "body": "{}"}, *rows[5:]])
    whys = [finding.why for finding in verify(url, trusted=[head]).findings]
    assert whys == [
        "The first 10 entries are not those the head file vouches for.",
        "The first 10 entries are not those a trusted head vouches for.",
    ]


def test_a_trusted_head_that_disagrees_with_the_past_is_found(url: str, head: Head) -> None:
    (finding,) = verify(url, trusted=[replace(head, size=3)]).findings
    assert finding.why == "The first 3 entries are not those a trusted head vouches for."
    (finding,) = verify(url, trusted=[replace(head, size=0)]).findings
    assert finding.why == "The first 0 entries are not those a trusted head vouches for."


@pytest.mark.parametrize("name", ["events_no_update", "events_no_delete", "events_only_at_the_end"])
def test_a_dropped_trigger_is_found_and_nothing_is_appended_without_it(
    url: str, path: Path, head: Head, name: str
) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"DROP TRIGGER {name}")
    result = verify(url, trusted=[head])
    assert result.findings == (Finding(None, f"The file was altered: {name} is missing."),)
    with pytest.raises(LedgerCorruptError, match=f"{name} is missing"):
        Ledger.open(url)


def test_a_weakened_or_added_trigger_is_found(url: str, path: Path, head: Head) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER events_no_delete")
        raw.execute("CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT 1; END")
        raw.execute("CREATE TABLE copies (body)")
    assert [finding.why for finding in verify(url, trusted=[head]).findings] == [
        "The file was altered: copies is not ours.",
        "The file was altered: events_no_delete is changed.",
    ]


def test_an_index_that_hides_an_entry_is_found(url: str, path: Path, head: Head) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        query = "SELECT * FROM sqlite_master WHERE name = 'events_by_subject'"
        kind, name, table, root, sql = raw.execute(query).fetchone()
        raw.execute("PRAGMA writable_schema=ON")
        raw.execute("DELETE FROM sqlite_master WHERE name = 'events_by_subject'")
        raw.execute("PRAGMA writable_schema=RESET")
    tamper(path, "CREATE TEMP TABLE kept AS SELECT * FROM events WHERE seq = 9", "DELETE FROM events WHERE seq = 9")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema=ON")
        raw.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", (kind, name, table, root, sql))
        raw.execute("PRAGMA writable_schema=RESET")
    assert verify(url, trusted=[head]).findings[-1].why.startswith("The file is damaged: ")


def test_a_damaged_page_is_found(url: str, path: Path, head: Head) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b'{"n":4}')
    content[at - 400 : at + 7] = b"\xff" * 407
    path.write_bytes(bytes(content))
    assert not verify(url, trusted=[head]).ok


def test_a_missing_head_file_fails_and_nothing_is_appended(url: str, path: Path, head: Head, now: datetime) -> None:
    sidecar_path(path).unlink()
    (finding,) = verify(url, trusted=[head]).findings
    assert "ledger.db.head is missing" in finding.why
    with Ledger.open(url) as ledger, pytest.raises(LedgerCorruptError, match="head file is missing"):
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"size": 10}',
        '{"size": -1, "root": "' + "ab" * 32 + '"}',
        '{"size": 10, "root": "zz"}',
        '{"size": 10, "root": "ab"}',
    ],
)
def test_a_head_file_that_is_no_head_fails_and_nothing_is_appended(
    url: str, path: Path, head: Head, now: datetime, content: str
) -> None:
    sidecar_path(path).write_text(content)
    (finding,) = verify(url, trusted=[head]).findings
    assert "cannot be understood" in finding.why
    with Ledger.open(url) as ledger, pytest.raises(LedgerCorruptError, match="cannot be understood"):
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)


def test_a_head_file_that_cannot_be_read_fails(url: str, path: Path, head: Head) -> None:
    sidecar_path(path).unlink()
    sidecar_path(path).mkdir()
    (finding,) = verify(url, trusted=[head]).findings
    assert "cannot be read" in finding.why


def test_an_older_head_file_is_no_finding_and_catches_up(url: str, path: Path, head: Head, now: datetime) -> None:
    older = sidecar_path(path).read_bytes()
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
        sidecar_path(path).write_bytes(older)  # as after a crash between the commit and the head
        assert verify(url, trusted=[head]).ok
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
        newest = ledger.head()
    assert json.loads(sidecar_path(path).read_bytes()) == {"size": 12, "root": newest.root}


@pytest.mark.parametrize("body", ["'{'", "'[]'", "x'ff'", "'" + "[" * 10**5 + "'", "CAST(x'ff' AS TEXT)"])
def test_a_broken_body_is_never_handed_out(url: str, path: Path, head: Head, body: str) -> None:
    tamper(path, f"UPDATE events SET body = {body} WHERE seq = 4")
    with Ledger.open(url) as ledger:
        with pytest.raises((LedgerCorruptError, LedgerUnavailableError)):
            ledger.read()
        with pytest.raises((LedgerCorruptError, LedgerUnavailableError)):
            ledger.find(Kind.PLAN_FROZEN, "plan_4")
        assert ledger.head() == head


@pytest.mark.parametrize("root", ["zeroblob(32)", "hex(zeroblob(16))"])
def test_nothing_is_built_where_a_root_the_head_file_knows_was_edited(
    url: str, path: Path, head: Head, now: datetime, root: str
) -> None:
    older = sidecar_path(path).read_bytes()
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
    tamper(path, f"UPDATE events SET root = {root} WHERE seq = {head.size - 1}")
    sidecar_path(path).write_bytes(older)
    with Ledger.open(url) as ledger, pytest.raises(LedgerCorruptError, match="vouches for"):
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)


@pytest.mark.proves("ledger-truncated-tail", "interface-ledger-corrupt")
def test_nothing_is_built_on_a_cut_log(url: str, path: Path, head: Head, now: datetime) -> None:
    tamper(path, "DELETE FROM events WHERE seq >= 7")
    with Ledger.open(url) as ledger, pytest.raises(LedgerCorruptError, match="has 7 entries and had 10"):
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
    assert not verify(url, trusted=[head]).ok


def test_nothing_is_built_on_a_rewritten_log(url: str, path: Path, head: Head, now: datetime) -> None:
    older = sidecar_path(path).read_bytes()
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
    rewrite(path, lambda rows: [*rows[:4], {**rows[4], "body": "{}"}, *rows[5:]])
    for beside in (sidecar_path(path).read_bytes(), older):
        sidecar_path(path).write_bytes(beside)
        with Ledger.open(url) as ledger, pytest.raises(LedgerCorruptError, match="vouches for"):
            ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
    assert not verify(url, trusted=[head]).ok


@pytest.mark.parametrize("value", ["zeroblob(64)", "x'00'", "hex(zeroblob(32))", "7"])
def test_nothing_is_built_on_a_broken_frontier(url: str, path: Path, head: Head, now: datetime, value: str) -> None:
    tamper(path, f"UPDATE events SET frontier = {value} WHERE seq = 9")
    with Ledger.open(url) as ledger, pytest.raises(LedgerCorruptError, match="entry 9"):
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
    assert verify(url, trusted=[head]).findings[0].seq == 9
