"""Is a child out of a nursery what one is that begins by itself, and what when there can be none?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.migrations.cage.tiers import cages
from mcp_migrate.migrations.nursery import Nurseries, Nursery
from mcp_migrate.migrations.project import Project
from mcp_migrate.migrations.starting import scrubbed
from mcp_migrate.model import Plan
from tests.migrations.sample import Shop

_SANDBOX = cages()[0].missing
pytestmark = pytest.mark.skipif(_SANDBOX is not None, reason=f"no sandbox: {_SANDBOX}")

_TOP = """
import ctypes, json, os, resource, signal, socket, sys, threading
libc = ctypes.CDLL(None)
DIFFERENT = {"HOME", "TMPDIR", "PYTHONSTARTUP", "PYTHONHASHSEED"}

def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True

def refused(path):
    try:
        return sorted(os.listdir(path))
    except OSError as problem:
        return problem.strerror

def capabilities():
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    return list(sets)
"""
_TELL = """
seen = {
    "capabilities": [capabilities(), [libc.prctl(23, number, 0, 0, 0) for number in range(41)]],
    "privileges": [libc.prctl(39, 0, 0, 0, 0), os.getresuid(), os.getresgid(), os.getgroups()],
    "open": [number for number in range(256) if is_open(number)],
    "leads its session": [os.getsid(0) in (0, os.getpid()), os.getpgid(0) in (0, os.getpid())],
    "few others": os.getpid() < 9,
    "environment": {name: value for name, value in os.environ.items() if name not in DIFFERENT},
    "home": [os.environ["HOME"] == os.environ["TMPDIR"], refused(os.environ["HOME"])],
    "interpreter": [sys.argv[1:], [sys.flags.safe_path, sys.flags.isolated], sys.path, threading.active_count()],
    "limits": [resource.getrlimit(kind) for kind in range(16)],
    "signals": [str(signal.getsignal(n)) for n in (1, 2, 13, 15, 17)],
    "place": [os.getcwd(), os.umask(0), socket.gethostname(), refused("/"), refused("/tmp"), refused("/proc")],
}
op.execute("CREATE TABLE seen (id int DEFAULT '" + json.dumps(seen).encode().hex() + "')")
"""


def told(shop: Shop) -> Mapping[str, Any]:
    """What a revision of this shop sees of itself."""
    shop.revise("d4", "c3", _TELL, top=_TOP)
    sql = next(each.sql for each in shop.plan().statements if "TABLE seen" in each.sql)
    found: Mapping[str, Any] = json.loads(bytes.fromhex(sql.split("'")[1]))
    return found


@pytest.mark.proves("nursery-alike")
def test_a_child_out_of_a_nursery_lives_as_one_that_begins_by_itself(lite_shop: Shop) -> None:
    born = told(lite_shop)
    # With a variable that an interpreter looks at when it begins, it begins by itself.
    lite_shop.project = Project(lite_shop.ini, environment={"PYTHONSTARTUP": "none"}, models=None)
    assert born == told(lite_shop)
    assert not any(map(any, born["capabilities"]))
    assert born["privileges"][0] == 1


@pytest.fixture
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    """One for this test alone, which loads a file of ours when it begins."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "sitecustomize.py").touch()
    environment = {**scrubbed("/nonexistent"), "PYTHONPATH": str(folder)}
    only = Nursery(environment)
    monkeypatch.setattr(Nurseries, "of", lambda _self, _environment: only)
    yield only
    only.close()


def planned_anew(shop: Shop) -> Plan:
    """Without what is remembered."""
    shop.confine(shop.confined)
    return shop.plan()


def test_what_is_installed_anew_is_loaded_anew(lite_shop: Shop, nursery: Nursery, tmp_path: Path) -> None:
    first, process = planned_anew(lite_shop), nursery._process
    assert process
    planned_anew(lite_shop)
    assert nursery._process is process
    (tmp_path / "installed" / "sitecustomize.py").write_text("# another")
    assert planned_anew(lite_shop) == first
    assert nursery._process not in {None, process}


def test_a_nursery_that_ended_is_started_again(lite_shop: Shop, nursery: Nursery) -> None:
    first, process = planned_anew(lite_shop), nursery._process
    assert process
    process.kill()
    process.wait()
    assert planned_anew(lite_shop) == first
    assert nursery._process not in {None, process}


def test_without_a_nursery_a_child_begins_by_itself(
    lite_shop: Shop, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_migrate.migrations.nursery.START", "/nonexistent")
    first = planned_anew(lite_shop)
    assert nursery._process is None
    assert not nursery.usable
    monkeypatch.undo()
    assert planned_anew(lite_shop) == first


def test_a_fork_of_the_server_asks_no_nursery_of_the_servers() -> None:
    mine = Nurseries()
    mine._owner += 1
    assert mine.of({}) is None


def test_a_nursery_ends_with_its_server(nursery: Nursery) -> None:
    nursery._start().close()  # as the kernel does when the server is killed
    assert nursery._process
    assert nursery._process.wait(60) == 0
