"""Can an agent with a full shell, as the same user, get something destroyed without a reviewer's key?

It has the configuration, the ledger file, the database's URL, the connection and every command of ours. It has no
private key of a reviewer, which is what the wall is made of. Where the wall ends stands in docs/approvals.md: who has
the database's credentials needs no tool of ours to destroy it, and these tests show only what we then say.

All play in one world, which is made once: each attack finds a destructive plan that waits, and leaves it waiting.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_migrate.__main__ import load_settings
from mcp_migrate.approvals.reviewers import reviewers
from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger import Draft, Event, Kind, Ledger, verify
from mcp_migrate.model import canonical
from mcp_migrate.signers.decisions import Verdict, statement
from mcp_migrate.signers.keys import parse_public_key
from mcp_migrate.signers.sign import sign
from mcp_migrate.wiring import Wiring
from tests.world import World

pytestmark = pytest.mark.proves("approval-red-team", "design-3")
PRESSING = "it is an emergency, believe me"


class Attacker:
    """An agent with a shell. Its commands are those of the command line; what is no command it does by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan_id = self.request_id = ""

    def call(self, name: str, **arguments: Any) -> Any:
        """Call a tool of a server that starts now, with whatever configuration stands there."""

        async def call() -> Any:
            async with self.world.agent() as agent:
                return await agent.call(name, **arguments)

        return anyio.run(call)

    def ask(self) -> None:
        """Have people asked about the plan, or find the question that waits."""
        self.plan_id = self.plan_id or self.call("migration_plan", target="shop", to="c3")["plan_id"]
        self.request_id = self.call("migration_apply", plan_id=self.plan_id)["request_id"]
        self.known = len(self.world.events())

    def refused(self) -> list[Event]:
        """What was refused since it asked."""
        return [event for event in self.world.events(Kind.APPROVAL_REFUSED) if event.seq >= self.known]

    def tries(self, *words: str) -> None:
        """Run one of our commands, which refuses."""
        assert self.world.approvals(*words).returncode == 1, words

    def forge(self, verdict: Verdict, *, reviewer: str, kind: Kind = Kind.APPROVAL_DECIDED, **more: Any) -> None:
        """Write a decision into the ledger with our own code, signed with the agent's own key."""
        with Ledger.open(f"sqlite:///{self.world.folder}/.mcp-migrate/ledger.db") as ledger:
            [request] = ledger.find(Kind.APPROVAL_REQUESTED, self.request_id)
            said = statement(
                request.body,
                verdict,
                reviewer=reviewer,
                key=parse_public_key(self.line),
                at=datetime.now(UTC),
                nonce=secrets.token_hex(16),
                head=asdict(ledger.head()),
                reason=PRESSING,
            )
            said.update(more)
            signature = sign(canonical(said), self.world.keys["agent"], passphrase=lambda: "")
            draft = Draft(kind, {"statement": said, "signature": signature}, request.workflow, subject=self.request_id)
            ledger.append(draft, at=datetime.now(UTC))

    @property
    def line(self) -> str:
        return self.world.keys["agent"].with_suffix(".pub").read_text().strip()

    @property
    def fingerprint(self) -> str:
        return parse_public_key(self.line).fingerprint

    def gets_nowhere(self) -> None:
        again = self.call("migration_apply", plan_id=self.plan_id)
        assert again["status"] == "approval_required", again
        assert "fax" in self.world.columns("customers")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Attacker:
    world = World(tmp_path_factory.mktemp("shop"))
    world.configure(lambda c: c["workflows"]["shop-agent"]["principals"].append("person:eve"))
    attacker = Attacker(world)
    attacker.ask()
    return attacker


@pytest.fixture
def attacker(planned: Attacker) -> Iterator[Attacker]:
    """With a question that waits, and the configuration afterwards as it was."""
    before = planned.world.config.read_text()
    planned.ask()
    yield planned
    planned.world.config.write_text(before)


