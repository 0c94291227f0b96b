"""Does the signed head get outside, and is it told when it does not?"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mcp_migrate.anchors.witnesses.git import InRepository
from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError, WitnessFailedError
from mcp_migrate.ledger import Kind, Ledger
from mcp_migrate.ledger.note import Algorithm, Note, VerifierKey, cosign, parse_note
from tests.anchors.conftest import Site
from tests.forger import forge
from tests.waiting import until

SECRET = "whsec_" + "QUFB" * 8
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Notary:
    """A program elsewhere that keeps what it is sent and cosigns it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key, self.got, self.answering = key, list[dict[str, Any]](), True
        self.verifier = VerifierKey("notary.example/w1", Algorithm.COSIGNATURE, key.public_key().public_bytes_raw())
        notary = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200 if notary.answering else 503)
                self.end_headers()
                if notary.answering:
                    notary.got.append(json.loads(raw))
                    self.wfile.write(notary.answer(parse_note(notary.got[-1]["checkpoint"])).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, note: Note) -> str:
        line = cosign(note.text, self.verifier, self.key.sign, at=datetime(2026, 3, 4, 5, 6, 20, tzinfo=UTC))
        return str(Note("", (line,)))[1:]


@pytest.fixture
def notary(witness_key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notary]:
    monkeypatch.setenv("NOTARY_SECRET", SECRET)
    made = Notary(witness_key)
    yield made
    made.server.shutdown()
    made.server.server_close()


def outside(site: Site, notary: Notary) -> None:
    """One witness of each kind."""
    for name in ("mount", "repository"):
        (site.folder / name).mkdir()
    subprocess.run(["git", "init", "-q", str(site.folder / "repository")], check=True)
    Ledger.open(f"sqlite:///{site.folder}/other.db").close()
    site.configure(
        cosigners=[str(notary.verifier)],
        witnesses=[
            {"name": "mount", "kind": "file", "path": str(site.folder / "mount" / "checkpoint")},
            {"name": "git", "kind": "git", "repository": str(site.folder / "repository")},
            {"name": "other", "kind": "ledger", "url": f"sqlite:///{site.folder}/other.db"},
            {
                "name": "notary",
                "kind": "webhook",
                "url": f"http://127.0.0.1:{notary.server.server_port}/",
                "secret": "${env:NOTARY_SECRET}",
            },
        ],
    )


@pytest.mark.proves("ledger-witnesses", "ledger-cosignatures", "ledger-witnessed-rollback", "ledger-witness-down")
def test_a_checkpoint_goes_to_every_witness_and_each_of_them_finds_a_rollback(site: Site, notary: Notary) -> None:
    outside(site, notary)
    nothing = dict.fromkeys(("mount", "git", "other", "notary"))
    site.append(n=0)
    site.keeper.sign()
    assert site.keeper.push() == nothing
    site.append(n=1)
    site.later(seconds=5)
    second = site.keeper.sign()
    assert site.keeper.push() == nothing
    assert site.keeper.push() == {}  # everyone has it

    kept = (site.folder / "mount" / "checkpoint").read_text()
    assert kept == str(second.note) == notary.got[-1]["checkpoint"]
    log = subprocess.check_output(["git", "-C", str(site.folder / "repository"), "log", "--format=%s"])
    assert log.split(b"\n")[:2] == [f"Checkpoint {second.head.size}".encode(), b"Checkpoint 1"]
    report = site.audit()
    assert report.ok, report.findings
    named = {known.by for known in report.verification.agreed}
    assert {f"the checkpoint of the witness {name}" for name in ("mount", "git", "other")} <= named
    assert report.newest
    assert "entry" in report.newest.known.by  # the notary's own time, on the record, is the newest

    # Cut back to the first checkpoint, the forger signs nothing, and nobody outside gives up what they know.
    site.close()
    forge(site.path, lambda rows: rows[:2])
    report = site.audit()
    assert {finding.seq for finding in report.findings} == {1}  # nobody else knows the second entry
    assert len(report.findings) == 3
    site.append(n=2)
    site.keeper.sign()
    refused = site.keeper.push(at_once=True)
    assert [name for name, why in refused.items() if why and "does not continue" in why] == ["mount", "git", "other"]
    assert (site.folder / "mount" / "checkpoint").read_text() == kept


@pytest.mark.proves("ledger-witnesses")
def test_two_machines_push_to_a_branch_each_and_are_told_where_they_share_one(site: Site, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "-q", "--bare", "far")
    machines = [InRepository(name, tmp_path / name, push=True) for name in ("one", "two")]
    for each in machines:
        git("clone", "-q", "far", each.name)
    site.append(n=0)
    note = site.keeper.sign().note
    machines[0].take(note, size=1, at=NOW)
    with pytest.raises(WitnessFailedError, match="one of its own"):
        machines[1].take(note, size=2, at=NOW)
    git("-C", "two", "switch", "-q", "-c", "second")
    git("-C", "two", "config", "push.default", "current")
    machines[1].take(note, size=2, at=NOW)
    assert len(git("-C", "far", "for-each-ref").splitlines()) == 2
    assert parse_note(machines[1].kept()[0]) == note


