"""How does a program elsewhere get checkpoints? As JSON, signed as notices are; it may answer with cosignatures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mcp_migrate.anchors.witnesses.interface import failed
from mcp_migrate.errors import NotificationFailedError
from mcp_migrate.ledger.note import Note
from mcp_migrate.notifiers.post import post
from mcp_migrate.notifiers.webhook import key_of, signature
from mcp_migrate.settings.references import resolve

if TYPE_CHECKING:
    from mcp_migrate.settings.anchoring import WebhookWitness

_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class ByWebhook:
    """POSTs the checkpoint with the three headers of Standard Webhooks."""

    configured: WebhookWitness

    def take(self, note: Note, *, size: int, at: datetime) -> str:
        """Sign and send; what begins like a signature line in the answer is handed on."""
        here, seconds = self.configured, int(at.timestamp())
        body = json.dumps({"type": "ledger.checkpoint", "size": size, "checkpoint": str(note)}, ensure_ascii=False)
        notice_id = f"checkpoint_{size}_{seconds}"
        key = key_of(resolve(here.secret), here.name)
        headers = {
            "webhook-id": notice_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(key, notice_id, seconds, body.encode()),
        }
        try:
            answer = post(here.name, resolve(here.url), body.encode(), headers, within=here.within)
        except NotificationFailedError as error:
            raise failed(here.name, "did not take it: " + error.sentence.partition(here.name)[2].strip(" .")) from error
        return "".join(f"{line}\n" for line in answer[:_LONGEST].split("\n") if line.startswith("— "))

    def kept(self) -> None:
        """It cannot be asked: whoever runs it hands out what it has."""
        return