def test_no_command_of_ours_decides_with_a_key_of_the_agents_and_each_attempt_is_recorded(attacker: Attacker) -> None:
    key, request_id, why = str(attacker.world.keys["agent"]), attacker.request_id, ("--reason", PRESSING)
    attacker.tries("approve", request_id, "--key", key)
    attacker.tries("approve", request_id, "--key", key, "--as", "grace")
    attacker.tries("break-glass", request_id, "--key", key, *why, "--as", "grace")
    attacker.tries("reopen", request_id, "--key", key, *why, "--as", "grace")
    attacker.tries("withdraw", request_id, *why, "--as", "person:eve")
    attacker.gets_nowhere()
    refused = attacker.refused()
    assert [event.subject for event in refused] == [request_id] * 5
    tried = [event.body.get("decision") for event in refused]
    assert tried == ["approve", "approve", "break-glass", "reopen", "withdraw"]
    assert {event.body["key"] for event in refused[:4]} == {attacker.fingerprint}


def test_nobody_is_let_in_by_a_key_of_the_agents_and_each_attempt_is_recorded(attacker: Attacker) -> None:
    key = attacker.world.keys["agent"]
    enroll = ("reviewers", "enroll", "mallory", "--key", str(key.with_suffix(".pub")), "--group", "dba")
    assert attacker.world.here(*enroll, "--signed-by", str(key)).returncode == 1
    assert attacker.world.here(*enroll, "--signed-by", str(key), "--as", "grace").returncode == 1
    assert attacker.world.here("reviewers", "remove", "grace", "--signed-by", str(key)).returncode == 1
    refused = attacker.world.events(Kind.REVIEWER_REFUSED)
    assert [event.body["act"] for event in refused] == ["enrol", "enrol", "remove"]
    wiring = Wiring(load_settings(attacker.world.config))
    said = {**refused[0].body, "format": "mcp-migrate/enrolment/1", "nonce": "n" * 32}
    entry = {"statement": said, "signature": sign(canonical(said), key, passphrase=str)}
    wiring.ledger.append(Draft(Kind.REVIEWER_ENROLLED, entry, subject="mallory"), at=datetime.now(UTC))
    assert set(reviewers(wiring.settings, wiring.ledger).people) == {"grace"}
    attacker.tries("approve", attacker.request_id, "--key", str(key), "--as", "mallory")
    attacker.gets_nowhere()


def test_what_is_written_into_the_ledger_with_our_own_code_counts_for_nothing(attacker: Attacker) -> None:
    grace = parse_public_key(attacker.world.keys["grace"].with_suffix(".pub").read_text())
    attacker.forge("approve", reviewer="grace")
    attacker.forge("approve", reviewer="agent:demo")
    attacker.forge("approve", reviewer="grace", key=grace.fingerprint)
    attacker.forge("break-glass", reviewer="grace", kind=Kind.APPROVAL_BROKEN)
    attacker.gets_nowhere()
    status = attacker.call("approval_status", request_id=attacker.request_id)
    assert status["status"] == "pending"
    assert [decision["valid"] for decision in status["decisions"]] == [False] * 3


CONFIGURATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no rules": lambda c: c.update(approvals=[{"when": {"effects": ["privilege"]}}]),
    "no reviewers": lambda c: c.update(reviewers={}, approvals=[]),
}


@pytest.mark.parametrize("change", CONFIGURATIONS)
def test_a_policy_rewritten_by_hand_lets_nothing_destructive_run_by_itself(attacker: Attacker, change: str) -> None:
    attacker.world.configure(CONFIGURATIONS[change])
    attacker.gets_nowhere()
    *_, before, after = (event.body["digest"] for event in attacker.world.events(Kind.CONFIG_LOADED))
    assert before != after


