"""Does the old part of a ledger go into a file and out of the ledger without anything that was proved being lost?"""

# ruff: noqa: S608 - what is sent here stands in this file
from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.drivers.postgresql import connect
from mcp_migrate.errors import (
    InvalidArgumentsError,
    LedgerCorruptError,
    LedgerUnavailableError,
    RetentionError,
    SegmentInvalidError,
)
from mcp_migrate.ledger import Draft, Event, Kind, Ledger, verify
from mcp_migrate.ledger.moving import move
from mcp_migrate.ledger.postgresql.place import grants_sql, locate, schema_sql
from mcp_migrate.ledger.proofs import verify_consistency, verify_inclusion
from mcp_migrate.retention.purging import purge
from mcp_migrate.retention.segment import check, entries
from mcp_migrate.settings.model import Retained
from mcp_migrate.signers.sign import generate_key
from tests.forger import tamper
from tests.ledger.conftest import NOW, in_a_schema, ledgers_url
from tests.retention.conftest import Archive
from tests.world import World

__all__ = ["ledgers_url"]
SECRET = "rows of Jane Roe"


def call(n: int) -> str:
    return f"call_{n:020x}"


def lived(ledger: Ledger, calls: int) -> None:
    """Calls that ended, one that did not, and a configuration."""
    ledger.append(Draft(Kind.CONFIG_LOADED, {"digest": "d"}), at=NOW)
    for n in range(calls):
        received = Draft(Kind.CALL_RECEIVED, {"intent": SECRET}, workflow="shop", call_id=call(n))
        ended = [Draft(Kind.CALL_FINISHED, {}, workflow="shop", call_id=call(n))] if n else []
        ledger.append(received, *ended, at=NOW)


def whole(ledger: Ledger) -> list[Event]:
    return [
        event
        for since in range(0, ledger.head().size, 100)
        for event in ledger.read(since=since)
        if event.seq < since + 100
    ]


@pytest.mark.proves("retention-tree", "retention-segment", "retention-needed")
def test_what_is_purged_is_in_its_segment_and_the_ledger_is_the_one_that_it_was(archive: Archive) -> None:
    archive.now = NOW
    lived(archive.ledger, 20)
    before = {event.seq: event for event in whole(archive.ledger)}
    path = archive.sealed()
    archive.later(days=190)
    witnessed = archive.note()
    done = archive.retention.purge(path, None)

    assert (done.purged, done.segment.begin) == (38, 0)
    left = whole(archive.ledger)
    assert {event.seq for event in left if event.seq in before} == {0, 1}  # the configuration, and who never ended
    assert [event.kind for event in left if event.kind.startswith("ledger.")] == [
        Kind.LEDGER_SEALED,
        Kind.LEDGER_PURGED,
    ]
    assert [entry["body"] for entry in entries(path)][: len(before)] == [event.body for event in before.values()]
    assert SECRET.encode() * 2 not in b"".join(file.read_bytes() for file in archive.folder.glob("ledger.db*"))
    report = archive.audit(witnessed)
    assert (report.findings, report.verification.head) == ((), archive.ledger.head())
    assert "but for those still needed: what they said is in segment_0_" in report.notes[0]
    assert archive.retention.purge(path, None).purged == 0
    with pytest.raises(InvalidArgumentsError):
        archive.ledger.peaks_before(10_000)

    archive.append()
    second = archive.sealed()
    assert check(second, archive.keeper.keys()).begin == done.segment.end
    archive.close()
    new = f"sqlite:///{archive.folder / 'moved.db'}"
    head = move(archive.settings.ledger, new, at=archive.now)
    assert verify(new, trusted=[head]).ok


@pytest.mark.proves("retention-tree")
@given(size=st.integers(1, 40), data=st.data())
@settings(max_examples=12)
def test_every_root_and_every_proof_is_the_same_whatever_was_purged(size: int, data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.integers(0, size - 1)))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ledger.db"
        with Ledger.open(url) as ledger:
            events = ledger.append(*(Draft(Kind.CALL_RECEIVED, {"n": n}) for n in range(size)), at=NOW)
            roots = [bytes.fromhex(ledger.root_at(n)) for n in range(size + 1)]
            told = {"begin": 0, "end": size, "digest": "sha256:"}
            ledger.append(Draft(Kind.LEDGER_PURGED, told, subject="segment"), at=NOW)
            purge(url, {seq: events[seq].leaf for seq in gone})
            assert {event.seq for event in ledger.read()} == {*range(size + 1)} - gone
            assert [bytes.fromhex(ledger.root_at(n)) for n in range(size + 1)] == roots
            for event in events:
                hashes = ledger.prove_inclusion(event.seq, size)
                assert verify_inclusion(event.leaf, event.seq, size, hashes, roots[size])
                proof = ledger.prove_consistency(event.seq, size)
                assert verify_consistency(event.seq, roots[event.seq], size, roots[size], proof)
            ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=NOW)
        assert verify(url).ok


@pytest.mark.proves("retention-told")
@pytest.mark.parametrize("where", ["seq = 3", "seq = 14", "seq IN (3, 14)"])
def test_content_that_is_gone_is_found_unless_the_record_says_that_it_was_purged(archive: Archive, where: str) -> None:
    lived(archive.ledger, 4)
    told = {"begin": 5, "end": 40, "digest": "sha256:"}
    archive.ledger.append(Draft(Kind.LEDGER_PURGED, told, subject="segment"), at=archive.now)
    lived(archive.ledger, 4)
    archive.close()
    tamper(
        archive.path,
        "UPDATE events SET at = '', kind = '', body = '', workflow = NULL, call_id = NULL, subject = NULL "
        f"WHERE {where}",
    )
    found = verify(archive.settings.ledger).findings
    assert [(each.seq, each.why) for each in found] == [
        (3 if "3" in where else 14, "Its content is gone, and nothing says that it was purged.")
    ]


