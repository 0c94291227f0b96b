"""A browser without a browser: what the pages answer, over requests whose every part a test may choose."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.testclient import TestClient

from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.model import Statement
from mcp_migrate.rules import judge
from mcp_migrate.schema.neighbourhood import neighbourhood
from mcp_migrate.settings import Settings
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.sign import generate_key, sign
from mcp_migrate.web.app import build
from mcp_migrate.web.desk import Desk
from mcp_migrate.web.weighing import questions
from tests.rules.labelled import SCHEMAS
from tests.signers.authenticator import Authenticator

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ORIGIN = "http://localhost:8021"
DROP = "ALTER TABLE users DROP COLUMN email"


def request_body(request_id: str, *statements: str, **changed: Any) -> dict[str, Any]:
    """A request as the server records it, about `statements` on PostgreSQL."""
    frozen = [Statement(n, "b2", sql) for n, sql in enumerate(statements or (DROP,), 1)]
    judged = judge(frozen, dialect="postgresql", schema=SCHEMAS["postgresql"])
    plan = {
        "statements": [each.frozen() for each in frozen],
        "reverse": {"available": False, "statements": [], "why_not": "nothing was written"},
        "doubts": [],
        "from_revision": "a1",
        "to_revision": "b2",
        "dialect": "postgresql",
    }
    return {
        "format": "mcp-migrate/request/1",
        "request_id": request_id,
        "intent": "Tidy up",
        "ticket": None,
        "rows": {"public.users": 120031},
        "rehearsal": None,
        "quorum": {"count": 1, "groups": ["dba"], "assurance": "software", "never": ["requester"], "rules": ["r"]},
        "demands": [{"rule": "approvals[0]", "why": "effects: destructive", "statements": [1]}],
        "narrower": None,
        "neighbourhood": neighbourhood(SCHEMAS["postgresql"], [name for each in judged for name in each.objects]),
        "expires_at": (NOW + timedelta(hours=4)).isoformat(),
        "tool": "migration_apply",
        "target": "shop",
        "principal": "agent:demo",
        "workflow": "agents",
        "owner": "Ada Lovelace",
        "effects": sorted({effect for each in judged for effect in each.effects}),
        "objects": sorted({name for each in judged for name in each.objects}),
        "plan_digest": "sha256:0",
        "plan": plan,
        "subject": {},
        "judgements": [each.told() for each in judged],
        **changed,
    }


@dataclass
class Visitor:
    """Somebody at the pages of one ledger, with one reviewer's key."""

    folder: Path
    ledger: Ledger
    key: PublicKey
    desk: Desk
    client: TestClient
    authenticator: Authenticator
    now: list[datetime] = field(default_factory=lambda: [NOW])

    @classmethod
    @contextmanager
    def at(cls, folder: Path, **more: Any) -> Iterator[Visitor]:
        key, admin = generate_key(folder / "grace_key"), generate_key(folder / "admin_key")
        now = [NOW]
        with Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
            authenticator = Authenticator()
            settings = pages_settings(key, authenticator, folder, **{"admins": [admin.line], **more})
            desk = Desk(settings, ledger, lambda: now[0], 8021, b"s" * 32)
            client = TestClient(build(desk), base_url=ORIGIN, follow_redirects=False)
            yield cls(folder, ledger, key, desk, client, authenticator, now)

    def ask(self, request_id: str, *statements: str, **changed: Any) -> Mapping[str, Any]:
        """Put a request on the ledger."""
        body = request_body(request_id, *statements, **changed)
        self.ledger.append(
            Draft(Kind.APPROVAL_REQUESTED, body, workflow=body["workflow"], subject=request_id), at=self.now[0]
        )
        return body

    def read(self, path: str, **headers: str) -> str:
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Any:
        """Send a form as our own page would, save for what `headers` say."""
        sent = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded", **headers}
        return self.client.post(path, content=urlencode(fields), headers=sent)

    def mark(self, request_id: str) -> str:
        return self.mark_of(f"/requests/{request_id}")

    def mark_of(self, path: str) -> str:
        return field_of(self.read(path), "mark")

    def draft(self, request_id: str, verdict: str = "approve", reason: str = "", **more: str) -> Any:
        weighed = {each.field: each.answer for each in questions(self.desk.request(request_id).body)}
        fields = {"signer": f"grace {self.key.fingerprint}", "verdict": verdict, "reason": reason, **weighed, **more}
        return self.post(f"/requests/{request_id}/sign", {"mark": self.mark(request_id), **fields})

    def decide(self, request_id: str, verdict: str = "approve", reason: str = "", **more: str) -> Any:
        """Decide as a person would: read the statement off the page, sign it, paste the signature."""
        shown = self.draft(request_id, verdict, reason, **more)
        assert shown.status_code == 200, shown.text
        signature = sign(statement_of(shown.text), self.folder / "grace_key", passphrase=lambda: "")
        return self.send(request_id, shown.text, signature)

    def touch(self, request_id: str, verdict: str = "approve", reason: str = "", **more: str) -> Any:
        """Decide with the passkey."""
        signer = more.pop("signer", f"grace {self.authenticator.passkey.fingerprint}")
        shown = self.draft(request_id, verdict, reason, signer=signer, **more)
        assert shown.status_code == 200, shown.text
        carried = field_of(shown.text, "statement")
        answer = json.dumps(self.authenticator.sign(base64.b64decode(carried)))
        fields = {"mark": field_of(shown.text, "mark"), "statement": carried, "answer": answer}
        return self.post(f"/requests/{request_id}/decision", fields)

    def send(self, request_id: str, page: str, signature: str) -> Any:
        fields = {"mark": field_of(page, "mark"), "statement": field_of(page, "statement"), "signature": signature}
        return self.post(f"/requests/{request_id}/decision", fields)

    def restart(self) -> None:
        """The pages as another process serves them, to the same browser."""
        self.desk = replace(self.desk, secret=secrets.token_bytes(32))
        client = TestClient(build(self.desk), base_url=ORIGIN, follow_redirects=False)
        client.cookies = self.client.cookies
        self.client = client

    def later(self, span: timedelta) -> None:
        self.now[0] += span


def field_of(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found, page
    return html.unescape(found[1])


def statement_of(page: str) -> bytes:
    """What the command on the page gives to ssh-keygen: the text between its quotes."""
    command = re.search('<pre class="command">(.*?)</pre>', page, re.DOTALL)
    assert command, page
    quoted = html.unescape(command[1]).removeprefix("printf %s ").rpartition(" | ")[0]
    return quoted.removeprefix("'").removesuffix("'").replace("'\"'\"'", "'").encode()


def fresh_id() -> str:
    return f"req_{secrets.token_hex(10)}"


def pages_settings(key: PublicKey, authenticator: Authenticator, folder: Path, **more: Any) -> Settings:
    """A configuration with one target, one workflow and one reviewer with both sorts of key, and what `more` says."""
    return Settings.model_validate(
        {
            "version": 1,
            "targets": {"shop": {"tier": "production", "alembic": folder / "alembic.ini", "url": "sqlite://"}},
            "workflows": {
                "agents": {
                    "owner": {"name": "Ada Lovelace", "email": "ada@example.com"},
                    "principals": ["agent:demo"],
                    "scopes": [{"tools": ["*"], "targets": ["*"]}],
                }
            },
            "reviewers": {
                "grace": {
                    "ssh_keys": [key.line],
                    "passkeys": [authenticator.passkey.line],
                    "groups": ["dba"],
                }
            },
            **more,
        }
    )
