"""Is a ledger that goes to another database the same tree, and does only one of the two go on?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from mcp_migrate.errors import ConfigInvalidError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger import Draft, Kind, Ledger, moving, verify
from mcp_migrate.ledger.moving import move
from tests.ledger.conftest import Place, in_a_file

RECEIVED = Draft(Kind.CALL_RECEIVED, {"text": "é\0"}, workflow="shop", subject="s")


@pytest.fixture
def old(tmp_path: Path, now: datetime) -> Place:
    """A file with ten entries."""
    place = in_a_file(tmp_path / "old" / "ledger.db")
    with Ledger.open(place.url) as ledger:
        ledger.append(*[RECEIVED] * 10, at=now)
    return place


@pytest.mark.proves("ledger-moves")
def test_a_ledger_that_moves_keeps_its_tree_and_goes_on_in_one_place_only(
    old: Place, place_of: Callable[[], Place], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_PAGE", 4)
    new = place_of()
    head = move(old.url, new.url, at=now)
    with Ledger.open(old.url) as before, Ledger.open(new.url) as after:
        assert before.head() == head
        whole = before.read()
        assert after.read(limit=head.size) == whole
        assert [event.kind for event in after.read(since=9)] == _ENDS
        assert whole[-1].body == {"to": after.place}
        assert after.read(since=head.size)[0].body == {"from": before.place, "size": head.size, "root": head.root}
        with pytest.raises(LedgerUnavailableError, match="was moved"):
            before.append(RECEIVED, at=now)
        assert after.append(RECEIVED, at=now)[0].seq == head.size + 1
    assert verify(old.url, trusted=[head]).ok
    assert verify(new.url, trusted=[head]).ok
    with pytest.raises(LedgerUnavailableError, match="goes on from this one already"):
        move(old.url, new.url, at=now)
    back = move(new.url, old.url, at=now)  # the old one is a beginning of the new one, so it can take it all back
    with Ledger.open(old.url) as again:
        assert again.append(RECEIVED, at=now)[0].seq == back.size + 1


_ENDS = [Kind.CALL_RECEIVED, Kind.LEDGER_MOVED, Kind.LEDGER_CONTINUED]


@pytest.mark.parametrize("step", ["_copy", "_check_whole"])
@pytest.mark.proves("ledger-moves")
def test_a_move_that_was_cut_short_is_taken_up_again(
    old: Place, place_of: Callable[[], Place], now: datetime, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    new, real = place_of(), getattr(moving, step)

    def cut(*arguments: object) -> None:
        real(*arguments)
        if step == "_copy" or arguments[1]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(moving, step, cut)
        with pytest.raises(KeyboardInterrupt):
            move(old.url, new.url, at=now)
    for place in (old, new):  # until it is finished, neither takes an entry
        with Ledger.open(place.url) as ledger, pytest.raises(LedgerUnavailableError, match="was moved"):
            ledger.append(RECEIVED, at=now)
    head = move(old.url, new.url, at=now)
    assert head.size == 11
    assert verify(new.url, trusted=[head]).head.size == 12


def test_a_ledger_that_does_not_verify_is_not_moved(old: Place, place_of: Callable[[], Place], now: datetime) -> None:
    new = place_of()
    old.tamper("UPDATE events SET body = '{}' WHERE seq = 4")
    with pytest.raises(LedgerCorruptError, match="entry 4"):
        move(old.url, new.url, at=now)
    with pytest.raises(LedgerUnavailableError):
        verify(new.url)


def test_a_ledger_never_moves_into_another_or_into_itself(
    old: Place, place_of: Callable[[], Place], now: datetime
) -> None:
    other = place_of()
    with Ledger.open(other.url) as ledger:
        ledger.append(Draft(Kind.CALL_FINISHED, {}), at=now)
    with pytest.raises(ConfigInvalidError, match="is another one"):
        move(old.url, other.url, at=now)
    with pytest.raises(ConfigInvalidError, match="one ledger"):
        move(old.url, f"{old.url}", at=now)
    with Ledger.open(old.url) as ledger:
        assert ledger.append(RECEIVED, at=now)[0].seq == 10
