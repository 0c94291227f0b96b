"""How is a program elsewhere told, so that it knows who speaks?

Standard Webhooks 1.0: the id, the time and the body are signed with a shared secret; the id is the same for each
attempt, so that what arrives twice can be told.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.notifiers.interface import Notice
from mcp_migrate.notifiers.post import post
from mcp_migrate.settings.channels import WebhookChannel
from mcp_migrate.settings.references import resolve

_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret, as the specification says."""


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """POSTs the notice with the three headers of the specification."""

    channel: WebhookChannel

    def send(self, notice: Notice) -> None:
        """Sign and send."""
        body = json.dumps(notice.told(), ensure_ascii=False).encode()
        key = key_of(resolve(self.channel.secret), self.channel.name)
        headers = {
            "webhook-id": notice.notice_id,
            "webhook-timestamp": str(notice.at),
            "webhook-signature": signature(key, notice.notice_id, notice.at, body),
        }
        post(self.channel.name, resolve(self.channel.url), body, headers, within=self.channel.within)


def signature(key: bytes, notice_id: str, at: int, body: bytes) -> str:
    """The value of ``webhook-signature`` (Standard Webhooks, "Signature scheme": symmetric, ``v1``)."""
    signed = b".".join([notice_id.encode(), str(at).encode(), body])
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def key_of(secret: str, name: str) -> bytes:
    """The bytes of a shared secret. Raises: CredentialFailedError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise CredentialFailedError(
            f"The secret of the channel {name} is not `whsec_` and the base64 of {_SHORTEST} to {_LONGEST} bytes.",
            hint="Make one: printf 'whsec_%s' \"$(openssl rand -base64 32)\".",
        )
    return key
