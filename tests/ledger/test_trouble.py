"""Do several processes, crashes, full disks and read-only folders leave the ledger whole?"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

import mcp_migrate
from mcp_migrate.errors import LedgerUnavailableError
from mcp_migrate.ledger import Draft, Head, Kind, Ledger, verify
from mcp_migrate.ledger.sidecar import begin, put_in, read_sidecar, sidecar_path
from mcp_migrate.ledger.sqlite_storage import SqliteStorage
from tests.ledger.conftest import connection_of

ROOT = Path(mcp_migrate.__path__[0]).parent
RECEIVED = Draft(Kind.CALL_RECEIVED, {"tool": "schema_read"})
PRELUDE = """
import os, sys
from datetime import UTC, datetime
from mcp_migrate.errors import AlreadyUsedError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Kind, Ledger, verify
NOW = datetime(2026, 1, 1, tzinfo=UTC)
url = sys.argv[1]
def wait():
    print("ready", flush=True)
    sys.stdin.readline()
"""


def together(script: str, *arguments: Sequence[str]) -> list[str]:
    """Run `script` in one process for each list of arguments, let all go at once; what each printed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PRELUDE + script, *each],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in arguments
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), ended
    return [out.strip() for out, _ in ended]


def test_two_processes_append_without_a_gap(url: str, path: Path) -> None:
    script = """
with Ledger.open(url) as ledger:
    wait()
    for n in range(200):
        ledger.append(Draft(Kind.CALL_RECEIVED, {"n": n}, workflow=sys.argv[2]), at=NOW)
"""
    together(script, [url, "a"], [url, "b"])
    with Ledger.open(url) as ledger:
        events = ledger.read(limit=1000)
        assert [event.seq for event in events] == list(range(400))
        for workflow in ("a", "b"):
            assert [e.body["n"] for e in events if e.workflow == workflow] == list(range(200))
        assert read_sidecar(path) == ledger.head()
    assert verify(url).ok


def test_processes_that_make_one_ledger_at_once_share_it(url: str) -> None:
    script = """
import mcp_migrate.ledger.queries
wait()
with Ledger.open(url) as ledger:
    ledger.append(Draft(Kind.CONFIG_LOADED, {}), at=NOW)
"""
    together(script, *([url] for _ in range(4)))
    assert verify(url).head.size == 4
    assert verify(url).ok


@pytest.mark.proves("approval-one-use")
def test_of_two_processes_one_consumes_an_approval(url: str) -> None:
    script = """
won = 0
with Ledger.open(url) as ledger:
    wait()
    for n in range(50):
        try:
            ledger.append(Draft(Kind.APPROVAL_CONSUMED, {}, subject=f"req_{n}"), at=NOW)
            won += 1
        except AlreadyUsedError:
            pass
print(won)
"""
    won = [int(out.split()[-1]) for out in together(script, [url], [url])]
    assert sum(won) == 50
    assert verify(url).head.size == 50


def test_a_ledger_can_be_verified_while_others_write(url: str) -> None:
    writer = """
with Ledger.open(url) as ledger:
    wait()
    for n in range(200):
        ledger.append(Draft(Kind.CALL_RECEIVED, {"n": n}), at=NOW)
"""
    verifier = """
with Ledger.open(url) as ledger:
    trusted = [ledger.head()]
wait()
for _ in range(20):
    result = verify(url, trusted=trusted)
    assert result.ok, result
    trusted.append(result.head)
"""
    Ledger.open(url).close()
    together("exec(sys.argv[2])", [url, writer], [url, verifier])
    assert verify(url).head.size == 200


def test_a_killed_server_leaves_the_ledger_whole(url: str, now: datetime) -> None:
    script = """
import threading, signal
with Ledger.open(url) as ledger:
    wait()
    if os.fork() == 0:
        ledger = Ledger.open(url)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
        while True:
            ledger.append(*[Draft(Kind.CALL_RECEIVED, {"x": "y" * 1000})] * 3, at=NOW)
    os.wait()
"""
    if os.name != "posix":
        pytest.skip("there is no fork here")
    together(script, [url])
    size = verify(url).head.size
    assert size > 0
    assert size % 3 == 0
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
    assert verify(url).ok


@pytest.mark.proves("bad-input-ledger-full")
def test_on_a_full_disk_nothing_is_recorded_by_half(url: str, path: Path, now: datetime) -> None:
    pytest.importorskip("resource")
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Ledger.open(url) as ledger:
    wait()
    room = os.path.getsize(sys.argv[2] + "-wal") + 20_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    small, large = (Draft(Kind.CALL_RECEIVED, {"x": "y" * size}) for size in (10, 100_000))
    for n in range(3):
        try:
            ledger.append(small, large, at=NOW)
        except LedgerUnavailableError as error:
            print(error.details["recorded"], error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(ledger.head().size)
    ledger.append(small, at=NOW)
"""
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
        (out,) = together(script, [url, str(path)])
        *refusals, size = out.splitlines()
        assert len(refusals) == 3
        assert all(line.startswith("False ") and "disk" in line for line in refusals)
        assert size == "1"
        assert [event.body for event in ledger.read()] == [RECEIVED.body, {"x": "y" * 10}]
    assert verify(url).ok


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another account can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


# Everything is imported before the privileges go: the other account may not be able to read the interpreter's files.
UNPRIVILEGED = """
import tempfile
with tempfile.TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
    ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=NOW)
