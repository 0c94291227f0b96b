"""Can somebody who has one file and the ledger's verifier key check an apply, and does every lie in it show?"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_migrate.anchors.keys import verifier_keys
from mcp_migrate.errors import EvidenceInvalidError
from mcp_migrate.evidence.checking import check, otherwise
from mcp_migrate.evidence.envelope import pae, seal
from mcp_migrate.evidence.making import PAYLOAD
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.ledger.moving import move
from mcp_migrate.ledger.note import Algorithm, Note, VerifierKey, cosign, parse_note
from mcp_migrate.model import canonical
from mcp_migrate.signers.sign import generate_key
from tests.ledger.conftest import in_a_schema, ledgers_url
from tests.world import World, proved

__all__ = ["ledgers_url"]


class Case:
    """An apply that Grace approved and that was rolled back, and the file of it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        generate_key(folder / "log_key")
        told = {"origin": "shop.example/ledger", "key": {"file": "log_key"}}
        self.world.configure(lambda value: value.update(checkpoints=told))
        anyio.run(self._live)
        self.path, self.page = folder / "apply.dsse.json", folder / "apply.html"
        made = self.world.here("ledger", "evidence", self.apply_id, "--out", str(self.path), "--html", str(self.page))
        assert made.returncode == 0, made.stderr
        self.key_text = made.stderr.removeprefix("key ").strip()
        self.keys = verifier_keys([self.key_text])
        self.text = self.path.read_text()

    async def _live(self) -> None:
        async with self.world.agent() as agent:
            assert (await agent.plan_and_apply("b2"))["status"] == "applied"
            asked = await agent.plan_and_apply("c3")
            self.world.sign(asked["request_id"])
            done = await agent.plan_and_apply("c3")
            self.apply_id = str(done["apply_id"])
            assert (await agent.call("migration_rollback", apply_id=self.apply_id))["status"] == "applied"

    def statement(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(base64.b64decode(json.loads(self.text)["payload"]))
        return value

    def sealed(self, statement: dict[str, Any]) -> str:
        """Another statement, signed by the log's own key: by whoever has that, and lies."""
        private: Any = load_ssh_private_key((self.world.folder / "log_key").read_bytes(), None)
        return seal(PAYLOAD, canonical(statement), self.keys[0], private.sign)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case"))


@pytest.mark.proves("evidence-offline")
def test_one_file_tells_the_whole_story_on_a_machine_that_has_nothing_else(case: Case, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_migrate", "ledger", "verify", case.path, "--key", case.key_text, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    told = found["told"]
    assert (found["ok"], found["decisions"]) == (True, 1)
    assert (told["principal"], told["owner"], told["workflow"]) == ("agent:demo", "Ada Lovelace", "shop-agent")
    assert (told["intent"], told["planned"]["principal"]) == ("Bring the shop to where it should be", "agent:demo")
    assert [(each["reviewer"], each["decision"]) for each in told["decisions"]] == [("grace", "approve")]
    assert "ALTER TABLE customers DROP COLUMN fax" in [each["sql"] for each in told["statements"]]
    assert (told["outcome"]["status"], told["outcome"]["revision"]) == ("applied", "c3")
    assert [back["outcome"]["status"] for back in told["rollbacks"]] == ["applied"]
    assert told["planned"]["rehearsal"]["rollback_restored"]
    [back] = told["rollbacks"]
    left, again = told["left"], back["left"]
    assert (left["revision"], left["fingerprint"]) == ("c3", told["outcome"]["fingerprint"])
    assert (again["revision"], again["fingerprint"]) == ("b2", told["plan"]["base_fingerprint"])
    assert left["objects"] > 1


@pytest.mark.proves("evidence-interoperates")
def test_the_file_is_a_signed_in_toto_statement_to_any_tool(case: Case) -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (  # the vector of the DSSE specification
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    envelope, statement = json.loads(case.text), case.statement()
    payload, [signed] = base64.b64decode(envelope["payload"]), envelope["signatures"]
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    point = base64.b64decode(case.key_text.split("+", 2)[2])[1:]
    Ed25519PublicKey.from_public_bytes(point).verify(base64.b64decode(signed["sig"]), message)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    plan = statement["subject"][1]
    assert plan["name"] == "plan_" + plan["digest"]["sha256"][:20]


@pytest.mark.proves("evidence-cosigned", "evidence-offline")
def test_it_is_the_same_from_a_ledger_on_a_server_and_names_the_witnesses_of_its_head(
    case: Case, tmp_path: Path, ledgers_url: str
) -> None:
    for file in (case.world.folder / ".mcp-migrate").glob("ledger.db*"):
        shutil.copy(file, tmp_path)
    shutil.copy(case.world.folder / "log_key", tmp_path / "proving_key")
    server = in_a_schema(ledgers_url).url
    move(f"sqlite:///{tmp_path}/ledger.db", server, at=datetime.now(UTC))
    private = Ed25519PrivateKey.generate()
    notary = VerifierKey("notary.example/w1", Algorithm.COSIGNATURE, private.public_key().public_bytes_raw())
    witness = {"kind": "file", "name": "notary", "path": str(tmp_path / "kept")}
    more = {"witnesses": [witness], "cosigners": [str(notary)]}
    with Ledger.open(server) as ledger:
        assert proved(ledger, case.apply_id, tmp_path, **more).checkpoint.cosigners == ()
        [signed] = ledger.last(Kind.CHECKPOINT_SIGNED)
        note = parse_note(str(signed.body["checkpoint"]))
        line = cosign(note.text, notary, private.sign, at=datetime.now(UTC))
        took = {"witness": "notary", "checkpoint": str(note.with_lines(str(Note("", (line,)))[1:]))}
        ledger.append(Draft(Kind.WITNESS_TOOK, took, subject="notary"), at=datetime.now(UTC))
        found = proved(ledger, case.apply_id, tmp_path, **more)
    assert found.told == case.statement()["predicate"]["told"]
    assert found.checkpoint.cosigners == ("notary.example/w1",)


@given(st.data())
@settings(max_examples=60)
@pytest.mark.proves("evidence-tampering")
def test_a_changed_byte_anywhere_is_found(case: Case, data: st.DataObject) -> None:
    raw = bytearray(case.text.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 6))
    with pytest.raises(EvidenceInvalidError):
        check(raw.decode(errors="replace"), case.keys)


@pytest.mark.proves("evidence-tampering", "interface-evidence-invalid")
def test_another_spelling_and_another_key_are_refused(case: Case) -> None:
    assert check(case.text, case.keys).decisions == 1
    other = VerifierKey(case.keys[0].name, case.keys[0].algorithm, bytes(32))
    for text, keys in (
        (case.text + "\n", case.keys),
        (json.dumps(json.loads(case.text)), case.keys),
        (case.text, [other]),
        (case.text, []),
        ("[" * 100_000, case.keys),
        ("", case.keys),
    ):
        with pytest.raises(EvidenceInvalidError):
            check(text, keys)


def _without(kind: Kind) -> Callable[[dict[str, Any]], None]:
    def change(predicate: dict[str, Any]) -> None:
        predicate["entries"] = [each for each in predicate["entries"] if each["entry"]["kind"] != kind]
        predicate["told"]["decisions"] = []

    return change


LIES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another story": (lambda it: it["told"].update(principal="agent:other"), "not what its entries say"),
    "an edited entry": (lambda it: it["entries"][1]["entry"].update(workflow="other"), "not in the log"),
    "an entry from elsewhere": (lambda it: it["entries"][1]["entry"].update(seq=10_000), "not in the log"),
    "other order": (lambda it: it["entries"].reverse(), "not in their order"),
    "no decision": (_without(Kind.APPROVAL_DECIDED), "grace is said to have agreed"),
    "no keys": (_without(Kind.CONFIG_LOADED), "not what its entries say"),
    "no state": (_without(Kind.SCHEMA_SEEN), "not what its entries say"),
    "a bare checkpoint": (lambda it: it.update(checkpoint="shop.example/ledger\n"), "no checkpoint"),
    "no entries": (lambda it: it.update(entries=[]), "not built as"),
    "no list": (lambda it: it.update(entries=None), "not built as"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.proves("evidence-tampering")
def test_even_the_key_of_the_log_does_not_make_a_lie_hold(case: Case, lie: str) -> None:
    change, why = LIES[lie]
    statement = case.statement()
    assert check(case.sealed(statement), case.keys).decisions == 1
    change(statement["predicate"])
    with pytest.raises(EvidenceInvalidError, match=why):
        check(case.sealed(statement), case.keys)


@pytest.mark.proves("evidence-tampering")
def test_a_state_that_is_not_what_the_outcome_says_is_found(case: Case) -> None:
    entries = check(case.text, case.keys).entries
    assert list(otherwise(entries)) == []
    other = [
        replace(each, body={**each.body, "revision": "z9"}) if each.kind == Kind.SCHEMA_SEEN else each
        for each in entries
    ]
    assert [why.partition(" of entry")[0] for why in otherwise(other)] == ["the state", "the state"]


@pytest.mark.proves("evidence-page")
def test_the_page_says_it_to_a_person_without_scripts_or_anything_from_elsewhere(case: Case) -> None:
    page = case.page.read_text()
    for said in (
        "Ada Lovelace",
        "grace",
        "DROP",
        "Taken back",
        "Seen when it committed",
        "restored everything",
        case.key_text.split("+")[1],
    ):
        assert said in page
    assert not any(word in page for word in ("<script", "src=", "href=", "@import", "url("))
    again = case.world.folder / "again.html"
    assert case.world.here("ledger", "verify", str(case.path), "--html", str(again)).returncode == 0
    assert again.read_text() == page


def test_an_apply_that_never_was_has_no_evidence(case: Case) -> None:
    refused = case.world.here("ledger", "evidence", "apply_x")
    assert (refused.returncode, "apply_not_found" in refused.stderr) == (1, True)
