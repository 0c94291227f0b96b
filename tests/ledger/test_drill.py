"""Does the drill tell the truth: what is found, by what, and what only somebody outside could find?"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mcp_migrate.anchors.keys import open_key
from mcp_migrate.drill import running
from mcp_migrate.drill.alterations import Alteration
from mcp_migrate.drill.running import Drill, drill
from mcp_migrate.errors import ConfigInvalidError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Kind, Ledger, verify
from mcp_migrate.ledger.checkpoint import make
from mcp_migrate.settings import Settings
from mcp_migrate.settings.anchoring import Checkpoints
from mcp_migrate.signers.sign import generate_key
from tests.ledger.conftest import in_a_file, in_a_schema

OUTSIDE_ALONE = {
    "an old backup is put back",
    "the log goes on differently from an entry on",
    "the whole log is made anew",
    "the last entry is edited, all is hashed again",
}


def filled(url: str, now: datetime) -> None:
    with Ledger.open(url) as ledger:
        for n in range(10):
            ledger.append(Draft(Kind.CALL_RECEIVED, {"n": n}, workflow="shop", subject=f"call_{n}"), at=now)


def settings_of(url: str, folder: Path, **checkpoints: Any) -> Settings:
    owner = {"name": "Ada", "email": "ada@example.com"}
    raw: dict[str, Any] = {
        "version": 1,
        "ledger": url,
        "redaction_key": "${env:NOBODY_ASKS}",
        "targets": {"shop": {"tier": "development", "alembic": "alembic.ini", "url": "sqlite:///shop.db"}},
        "workflows": {"shop": {"owner": owner, "principals": ["a"], "scopes": [{"tools": ["*"], "targets": ["*"]}]}},
    }
    if checkpoints:
        generate_key(folder / "log_key")
        checkpoints = {"origin": "shop.example/ledger", "key": {"file": str(folder / "log_key")}, **checkpoints}
    found = Settings.model_validate(raw)
    found._path = folder / "mcp-migrate.yaml"
    return found.model_copy(update={"checkpoints": Checkpoints.model_validate(checkpoints) if checkpoints else None})


def witnessed(url: str, folder: Path, now: datetime) -> Settings:
    """Whose head of now a file outside keeps."""
    settings = settings_of(url, folder, witnesses=[{"kind": "file", "name": "mount", "path": str(folder / "kept")}])
    assert settings.checkpoints
    key = open_key(settings.checkpoints.key)
    with Ledger.open(url) as ledger:
        (folder / "kept").write_text(str(make("shop.example/ledger", ledger.head(), key.point, key.sign, at=now)))
    return settings


def unfound(done: Drill) -> set[str]:
    return {each.name for each in done.attempts if not each.findings}


@pytest.mark.proves("ledger-drill")
def test_without_anybody_outside_the_drill_says_what_a_thorough_forger_gets_away_with(
    url: str, tmp_path: Path, now: datetime
) -> None:
    filled(url, now)
    files = {each.name: each.read_bytes() for each in Path(url.removeprefix("sqlite:///")).parent.iterdir()}
    done = drill(settings_of(url, tmp_path), now=now)
    assert done.ok
    thorough = {each.name for each in done.attempts if each.name.endswith(", all is hashed again")}
    assert unfound(done) == OUTSIDE_ALONE | thorough
    assert all(each.witnessed for each in done.attempts if not each.findings)
    assert {each.first_bad for each in done.attempts if each.findings and " edited" in each.name} == {4}
    [hidden] = [each.findings for each in done.attempts if each.name == "an index hides an entry"]
    assert hidden[0].why.startswith("The file is damaged: ")
    assert any("no checkpoints are configured" in note for note in done.notes)
    assert {each.name: each.read_bytes() for each in Path(url.removeprefix("sqlite:///")).parent.iterdir()} == files


@pytest.mark.proves("ledger-drill")
def test_with_a_witness_everything_is_found_and_the_first_bad_entry_is_close(
    url: str, tmp_path: Path, now: datetime
) -> None:
    filled(url, now)
    settings = witnessed(url, tmp_path, now)
    done = drill(settings, now=now + timedelta(days=90))  # however old the checkpoint is: its age is no tampering
    assert (done.ok, unfound(done), done.outside) == (True, set(), 10)
    assert "a checkpoint that another key signed is brought along" in {each.name for each in done.attempts}
    with Ledger.open(url) as ledger:
        ledger.append(Draft(Kind.CALL_RECEIVED, {}), at=now)
    later = drill(settings, now=now)
    assert unfound(later) == {"the last entry is edited, all is hashed again"}
    assert later.ok
    assert any("from entry 10 on" in note for note in later.notes)


@pytest.mark.proves("ledger-drill")
def test_what_should_be_found_and_is_not_fails_the_drill(
    url: str, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(url, now)
    monkeypatch.setattr(running, "alterations", lambda *_: [Alteration("nothing at all is done", lambda *_: None)])
    done = drill(settings_of(url, tmp_path), now=now)
    assert [(each.name, each.missed) for each in done.attempts] == [("nothing at all is done", True)]
    assert not done.ok


@pytest.mark.proves("ledger-drill")
def test_a_copy_on_a_server_is_made_elsewhere_and_leaves_nothing_behind(
    ledgers_url: str, tmp_path: Path, now: datetime, postgres_server: str
) -> None:
    url = in_a_schema(ledgers_url).url
    filled(url, now)
    settings = settings_of(url, tmp_path)
    with pytest.raises(ConfigInvalidError, match="never into its own database") as refused:
        drill(settings, now=now, into=ledgers_url)
    assert "--copy-in" in refused.value.hint
    done = drill(settings, now=now, into=postgres_server)
    assert (done.ok, unfound(done)) == (True, set())  # this machine remembers the head, and a forger elsewhere cannot
    assert verify(url).ok
    from mcp_migrate.drivers.postgresql import connect

    with connect(postgres_server) as admin:
        left = admin.execute(b"SELECT nspname FROM pg_namespace WHERE nspname LIKE '%drill%'").fetchall()
    assert left == []


@pytest.mark.proves("ledger-drill")
def test_there_is_no_drill_on_a_ledger_that_is_bad_or_next_to_empty(tmp_path: Path, now: datetime) -> None:
    place = in_a_file(tmp_path / "bad" / "ledger.db")
    Ledger.open(place.url).close()
    with pytest.raises(LedgerUnavailableError, match="needs 3 to tamper with"):
        drill(settings_of(place.url, tmp_path), now=now)
    filled(place.url, now)
    place.tamper("UPDATE {events} SET body = '{}' WHERE seq = 4")
    with pytest.raises(LedgerCorruptError, match=re.escape("does not verify, so a drill shows nothing")):
        drill(settings_of(place.url, tmp_path), now=now)


def test_entries_that_say_the_same_and_a_witness_that_is_down_make_no_false_alarm(
    url: str, tmp_path: Path, now: datetime
) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(*[Draft(Kind.CALL_RECEIVED, {"n": 1})] * 10, at=now)
    settings = witnessed(url, tmp_path, now)
    assert drill(settings, now=now).ok
    (tmp_path / "kept").unlink()
    (tmp_path / "kept").mkdir()
    done = drill(settings, now=now)
    assert (done.ok, done.outside) == (True, 0)
    assert any("mount" in note for note in done.notes)