wait()
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=NOW)
except LedgerUnavailableError as error:
    print("refused:", error.hint)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions are told otherwise there")
@pytest.mark.proves("bad-input-ledger-read-only")
def test_a_read_only_ledger_is_unavailable(open_folder: Path, now: datetime) -> None:
    path = open_folder / "ledger.db"
    url = f"sqlite:///{path}"
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
    for file in (path, open_folder / "ledger.db.head"):
        file.chmod(0o444)
    open_folder.chmod(0o555)
    (out,) = together(UNPRIVILEGED, [url])
    open_folder.chmod(0o755)
    assert out.startswith("refused: ")
    assert "this account" in out
    assert verify(url).head.size == 1
    assert verify(url).ok


@pytest.mark.skipif(os.name != "posix", reason="permissions are told otherwise there")
def test_a_read_only_file_in_a_writable_folder_is_unavailable(open_folder: Path, now: datetime) -> None:
    path = open_folder / "ledger.db"
    url = f"sqlite:///{path}"
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
    for file in (path, open_folder / "ledger.db.head"):
        file.chmod(0o444)
    open_folder.chmod(0o777)
    (out,) = together(UNPRIVILEGED, [url])
    assert out.startswith("refused: ")
    assert verify(url).head.size == 1


@pytest.mark.skipif(os.name != "posix", reason="permissions are told otherwise there")
@pytest.mark.proves("bad-input-ledger-read-only")
def test_a_ledger_cannot_be_made_in_a_read_only_folder(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    (out,) = together(UNPRIVILEGED, [f"sqlite:///{open_folder}/ledger.db"])
    (deeper,) = together(UNPRIVILEGED, [f"sqlite:///{open_folder}/state/ledger.db"])
    assert out.startswith("refused: ")
    assert deeper.startswith("refused: ")
    assert list(open_folder.iterdir()) == []


def test_a_ledger_under_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LedgerUnavailableError):
        Ledger.open(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_ledger_kept_locked_is_unavailable(ledger: Ledger, path: Path, now: datetime) -> None:
    connection_of(ledger).exec_driver_sql("PRAGMA busy_timeout=20")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError, match="locked"):
            ledger.append(RECEIVED, at=now)
    assert ledger.append(RECEIVED, at=now)[0].seq == 0


def test_a_head_that_cannot_be_written_is_told_apart(ledger: Ledger, path: Path, now: datetime) -> None:
    ledger.append(RECEIVED, at=now)
    storage = ledger._storage
    assert isinstance(storage, SqliteStorage)
    with storage.turn():
        os.close(storage._head._descriptor)
        storage._head._descriptor = os.open(sidecar_path(path), os.O_RDONLY)
        with pytest.raises(LedgerUnavailableError) as caught:
            storage.publish(Head(2, "ab" * 32))
    assert caught.value.details["recorded"] is True


def test_a_server_that_dies_between_an_entry_and_its_head_leaves_a_ledger_that_goes_on(
    url: str, path: Path, now: datetime
) -> None:
    beside = path.with_name("ledger.db.head")
    with Ledger.open(url) as ledger:
        ledger.append(RECEIVED, at=now)
        before = beside.read_bytes()
        ledger.append(RECEIVED, at=now)
    beside.write_bytes(before)  # as the crash leaves it: the second entry was committed, and its head was not written
    assert verify(url).ok
    with Ledger.open(url) as ledger:
        assert ledger.append(RECEIVED, at=now)[0].seq == 2
    assert read_sidecar(path) == verify(url).head


def test_a_head_never_goes_backwards(ledger: Ledger, path: Path) -> None:
    newer, older = Head(12, "ab" * 32), Head(9, "cd" * 32)
    put_in(sidecar_path(path), newer)
    put_in(sidecar_path(path), older)
    begin(path, path.with_name("new"))
    assert read_sidecar(path) == newer
    assert ledger.head().size == 0


def test_a_head_keeps_its_length_so_that_overwriting_it_is_one_step(ledger: Ledger, path: Path) -> None:
    beside = path.with_name("ledger.db.head")
    before = beside.stat()
    put_in(sidecar_path(path), Head(10**15, "ef" * 32))
    assert read_sidecar(path) == Head(10**15, "ef" * 32)
    assert (beside.stat().st_size, beside.stat().st_ino) == (before.st_size, before.st_ino)
    assert ledger.head().size == 0
