"""Does whoever can rewrite all of the ledger, but not sign, get past someone who keeps its checkpoints?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_migrate.ledger import Kind
from mcp_migrate.ledger.checkpoint import make
from mcp_migrate.ledger.events import Head
from tests.anchors.conftest import ORIGIN, Site
from tests.forger import forge, tamper

Rows = list[dict[str, Any]]
SIZE = 10


def filled(site: Site) -> list[str]:
    """Ten entries, and the checkpoint after each, as a repository keeps them."""
    notes = []
    for n in range(SIZE):
        site.append(Kind.PLAN_FROZEN, n=n, subject=f"plan_{n}")
        site.later(minutes=1)
        notes.append(site.note())
    site.close()
    return notes


def edited(at: int, /, **columns: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows[:at], {**rows[at], **columns}, *rows[at + 1 :]]


ALTERATIONS: dict[str, tuple[Callable[[Rows], Rows], int]] = {
    "body": (edited(4, body='{"n":40}'), 4),
    "time": (edited(4, at="2020-01-01T00:00:00.000000+00:00"), 4),
    "kind": (edited(4, kind="undo.pruned"), 4),
    "workflow": (edited(4, workflow=None), 4),
    "subject": (edited(0, subject="plan_x"), 0),
    "last entry": (edited(9, body="{}"), 9),
    "deleted": (lambda rows: [*rows[:6], *rows[7:]], 6),
    "deleted first": (lambda rows: rows[1:], 0),
    "inserted": (lambda rows: [*rows[:3], rows[0], *rows[3:]], 3),
    "swapped": (lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]], 5),
    "repeated": (lambda rows: [*rows[:2], rows[1], *rows[2:]], 2),
    "cut": (lambda rows: rows[:7], 7),
    "emptied": (lambda _rows: [], 0),
    "cut and grown again": (lambda rows: [*rows[:7], *(edited(0, subject=f"new{n}")(rows)[0] for n in range(5))], 7),
    "made anew": (lambda rows: [{**row, "body": "{}"} for row in rows], 0),
}


@pytest.mark.parametrize("name", ALTERATIONS)
@pytest.mark.proves("ledger-witnessed-tampering")
def test_every_alteration_by_a_thorough_forger_is_found_and_its_first_entry_named(site: Site, name: str) -> None:
    notes = filled(site)
    assert site.audit(*notes).ok
    change, first = ALTERATIONS[name]
    forge(site.path, change)
    report = site.audit(*notes)
    assert not report.ok
    assert min(finding.seq for finding in report.findings if finding.seq is not None) == first
    assert not site.audit(notes[-1]).ok  # one checkpoint is enough to find it, if not to say where


@given(st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.proves("ledger-witnessed-tampering")
def test_a_forger_is_held_to_what_was_witnessed_last(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    site = Site(tmp_path_factory.mktemp("site"))
    notes = filled(site)
    known = data.draw(st.sets(st.integers(1, SIZE), min_size=1).map(sorted))
    at = data.draw(st.integers(0, SIZE - 1))
    change = data.draw(
        st.sampled_from([edited(at, body="{}"), lambda rows: rows[:at], lambda rows: [*rows[:at], *rows[at + 1 :]]])
    )
    forge(site.path, change)
    report = site.audit(*(notes[size - 1] for size in known))
    assert report.ok == (at >= known[-1])
    if not report.ok:
        named = min(finding.seq for finding in report.findings if finding.seq is not None)
        assert max((size for size in known if size <= at), default=0) <= named <= at


@pytest.mark.proves("ledger-witnessed-tampering")
def test_an_entry_taken_out_of_a_log_made_anew_does_not_pass_for_a_cut_end(site: Site) -> None:
    notes = filled(site)
    forge(site.path, lambda rows: [rows[0], *rows[2:]])
    (finding,) = [each for each in site.audit(notes[0], notes[-1]).findings if each.seq is not None]
    assert finding.seq == 1
    assert finding.why.endswith(f"knows {SIZE}: its end was cut, or it was made anew from entry 1 on.")


@pytest.mark.proves("ledger-witnessed-rollback")
def test_a_backup_put_back_is_found(site: Site) -> None:
    notes = filled(site)
    shutil.copytree(site.folder, site.folder.parent / "backup")
    site.append(n=10)
    newest = site.note()
    site.close()
    for file in (site.folder.parent / "backup").iterdir():
        shutil.copy(file, site.folder)
    assert site.audit(*notes).ok
    (finding,) = site.audit(*notes, newest).findings
    assert (finding.seq, finding.why) == (
        10,
        "The log ends after 10 entries, and the checkpoint of the notary knows 11: its end was cut.",
    )


@pytest.mark.proves("ledger-witnessed-tampering")
def test_a_single_bit_is_found_where_it_is(site: Site) -> None:
    notes = filled(site)
    tamper(site.path, "UPDATE events SET body = '{\"n\":5}' WHERE seq = 4")
    report = site.audit(*notes)
    assert report.findings[0].seq == 4
    assert report.verification.head.size == 4
    assert [known.head.size for known in report.verification.agreed] == [1, 2, 3, 4]


@pytest.mark.proves("ledger-checkpoint-key")
def test_a_forger_without_the_key_cannot_bring_a_checkpoint_of_their_own(site: Site) -> None:
    filled(site)
    own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = make(ORIGIN, Head(3, "00" * 32), own.public_key().public_bytes_raw(), own.sign, at=site.now)
    (finding, nobody) = site.audit(str(forged)).findings
    assert "cannot be trusted" in finding.why
    assert "Nobody outside" in nobody.why


def test_what_comes_after_a_checkpoint_is_verified_alone(site: Site) -> None:
    notes = filled(site)
    begin = Head(6, site.audit(*notes).verification.agreed[6].head.root)
    tamper(site.path, "UPDATE events SET body = '{}' WHERE seq = 2")
    since = site.audit(*notes, since=begin)
    assert (since.ok, since.verification.head.size) == (True, SIZE)
    assert site.audit(*notes, since=Head(6, "00" * 32)).findings[0].why == (
        "The first 6 entries are not those to begin after."
    )
    tamper(site.path, "UPDATE events SET body = '{}' WHERE seq = 8")
    assert site.audit(*notes, since=begin).findings[0].seq == 8
