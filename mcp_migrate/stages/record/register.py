"""What is written of the credentials of one call? Who they are and what for; never what is secret of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import MigrateError
from mcp_migrate.ledger import Draft, Kind
from mcp_migrate.stages.record.recorder import Recorder

if TYPE_CHECKING:
    from mcp_migrate.brokers.interface import Credential, Step


@dataclass(frozen=True, slots=True)
class Register:
    """Writes of the credentials of one call, or of what is done without one."""

    recorder: Recorder
    clock: Callable[[], datetime]
    workflow: str | None = None
    call_id: str | None = None

    def issued(self, step: Step, credential: Credential, broker: str) -> None:
        """Before anybody has it."""
        until = credential.expires.isoformat() if credential.expires else None
        told = {"ttl": step.ttl, "objects": list(step.objects)}
        self._write(Kind.CREDENTIAL_ISSUED, step, credential, {"broker": broker, "until": until, **told})

    def revoked(
        self, step: Step, credential: Credential, *, why: str, left: MigrateError | None, kept: str | None
    ) -> None:
        """That it is gone, but for what cannot but stay, or that it may be there until its time is over."""
        kind = Kind.CREDENTIAL_REVOKED if left is None else Kind.CREDENTIAL_LEFT
        stays = {"kept": kept} if kept else {}
        self._write(kind, step, credential, {"why": why if left is None else str(left), **stays})

    def swept(self, target: str, roles: tuple[str, ...]) -> None:
        """That those of dead servers are gone."""
        for role in roles:
            body = {"target": target, "role": role, "why": "its server did not revoke it, and its time is over"}
            self.recorder.write(Draft(Kind.CREDENTIAL_REVOKED, body, subject=role), at=self.clock())

    def _write(self, kind: Kind, step: Step, credential: Credential, body: Mapping[str, Any]) -> None:
        named = {"target": step.target, "principal": step.principal, "purpose": step.purpose, "role": credential.role}
        draft = Draft(kind, {**named, **body}, workflow=self.workflow, call_id=self.call_id, subject=credential.role)
        self.recorder.write(draft, at=self.clock())