@pytest.mark.proves("retention-told")
def test_an_entry_purged_by_half_is_an_edited_one(archive: Archive) -> None:
    lived(archive.ledger, 4)
    archive.close()
    tamper(archive.path, "UPDATE events SET kind = '' WHERE seq = 3")
    [found] = verify(archive.settings.ledger).findings
    assert found.seq == 3
    assert "purged by half" in found.why


@pytest.mark.proves("retention-floor", "interface-retention-floor")
def test_nothing_younger_than_the_floor_goes(archive: Archive) -> None:
    archive.now = NOW
    lived(archive.ledger, 3)
    path = archive.sealed()
    archive.later(days=181)
    with pytest.raises(RetentionError, match="kept for 183 days") as refused:
        archive.retention.purge(path, None)
    assert refused.value.code == "retention_floor"
    with pytest.raises(RetentionError, match="nothing was sealed"):
        archive.retention.seal(NOW, archive.folder)
    assert archive.ledger.last(Kind.LEDGER_PURGED) == ()
    with pytest.raises(ValueError, match="greater than or equal to 183 days"):
        Retained(keep=timedelta(days=182))


@pytest.mark.proves("retention-segment", "interface-segment-invalid")
def test_a_file_that_is_not_the_sealed_one_purges_nothing(archive: Archive) -> None:
    archive.now = NOW
    lived(archive.ledger, 5)
    path = archive.sealed()
    archive.later(days=190)
    raw = path.read_bytes()
    lines = raw.splitlines(keepends=True)
    other = archive.folder / "other.jsonl"
    first = lines[0].replace(b'"begin":0', b'"begin": 0')
    for altered in (
        *(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(0, len(raw), 61)),
        b"".join(lines[:-1]),
        b"".join((lines[0], lines[2], lines[1], *lines[3:])),
        first + b"".join(lines[1:]),
        raw + lines[-1],
        lines[0],
        b"",
        b"[" * 100_000,
    ):
        other.write_bytes(altered)
        with pytest.raises(SegmentInvalidError, match=r"no segment that holds|not the file that was sealed"):
            archive.retention.purge(other, None)
    assert archive.ledger.last(Kind.LEDGER_PURGED) == ()


def test_a_ledger_that_does_not_verify_is_neither_sealed_nor_purged(archive: Archive) -> None:
    archive.now = NOW
    lived(archive.ledger, 5)
    path = archive.sealed()
    archive.later(days=190)
    retention = archive.retention
    tamper(archive.path, "UPDATE events SET call_id = 'c' WHERE seq = 4")
    with pytest.raises(LedgerCorruptError, match="nothing is purged: entry 4"):
        retention.purge(path, None)
    with pytest.raises(LedgerCorruptError, match="nothing is sealed: entry 4"):
        retention.seal(archive.now, archive.folder)


@pytest.mark.proves("retention-owner")
def test_on_a_server_only_the_owner_purges(archive: Archive, ledgers_url: str) -> None:
    owner = in_a_schema(ledgers_url).url
    role, schema = f"{locate(owner).schema}_login", locate(owner).schema
    with connect(ledgers_url) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN".encode())
        admin.execute((schema_sql(schema) + grants_sql(schema, role)).encode())
    archive.settings = archive.settings.model_copy(update={"ledger": owner.replace("//postgres:@", f"//{role}@")})
    archive.now = NOW
    lived(archive.ledger, 5)
    path = archive.sealed()
    archive.later(days=190)
    with pytest.raises(LedgerUnavailableError, match="may not purge"):
        archive.retention.purge(path, None)
    assert archive.ledger.last(Kind.LEDGER_PURGED) == ()
    assert archive.retention.purge(path, owner).purged == 8
    assert archive.audit(archive.note()).ok
    with connect(ledgers_url) as admin:
        admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


@pytest.mark.proves("retention-segment")
def test_the_commands_seal_verify_where_there_is_nothing_else_and_refuse_what_is_young(tmp_path: Path) -> None:
    world = World(tmp_path)
    generate_key(world.folder / "log_key")
    witness = {"kind": "file", "name": "mount", "path": "checkpoint"}
    told = {"origin": "shop.example/ledger", "key": {"file": "log_key"}, "witnesses": [witness]}
    world.configure(lambda value: value.update(checkpoints=told))
    key = world.here("ledger", "checkpoint").stderr.splitlines()[0].removeprefix("key ")
    made = world.here("ledger", "seal", "--before", "2099-01-01", "--out", str(tmp_path), "--json")
    assert made.returncode == 0, made.stderr
    sealed = json.loads(made.stdout)
    refused = world.here("ledger", "purge", sealed["file"])
    assert (refused.returncode, refused.stderr.split(":")[1].strip()) == (1, "retention_floor"), refused.stderr
    words = [sys.executable, "-m", "mcp_migrate", "ledger", "verify", sealed["file"], "--key", key]
    checked = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert checked.stdout.startswith("The segment holds: entries 0 to 1 of the ledger shop.example/ledger")
    assert sealed["digest"] in checked.stdout
