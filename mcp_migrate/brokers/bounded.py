"""Does what somebody else issued end in time? What has no end, or a later one than the step's, is no credential."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.errors import CredentialFailedError, MigrateError

if TYPE_CHECKING:
    from mcp_migrate.brokers.interface import Broker

_GRACE = timedelta(seconds=30)
"""For the time that issuing takes, and clocks that differ."""


def bounded(broker: Broker, credential: Credential, step: Step, *, hint: str) -> Credential:
    """The credential, unless it outlives the step's `ttl`: then it is revoked at once.

    Raises:
        CredentialFailedError: it does, or nobody knows when it ends.
    """
    latest = datetime.now(UTC) + timedelta(seconds=step.ttl) + _GRACE
    if credential.expires is not None and credential.expires <= latest:
        return credential
    until = f"ends at {credential.expires}" if credential.expires else "has no end"
    try:
        broker.revoke(credential)
        left = ""
    except MigrateError as error:
        left = f" It is still there: {error.sentence}"
    raise CredentialFailedError(f"A credential was issued that {until}, later than the step's ttl.{left}", hint=hint)