@pytest.mark.proves("ledger-witness-down", "interface-witness-failed")
def test_a_witness_that_is_down_is_told_and_asked_again_and_stops_nothing(site: Site, notary: Notary) -> None:
    outside(site, notary)
    notary.answering = False
    (site.folder / "mount").rename(site.folder / "unmounted")
    site.append(n=0)
    site.keeper.sign()
    failing = {name: why for name, why in site.keeper.push().items() if why}
    assert set(failing) == {"mount", "notary"}
    assert site.keeper.push() == {}  # too early to ask again
    failures = site.ledger.last(Kind.WITNESS_FAILED, limit=9)
    assert {event.body["witness"] for event in failures} == {"mount", "notary"}
    site.later(seconds=11)
    notary.answering = True
    assert site.keeper.push()["notary"] is None
    assert site.keeper.push(at_once=True).keys() == {"mount"}


@pytest.mark.proves("ledger-anchor-age")
def test_a_ledger_nobody_outside_knows_or_knew_for_too_long_does_not_verify(site: Site) -> None:
    site.append(n=0)
    assert ["Nobody outside" in finding.why for finding in site.audit().findings] == [True]
    note = site.note()
    assert site.audit(note).ok
    site.later(hours=24)
    assert site.audit(note).ok
    site.later(seconds=1)
    (old,) = site.audit(note).findings
    assert "what came after entry 0 could have been changed" in old.why
    site.later(days=3)
    ahead = site.note()
    site.later(days=-3)
    assert not site.audit(ahead).ok  # a time that lies ahead says nothing of an age


@pytest.mark.proves("ledger-checkpoints-made")
def test_the_head_is_signed_after_decisions_and_applies_and_from_time_to_time(site: Site) -> None:
    def signed() -> list[int]:
        return [event.body["size"] for event in reversed(site.ledger.last(Kind.CHECKPOINT_SIGNED, limit=99))]

    keeper = site.keeper
    site.ledger.after.append(keeper.noticed)
    assert keeper.due()
    site.append(n=0)
    assert signed() == []
    for kind in (Kind.APPROVAL_DECIDED, Kind.STEP_FINISHED):
        site.append(kind, n=1, subject="x")
    assert signed() == [2, 4]
    assert not keeper.due()
    site.later(hours=2)
    assert not keeper.due()  # nothing new
    site.append(n=2)
    assert keeper.due()
    keeper.sign()
    site.later(hours=12)
    assert keeper.due()  # nothing new, but what is outside must not grow too old


@pytest.mark.proves("ledger-key-lost")
def test_without_its_key_the_ledger_goes_on_and_says_so(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.ledger.after.append(site.keeper.noticed)
    site.key.rename(site.folder / "lost")
    site.append(Kind.STEP_FINISHED, n=1, subject="x")
    assert "was not signed" in caplog.text
    assert site.ledger.head().size == 1


@pytest.mark.proves("ledger-key-lost")
def test_a_rotated_key_is_known_by_being_named(site: Site) -> None:
    from mcp_migrate.signers.sign import generate_key

    site.append(n=0)
    site.keeper.sign()
    (old,) = site.keeper.keys()
    site.key = site.folder / "new_key"
    generate_key(site.key)
    site.configure()
    assert site.keeper.due()
    site.keeper.sign()
    note = site.note()
    assert [finding.seq for finding in site.audit(note).findings] == [1]
    site.configure(retired=[str(old)])
    assert site.audit(note).ok


def test_a_key_signs_from_the_environment_as_from_its_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    by_file = site.keeper.keys()
    monkeypatch.setenv("LOG_KEY", site.key.read_text())
    site.configure(key={"env": "LOG_KEY"})
    assert site.keeper.keys() == by_file
    monkeypatch.delenv("LOG_KEY")
    with pytest.raises(CredentialFailedError, match="LOG_KEY"):
        site.keeper.keys()


@pytest.mark.skipif(os.name != "posix", reason="modes are told otherwise there")
def test_a_key_that_others_can_read_signs_nothing(site: Site) -> None:
    site.key.chmod(0o644)
    with pytest.raises(ConfigInvalidError, match="open to others"):
        site.keeper.keys()


@pytest.mark.skipif(os.name != "posix", reason="the agent's socket is another there")
def test_a_key_in_ssh_agent_signs_what_the_file_would(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    by_file = site.note()
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        site.configure(key={"ssh_agent": site.key.with_name("log_key.pub").read_text()})
        until(socket.exists)
        with pytest.raises(CredentialFailedError, match="does not hold the key"):
            site.note()
        subprocess.run(["ssh-add", "-q", str(site.key)], check=True)
        assert site.note() == by_file
    finally:
        agent.terminate()
        agent.wait()
    with pytest.raises(CredentialFailedError, match="ssh-agent did not sign"):
        site.note()
