from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mcp_migrate.errors import RenderFailedError
from mcp_migrate.migrations.cage.confinement import Confinement
from tests.migrations.sample import ENV, Shop
from tests.waiting import until

_ALLOWED = {"HOME", "TMPDIR", "LANG", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONPATH"}


def test_env_py_sees_no_variable_of_the_server(lite_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_DATABASE_URL", "postgresql://root:secret@db/prod")
    lite_shop.env("import os\nraise RuntimeError('sees ' + ','.join(sorted(os.environ)) + ' ' + os.environ['HOME'])\n")

    with pytest.raises(RenderFailedError) as caught:
        lite_shop.project.describe("sqlite")

    names, home = caught.value.details["reason"].removeprefix("RuntimeError: sees ").split(" ")
    assert set(names.split(",")) <= _ALLOWED
    assert home != os.environ.get("HOME")
    assert not Path(home).exists()


def test_env_py_has_no_open_file_of_the_server(lite_shop: Shop) -> None:
    ledger = lite_shop.folder / "ledger.db"
    ledger.touch()
    with ledger.open() as opened:
        os.set_inheritable(opened.fileno(), True)  # noqa: FBT003  its name
        lite_shop.env(
            "import contextlib, os\nfound = []\nfor n in range(256):\n"
            "    with contextlib.suppress(OSError): found.append(os.fstat(n).st_ino)\nraise RuntimeError(found)\n"
        )
        with pytest.raises(RenderFailedError) as caught:
            lite_shop.project.describe("sqlite")

    found = json.loads(caught.value.details["reason"].removeprefix("RuntimeError: "))
    assert len(found) >= len("input output errors".split())
    assert ledger.stat().st_ino not in found


def test_env_py_sees_what_the_target_configures(lite_shop: Shop) -> None:
    lite_shop.environment["SHOP_SETTINGS"] = "testing"
    lite_shop.env("import os\nassert os.environ['SHOP_SETTINGS'] == 'testing'\n" + ENV)
    lite_shop.project._environment["SHOP_SETTINGS"] = "testing"

    assert lite_shop.project.describe("sqlite").heads == ("c3",)


def test_the_working_folder_is_that_of_the_ini_file(lite_shop: Shop) -> None:
    (lite_shop.folder / "helper.py").write_text("TABLE = 'helped'\n")
    lite_shop.revise("d4", "c3", 'op.create_table(helper.TABLE, sa.Column("id", sa.Integer))', top="import helper")

    assert lite_shop.plan().statements[-2].sql.strip().startswith("CREATE TABLE helped")


def test_a_hard_coded_url_never_gets_a_connection(shop: Shop) -> None:
    engine = """    from sqlalchemy import create_engine
    engine = create_engine("postgresql+psycopg2://admin:secret@db.example.com/prod", pool_size=5, max_overflow=2,
                           connect_args={"options": "-c x=y"}, echo=True)
"""
    lite = ENV.splitlines(keepends=True)
    shop.env("".join(engine if "engine = engine_from_config" in line else line for line in lite))

    plan = shop.plan()

    assert plan.to_revision == "c3"
    assert plan.statements


def test_a_creator_is_not_asked(lite_shop: Shop) -> None:
    lite_shop.env(ENV.replace("poolclass=pool.NullPool", "creator=lambda: 1 / 0, module=object()"))

    assert lite_shop.plan().to_revision == "c3"


def test_an_engine_made_another_way_is_refused(lite_shop: Shop) -> None:
    lite_shop.env(
        ENV.replace(
            "    with engine.connect()",
            "    engine = type(engine)(engine.pool, engine.dialect, engine.url)\n"
            "    from sqlalchemy import pool, event\n"
            "    engine = sneak(engine)\n"
            "    with engine.connect()",
        )
        + "\n"
    )
    sneak = """
def sneak(engine):
    import sqlalchemy
    original = sqlalchemy.create_engine.__closure__
    make = [cell.cell_contents for cell in original if callable(cell.cell_contents)][0]
    return make("sqlite:///elsewhere.db")
"""
    path = lite_shop.folder / "migrations" / "env.py"
    path.write_text(sneak + path.read_text())

    with pytest.raises(RenderFailedError, match="could not be turned to the scratch database"):
        lite_shop.plan()
    assert not (lite_shop.folder / "elsewhere.db").exists()


def test_a_flood_of_output_disturbs_nothing(lite_shop: Shop) -> None:
    lite_shop.revise(
        "d4", "c3", "for n in range(40_000):\n    print('x' * 100, n)\nop.execute('CREATE TABLE d (id int)')"
    )

    assert lite_shop.plan().statements[-2].sql == "CREATE TABLE d (id int)"


def test_what_was_printed_before_a_failure_is_shown_cut(lite_shop: Shop) -> None:
    lite_shop.revise("d4", "c3", "print('y' * 90_000)\nprint('last \\x1b[31m words')\nraise ValueError('no')")

    with pytest.raises(RenderFailedError, match=r"Revision d4 .*ValueError: no") as caught:
        lite_shop.plan()

    details = caught.value.details
    assert details["revision"] == "d4"
    assert details["reason"] == "ValueError: no"
    assert "last [31m words" in details["output"]
    assert len(details["output"]) <= 2_000


def test_a_revision_that_never_ends_is_killed_with_what_it_started(tmp_path: Path) -> None:
    (tmp_path / "shop.db").touch()
    shop = Shop(tmp_path, f"sqlite:///{tmp_path}/shop.db", timeout=10.0, confined=Confinement(use="none"))
    shop.revise(
        "d4",
        "c3",
        "process = subprocess.Popen(['sleep', '300'])\nopen('pid', 'w').write(str(process.pid))\ntime.sleep(300)",
        top="import subprocess, time",
    )
    with pytest.raises(RenderFailedError, match="no answer within 10 seconds"):
        shop.plan()

    until(lambda: _gone(int((tmp_path / "pid").read_text())))


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("import os; os._exit(0)", "ended by itself"),
        ("raise SystemExit(3)", "ended the process"),
        ("input()", "EOFError"),
    ],
)
def test_a_revision_that_ends_the_process_is_refused(lite_shop: Shop, ending: str, reason: str) -> None:
    lite_shop.revise("d4", "c3", ending)

    with pytest.raises(RenderFailedError, match=reason):
        lite_shop.plan()


def test_a_project_is_not_littered(lite_shop: Shop) -> None:
    before = sorted(lite_shop.folder.rglob("*"))

    lite_shop.plan()

    assert sorted(lite_shop.folder.rglob("*")) == before
