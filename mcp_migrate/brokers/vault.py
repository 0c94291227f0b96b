"""What the database engine of HashiCorp Vault or OpenBao hands out: a lease, and its end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from mcp_migrate.brokers.address import address
from mcp_migrate.brokers.bounded import bounded
from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings.credentials import VaultOptions
from mcp_migrate.settings.references import resolve
from mcp_migrate.settings.target import Target

_SECONDS, _MOST_BYTES = 30.0, 64 * 1024
_AGES = 10 * 365 * 86_400
"""A lease of so many seconds or more is too long for any step."""


class _User(BaseModel):
    username: str
    password: str


class _Leased(BaseModel):
    """What can be given back. A secret that stays, as of `kv`, has no id."""

    lease_id: str = Field(min_length=1)


class _Lease(_Leased):
    """The part of an answer that is ours; it may have more."""

    lease_duration: int
    data: _User


class Vault:
    """Asks for a lease, and gives it back."""

    standing = False

    def __init__(self, target: Target, given: VaultOptions) -> None:
        self._target, self._given = target, given

    def issue(self, step: Step) -> Credential:
        """User and password of a lease, in the target's URL."""
        role = self._given.apply if step.purpose.writes else self._given.read
        asked = datetime.now(UTC)
        lease = self._lease(role)
        seconds = min(lease.lease_duration, _AGES)  # 0 says that there is no end, not that it has come
        credential = Credential(
            address(self._target.resolved_url(), lease.data.username, lease.data.password),
            role=lease.data.username,
            expires=asked + timedelta(seconds=seconds) if seconds > 0 else None,
            handle=lease.lease_id,
        )
        return bounded(self, credential, step, hint=f"Nothing ran. Give the role {role} a `default_ttl` within `ttl`.")

    def revoke(self, credential: Credential) -> None:
        """The engine's revocation statements end sessions and user; it answers when they ran."""
        self._ask("PUT", "sys/leases/revoke", {"lease_id": credential.handle, "sync": True})

    def sweep(self) -> tuple[str, ...]:
        """Vault ends leases whose time is over by itself."""
        return ()

    def maker(self) -> str | None:
        """None: the credential of a step that plans makes scratch databases, if it may."""
        return None

    def excess(self) -> Iterable[str]:
        """By the policies of its token, which Vault knows."""
        roles = f"{self._given.read} and {self._given.apply}"
        return (f"with the token one can have what the roles {roles} give; its policies say what else",)

    def _lease(self, role: str) -> _Lease:
        """Raises: CredentialFailedError: there is none for a user of a database; one of anything else is given back."""
        answer = self._ask("GET", f"{self._given.mount}/creds/{role}")
        try:
            return _Lease.model_validate_json(answer)
        except ValidationError:  # its words hold what was answered
            with suppress(ValidationError, CredentialFailedError):
                self.revoke(Credential("", handle=_Leased.model_validate_json(answer).lease_id))
            raise CredentialFailedError(
                f"What Vault answered for the role {role} is no lease.",
                hint="Nothing ran. Check `mount` and the roles: `vault read` shows the same.",
            ) from None

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Raises: CredentialFailedError; it holds nothing of what was answered."""
        import httpx2

        where, headers = self._given.address, {"X-Vault-Token": resolve(self._given.token), "X-Vault-Request": "true"}
        if self._given.namespace is not None:
            headers["X-Vault-Namespace"] = self._given.namespace
        try:
            with httpx2.stream(
                method,
                f"{where}/v1/{path}",
                headers=headers,
                json=body,
                timeout=_SECONDS,
                trust_env=where.startswith("https:"),  # a proxy of the environment would read what is not enciphered
            ) as answer:
                if not answer.is_success:
                    raise _failed(f"answered {answer.status_code} for {path}")
                return _whole(answer.iter_bytes())
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeEncodeError) as error:
            raise _failed(f"gave no answer ({type(error).__name__})") from None


def _whole(parts: Iterable[bytes]) -> bytes:
    """Raises: CredentialFailedError: it is too much, or takes too long."""
    whole, last = bytearray(), time.monotonic() + _SECONDS
    for part in parts:
        whole += part
        if len(whole) > _MOST_BYTES or time.monotonic() > last:
            raise _failed("answered too much or too slowly")
    return bytes(whole)


def _failed(why: str) -> CredentialFailedError:
    return CredentialFailedError(
        f"Vault {why}.", hint="Check its address, the token and its policies, and that it is not sealed."
    )