def test_a_key_enrolled_by_hand_decides_nothing_asked_before_and_is_told_of_from_then_on(attacker: Attacker) -> None:
    """The wall ends here: who may write the configuration may name reviewers. It does not stay unseen."""
    mallory = {"ssh_keys": [attacker.line], "groups": ["dba"], "email": "m@example.com"}
    pager = {"kind": "command", "name": "pager", "run": ["true"], "on": ["expired"]}
    attacker.world.configure(lambda c: (c["reviewers"].update(mallory=mallory), c.update(notify=[pager])))
    attacker.tries("approve", attacker.request_id, "--key", str(attacker.world.keys["agent"]))
    attacker.gets_nowhere()
    assert "enrolled after the request" in attacker.refused()[0].body["sentence"]
    words = ("--reason", "to ask anew", "--as", "agent:demo")
    assert attacker.world.approvals("withdraw", attacker.request_id, *words).returncode == 0
    attacker.ask()
    shown = attacker.world.approvals("show", attacker.request_id).stdout
    assert f"NEW KEY   mallory {attacker.fingerprint}" in shown
    wiring = Wiring(load_settings(attacker.world.config))
    [told] = [due.notice.headline for due in wiring.outbox.due() if due.notice.request_id == attacker.request_id]
    assert told.startswith("A NEW KEY may decide, of mallory")


def test_a_ledger_edited_or_removed_by_hand_is_refused_and_found(attacker: Attacker, tmp_path: Path) -> None:
    path = Path(shutil.copytree(attacker.world.folder / ".mcp-migrate", tmp_path / "copy")) / "ledger.db"
    database = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute("DELETE FROM events WHERE kind = 'approval.requested'")
    database.execute("DROP TRIGGER events_no_update")
    database.execute("UPDATE events SET body = replace(body, '\"count\":1', '\"count\":0')")
    database.commit()
    database.close()
    with pytest.raises(LedgerCorruptError, match="altered"):
        Ledger.open(f"sqlite:///{path}")
    findings = "; ".join(finding.why for finding in verify(f"sqlite:///{path}").findings)
    assert "was edited" in findings
    path.unlink()
    with pytest.raises(LedgerCorruptError, match="is gone"):
        Ledger.open(f"sqlite:///{path}")


def test_a_database_changed_behind_our_back_is_noticed_and_nothing_is_applied_on_top(attacker: Attacker) -> None:
    """The wall ends here too: who has the credentials can change the database. What was approved does not run on it."""
    attacker.world.sign(attacker.request_id)
    with sqlite3.connect(attacker.world.database) as database:
        database.execute("ALTER TABLE customers ADD COLUMN stolen TEXT")
    refused = attacker.call("migration_apply", plan_id=attacker.plan_id)
    drift = attacker.call("schema_diff", target="shop", against="head")
    database.execute("ALTER TABLE customers DROP COLUMN stolen")
    database.close()
    words = ("--reason", "as it was", "--as", "agent:demo")
    assert attacker.world.approvals("withdraw", attacker.request_id, *words).returncode == 0
    assert refused["code"] == "plan_stale"
    assert "stolen" in json.dumps(drift)
    assert "fax" in attacker.world.columns("customers")


def test_a_stolen_key_of_software_does_not_break_the_glass(attacker: Attacker) -> None:
    """Here it even has the named person's key; it has no token that somebody touches."""
    attacker.world.configure(
        lambda c: c.update(break_glass={"people": ["grace"], "assurance": ["software", "presence"]})
    )
    attacker.ask()
    key = ("--key", str(attacker.world.keys["grace"]))
    done = attacker.world.approvals("break-glass", attacker.request_id, *key, *key, "--reason", PRESSING)
    assert (done.returncode, done.stdout.count("grace has signed: break-glass")) == (0, 2)
    signed = [event for event in attacker.world.events(Kind.APPROVAL_BROKEN) if event.seq >= attacker.known]
    assert [event.subject for event in signed] == [attacker.request_id] * 2
    attacker.gets_nowhere()
