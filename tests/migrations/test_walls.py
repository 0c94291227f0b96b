"""Does a hostile revision get anywhere? One attempt at each wall, in each cage of this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mcp_migrate.errors import Action, RenderFailedError
from mcp_migrate.migrations.cage.confinement import Confinement
from mcp_migrate.migrations.cage.tiers import Name, cages
from tests.migrations.sample import Shop

_CAGES: tuple[Name, ...] = ("sandbox", "landlock")


@pytest.fixture(params=_CAGES)
def caged(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    missing = next(cage.missing for cage in cages() if cage.name == request.param)
    if missing:
        pytest.skip(f"this machine has no {request.param}: {missing}")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.db").touch()
    (folder / "ledger.db").write_text("the record")
    (folder / ".env").write_text("PASSWORD=secret")
    (tmp_path / "key").write_text("a private key")
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "key").write_text("a private key")
    (folder / "link").symlink_to(tmp_path)
    hidden = (folder / "ledger.db", folder / "shop.db")
    shop = Shop(folder, f"sqlite:///{folder}/shop.db", confined=Confinement(use=request.param, hidden=hidden))
    shop.ini.write_text(shop.ini.read_text().replace("sys_path = .", f"sys_path = .,{tmp_path}/named"))
    return shop


_TOP = "import os, pathlib, socket, subprocess, threading"
_PROJECT = "pathlib.Path(context.config.config_file_name).parent"
_ATTEMPTS = {
    "reads a hidden file of the project": f"({_PROJECT} / '.env').read_text()",
    "reads the ledger": f"({_PROJECT} / 'ledger.db').read_text()",
    "reads the target": f"({_PROJECT} / 'shop.db').read_bytes()",
    "reads a key beside the project": f"({_PROJECT}.parent / 'key').read_text()",
    "reads that key through a link in the project": f"({_PROJECT} / 'link' / 'key').read_text()",
    "reads a folder that the ini file names": f"({_PROJECT}.parent / 'named' / 'key').read_text()",
    "reads the password file": "open('/etc/shadow').read()",
    "reads the server's environment": "open(f'/proc/{os.getppid()}/environ').read()",
    "reads the first process's environment": "open('/proc/1/environ').read()",
    "changes a revision": f"({_PROJECT} / 'migrations' / 'env.py').write_text('')",
    "writes beside the project": f"({_PROJECT} / 'planted.py').write_text('')",
    "makes a TCP socket": "socket.create_connection(('127.0.0.1', 80))",
    "makes a UDP socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "makes a unix socket": "socket.socket(socket.AF_UNIX)",
    "starts a program": "subprocess.run(['true'])",
    "forks": "os.fork()",
    "signals the server": "os.kill(os.getppid() or 1, 0)",  # whose parent is outside the sandbox sees none
    "traces": "__import__('ctypes').CDLL(None).ptrace(0, 0, 0, 0) + 1 or os.fork()",
    "fills the memory": "bytearray(64 * 2**30)",
    "writes a file that is too large": "pathlib.Path(os.environ['HOME'], 'big').open('wb').truncate(2**40)",
}


_CLOSED = ("Permission", "permitted", "No such file", "Read-only", "too large", "the process ended by itself")
"""How a wall is met; what takes too much memory ends."""


@pytest.mark.parametrize("attempt", _ATTEMPTS)
@pytest.mark.proves("cage-walls")
def test_a_revision_gets_through_no_wall(caged: Shop, attempt: str) -> None:
    caged.revise("d4", "c3", _ATTEMPTS[attempt], top=_TOP)
    with pytest.raises(RenderFailedError) as refused:
        caged.plan()
    said = refused.value.details["reason"]
    assert any(word in said for word in _CLOSED), said
    assert not (caged.folder / "planted.py").exists()


def test_what_a_revision_needs_is_open(caged: Shop) -> None:
    (caged.folder / "helper.py").write_text("TABLE = 'helped'\n")
    work = (
        "threading.Thread(target=print).start()\n"
        "pathlib.Path(os.environ['HOME'], 'note').write_text('x')\n"
        "__import__('zoneinfo').ZoneInfo('Europe/Berlin')\n"
        "op.create_table(helper.TABLE, sa.Column('id', sa.Integer))"
    )
    caged.revise("d4", "c3", work, top=f"{_TOP}\nimport helper")
    plan = caged.plan()
    assert plan.statements[-2].sql.strip().startswith("CREATE TABLE helped")
    assert plan.cage == caged.confined.use


def test_a_folder_that_the_target_configures_may_be_read(caged: Shop) -> None:
    beside = caged.folder.parent / "shared"
    beside.mkdir()
    (beside / "names.txt").write_text("tables")
    caged.revise("d4", "c3", f"op.create_table(open('{beside}/names.txt').read(), sa.Column('id', sa.Integer))")
    for readable in (beside, beside / "names.txt"):
        caged.confine(Confinement(use=caged.confined.use, readable=(readable,)))
        assert "CREATE TABLE tables" in caged.plan().statements[-2].sql


@pytest.mark.parametrize("name", _CAGES)
def test_of_all_servers_only_the_scratch_database_is_in_reach(name: Name, tmp_path: Path, postgres_url: str) -> None:
    missing = next(cage.missing for cage in cages() if cage.name == name)
    if missing:
        pytest.skip(f"this machine has no {name}: {missing}")
    shop = Shop(tmp_path, postgres_url, confined=Confinement(use=name))
    assert shop.plan().statements
    with socket.create_server(("127.0.0.1", 0)) as other:
        shop.revise("d4", "c3", f"socket.create_connection({other.getsockname()!r}, 2)", top=_TOP)
        with pytest.raises(RenderFailedError, match=r"Permission denied|refused"):
            shop.plan()


def test_a_target_that_asks_for_more_than_there_is_gets_no_plan(lite_shop: Shop) -> None:
    lite_shop.confine(Confinement(lowest="sandbox", use="none"))
    with pytest.raises(RenderFailedError, match="recorded in the cage 'sandbox' or a stronger one") as refused:
        lite_shop.plan()
    assert refused.value.action is Action.ASK_ADMIN


def test_a_disk_that_fills_ends_the_child(lite_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_migrate.migrations.process.DISK", 10_000_000)
    fill = (
        "for n in range(100):\n    pathlib.Path(os.environ['HOME'], str(n)).write_bytes(b'x' * 1_000_000)\n"
        "threading.Event().wait(60)"
    )
    lite_shop.revise("d4", "c3", fill, top=_TOP)
    with pytest.raises(RenderFailedError, match="it wrote more than"):
        lite_shop.plan()


def test_an_answer_without_end_is_not_read_to_its_end(lite_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_migrate.migrations.process.ANSWER", 100_000)
    lite_shop.revise("d4", "c3", "op.execute('SELECT ' + repr('x' * 200_000))")
    with pytest.raises(RenderFailedError, match="its answer is larger than"):
        lite_shop.plan()


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[" * 100_000,
        '{"result": {"statements": [{"sql": 1}], "doubts": [], "version_table": "v"}}',
        "[]",
        '{"asks": {"what": "read"}}',
    ],
    ids=["words", "depth", "shape", "list", "question"],
)
def test_what_a_revision_writes_as_an_answer_is_not_believed(lite_shop: Shop, line: str) -> None:
    """It shares the process with our own code, so that it finds the pipe."""
    write = (
        f"for pipe in range(3, 64):\n    with contextlib.suppress(OSError): os.write(pipe, {line.encode()!r} + b'\\n')"
    )
    lite_shop.revise("d4", "c3", write, top="import contextlib, os")
    with pytest.raises(RenderFailedError, match="its answer is not one that our own code gives"):
        lite_shop.plan()


def test_every_cage_says_what_it_leaves_open_or_why_it_is_not_there() -> None:
    assert [cage.name for cage in cages()] == ["sandbox", "landlock", "none"]
    assert all(cage.missing or cage.open or cage.name == "sandbox" for cage in cages())
    if os.name == "posix" and Path("/usr/bin/bwrap").exists():
        assert cages()[0].missing is None or "does not run here" in str(cages()[0].missing)
