"""A ledger whose head is signed, and those who keep it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mcp_migrate.anchors.audit import Audit, Report
from mcp_migrate.anchors.keeper import Keeper
from mcp_migrate.ledger import Draft, Kind, Ledger
from mcp_migrate.ledger.checkpoint import make
from mcp_migrate.settings import Settings
from mcp_migrate.settings.anchoring import Checkpoints
from mcp_migrate.signers.sign import generate_key

ORIGIN = "shop.example/ledger"


class Site:
    """One ledger with its settings, at a time that a test moves."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
        self.path = folder / "ledger.db"
        self.key = folder / "log_key"
        generate_key(self.key)
        self.configure()

    def configure(self, **more: Any) -> None:
        raw = {"origin": ORIGIN, "key": {"file": str(self.key)}, **more}
        base: dict[str, Any] = {
            "version": 1,
            "ledger": f"sqlite:///{self.path}",
            "targets": {"shop": {"tier": "development", "alembic": "alembic.ini", "url": "sqlite:///shop.db"}},
            "workflows": {
                "shop": {
                    "owner": {"name": "Ada", "email": "ada@example.com"},
                    "principals": ["agent:demo"],
                    "scopes": [{"tools": ["*"], "targets": ["*"]}],
                }
            },
        }
        self.settings = Settings.model_validate(base).model_copy(
            update={"checkpoints": Checkpoints.model_validate(raw)}
        )

    @property
    def ledger(self) -> Ledger:
        if not hasattr(self, "_ledger"):
            self._ledger = Ledger.open(self.settings.ledger)
        return self._ledger

    @property
    def keeper(self) -> Keeper:
        assert self.settings.checkpoints
        return Keeper(self.settings.checkpoints, self.ledger, lambda: self.now)

    def close(self) -> None:
        if hasattr(self, "_ledger"):
            self._ledger.close()
            del self._ledger

    def append(self, kind: Kind = Kind.CALL_RECEIVED, **body: Any) -> None:
        self.ledger.append(Draft(kind, body, workflow="shop", subject=body.get("subject")), at=self.now)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def note(self) -> str:
        """The head of now, signed and brought outside, without a word of it on the ledger."""
        from mcp_migrate.anchors.keys import open_key

        assert self.settings.checkpoints
        key = open_key(self.settings.checkpoints.key)
        return str(make(ORIGIN, self.ledger.head(), key.point, key.sign, at=self.now))

    def audit(self, *notes: str, **more: Any) -> Report:
        return Audit(self.settings, self.now).run(witnesses=[("the notary", notes)] if notes else (), **more)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def witness_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
