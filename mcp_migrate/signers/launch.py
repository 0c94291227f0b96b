"""Did an admin say that whoever holds this token is that principal, and until when?

A launch token is a signed statement on one line. It is made for this purpose alone, lives for hours, and whoever has
it is its principal: it is worth as much as the place it is kept in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mcp_migrate.errors import ApprovalInvalidError, ConfigInvalidError, NotPermittedError
from mcp_migrate.signers.interface import Key
from mcp_migrate.signers.keys import PublicKey
from mcp_migrate.signers.line import named, opened
from mcp_migrate.signers.sshsig import verify

FORMAT = "mcp-migrate/launch/1"
NAMESPACE = "launch@mcp-migrate"
LONGEST = timedelta(hours=24)
_EARLY = timedelta(minutes=1)
"""How far two clocks may differ."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a token says that holds. `token_id` is the name under which its making is on the ledger."""

    token_id: str
    principal: str
    until: datetime
    signed_by: str


def statement(principal: str, *, key: Key, at: datetime, ttl: timedelta, nonce: str) -> dict[str, Any]:
    """What is signed. Raises: ConfigInvalidError: it would live too long."""
    if not timedelta(0) < ttl <= LONGEST:
        raise ConfigInvalidError("A launch token lives for 24 hours at most.", hint="Name a shorter --ttl, as 8h.")
    return {
        "format": FORMAT,
        "principal": principal,
        "key": key.fingerprint,
        "signed_at": at.isoformat(),
        "until": (at + ttl).isoformat(),
        "nonce": nonce,
    }


def check(text: str, admins: Mapping[str, PublicKey], *, now: datetime) -> Launch:
    """Hold a token against the admins' keys and the time. Raises: NotPermittedError: it does not hold."""
    text = text.strip()
    said, message, signature = opened(text, FORMAT, _refused)
    key = admins.get(str(said.get("key")))
    if key is None:
        raise _refused("it is signed by no key under `admins`")
    try:
        verify(message, signature, key, namespace=NAMESPACE)
    except ApprovalInvalidError as error:
        raise _refused("its signature does not hold") from error
    principal, begins, until = said.get("principal"), _moment(said.get("signed_at")), _moment(said.get("until"))
    if not isinstance(principal, str) or until - begins > LONGEST:
        raise _refused("it names no principal, or lives longer than a launch token may")
    if not begins - _EARLY <= now < until:
        raise _refused(f"it holds from {begins.isoformat()} to {until.isoformat()}")
    return Launch(named("launch", text), principal, until, key.fingerprint)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _refused("it does not say until when it holds") from error
    if moment.tzinfo is None:
        raise _refused("its times say no zone")
    return moment


def _refused(why: str) -> NotPermittedError:
    return NotPermittedError(
        f"The launch token does not count: {why}.", hint="Ask an admin for a new one: `mcp-migrate launch-token`."
    )
