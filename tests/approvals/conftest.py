"""One change that waits for people, without a database and without a process: the values that the stages pass on."""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mcp_migrate.ledger import Draft, Event, Kind, Ledger
from mcp_migrate.model import (
    Approved,
    Call,
    Caller,
    Classified,
    Effect,
    Granted,
    Judgement,
    Pending,
    Permitted,
    Plan,
    Prepared,
    Reverse,
    Statement,
    canonical,
)
from mcp_migrate.settings import Settings
from mcp_migrate.signers.decisions import Verdict, statement
from mcp_migrate.signers.interface import NAMESPACE
from mcp_migrate.signers.keys import PublicKey, from_blob
from mcp_migrate.signers.sign import generate_key, sign
from mcp_migrate.signers.sshsig import armor, envelope, signed_data
from mcp_migrate.signers.wire import string
from mcp_migrate.stages.approve import approve, request_body

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAMES = ("grace", "edsger", "ada", "barbara")
BACK = Reverse(available=True, restores_schema=True, statements=(Statement(1, "c3", "ALTER TABLE t ADD c int"),))
PLAN = Plan(
    target="shop",
    dialect="sqlite",
    from_revision="b2",
    to_revision="c3",
    base_fingerprint="sha256:before",
    expected_fingerprint="sha256:after",
    version_table="main.alembic_version",
    statements=(Statement(1, "c3", "ALTER TABLE t DROP COLUMN c"),),
    reverse=BACK,
)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Path, PublicKey]]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: (folder / name, generate_key(folder / name)) for name in (*NAMES, "stranger")}


class Token:
    """A security key in software: what it signs says that somebody touched it, and typed its PIN where `pin`."""

    KIND = "sk-ssh-ed25519@openssh.com"

    def __init__(self, *, pin: bool) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._flags = 5 if pin else 1
        public = self._key.public_key().public_bytes_raw()
        self.public = from_blob(b"".join(map(string, (self.KIND.encode(), public, b"ssh:"))), "token")

    def sign(self, message: bytes) -> str:
        flags = struct.pack(">BI", self._flags, 7)
        data = hashlib.sha256(signed_data(message, namespace=NAMESPACE, hashing="sha512")).digest()
        raw = self._key.sign(hashlib.sha256(b"ssh:").digest() + flags + data)
        signature = string(self.KIND.encode()) + string(raw) + flags
        return armor(envelope(self.public.blob, signature, namespace=NAMESPACE, hashing="sha512"))


@dataclass
class Desk:
    """What an agent asks and what people sign, on one ledger."""

    ledger: Ledger
    keys: Mapping[str, tuple[Path, PublicKey]]
    config: dict[str, Any]
    call: Call = field(
        default_factory=lambda: Call(
            "call_1", "migration_apply", {}, "make it right", Caller("agent:one"), NOON, "shop", ticket="T-1"
        )
    )
    plan: Plan = PLAN
    effects: frozenset[Effect] = frozenset({Effect.DESTRUCTIVE})
    objects: tuple[str, ...] = ("public.t.c",)
    rows: Mapping[str, int] = field(default_factory=lambda: {"public.t": 1000})
    identity: Mapping[str, str] = field(default_factory=lambda: {"product": "sqlite", "file": "/shop.db"})
    workflow: str = "schema"
    tokens: dict[str, Token] = field(default_factory=dict)

    def give_token(self, reviewer: str, name: str, *, pin: bool) -> None:
        """Enrol a security key of a reviewer's."""
        self.tokens[name] = Token(pin=pin)
        self.config["reviewers"][reviewer]["ssh_keys"].append(self.tokens[name].public.line)

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(self.config)

    @property
    def permitted(self) -> Permitted:
        granted = Granted(self.call, self.workflow, "Ada <ada@example.com>", "migration_apply", (0,))
        judged = Judgement(1, self.effects, self.objects, "drop-column", "it is lost")
        plan = replace(self.plan, target=str(self.call.target))
        prepared = Prepared(granted, work=lambda _approved, _run: {}, plan=plan, identity=self.identity)
        return Permitted(Classified(prepared, (judged,), self.effects, self.objects, self.rows), 0)

    def ask(self, *, at: datetime = NOON) -> Approved | Pending:
        """Make the call; a fresh question goes on the record."""
        answer = approve(self.permitted, self.settings, self.ledger, now=at)
        if isinstance(answer, Pending) and answer.fresh:
            draft = Draft(Kind.APPROVAL_REQUESTED, request_body(answer), self.workflow, subject=answer.request_id)
            self.ledger.append(draft, at=at)
        return answer

    def request(self) -> Event:
        """The newest question."""
        return self.ledger.last(Kind.APPROVAL_REQUESTED)[0]

    def signed(
        self,
        verdict: Verdict = "approve",
        *,
        by: str = "grace",
        at: datetime = NOON,
        key: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """A decision on the newest question; `more` stands in the signed statement in place of what would."""
        token = self.tokens.get(key or by)
        path, public = self.keys[key or by] if token is None else (None, token.public)
        said = statement(
            self.request().body,
            verdict,
            reviewer=by,
            key=public,
            at=at,
            nonce=secrets.token_hex(16),
            head=asdict(self.ledger.head()),
            reason=more.pop("reason", None),
            not_before=more.pop("begins", None),
            rollback_for=more.pop("rollback_for", None),
        )
        said.update(more)
        if path is None:
            return {"statement": said, "signature": self.tokens[key or by].sign(canonical(said))}
        return {"statement": said, "signature": sign(canonical(said), path, passphrase=lambda: "")}

    def put(self, decision: Mapping[str, Any], *, kind: Kind = Kind.APPROVAL_DECIDED) -> None:
        """Write a decision straight into the ledger, as whoever has the file can."""
        self.ledger.append(Draft(kind, decision, self.workflow, subject=self.request().subject), at=NOON)

    def runs(self, *, at: datetime = NOON + timedelta(minutes=1)) -> bool:
        """Whether the call would run now."""
        return isinstance(self.ask(at=at), Approved)


def configured(keys: Mapping[str, tuple[Path, PublicKey]]) -> dict[str, Any]:
    target = {"tier": "staging", "alembic": "/shop/alembic.ini", "url": "sqlite:////shop.db"}
    scopes = [{"tools": ["*"], "targets": ["*"], "effects": [str(effect) for effect in Effect]}]
    owner = {"name": "Ada", "email": "ada@example.com"}
    return {
        "version": 1,
        "targets": {"shop": target, "clone": target},
        "workflows": {
            "schema": {"owner": owner, "principals": ["agent:one", "agent:two"], "scopes": scopes},
            "other": {"owner": owner, "principals": ["agent:three"], "scopes": scopes},
        },
        "reviewers": {
            name: {"ssh_keys": [keys[name][1].line], "groups": ["dba"], "email": f"{name}@example.com"}
            for name in NAMES
        },
        "approvals": [{"when": {"effects": ["destructive"]}, "require": {"from": "dba"}}],
    }


@pytest.fixture
def desk(tmp_path: Path, keys: Mapping[str, tuple[Path, PublicKey]]) -> Iterator[Desk]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        yield Desk(ledger, keys, configured(keys))
