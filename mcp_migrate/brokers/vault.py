"""What the database engine of HashiCorp Vault or OpenBao hands out: a lease, and its end."""

from __future__ import annotations

from collections.abc import Iterable
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

_SECONDS = 30.0


class _User(BaseModel):
    username: str
    password: str


class _Lease(BaseModel):
    """The part of an answer that is ours; it may have more. A secret that stays, as of `kv`, has no id."""

    lease_id: str = Field(min_length=1)
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
        answer = self._ask("GET", f"{self._given.mount}/creds/{role}")
        try:
            lease = _Lease.model_validate_json(answer)
        except ValidationError:  # its words hold what was answered
            raise CredentialFailedError(
                f"What Vault answered for the role {role} is no lease.",
                hint="Nothing ran. Check `mount` and the roles: `vault read` shows the same.",
            ) from None
        seconds = lease.lease_duration  # 0 says that there is no end, not that it has come
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
        """A credential for planning makes scratch databases, where it may."""
        return None

    def excess(self) -> Iterable[str]:
        """By the policies of its token, which Vault knows."""
        roles = f"{self._given.read} and {self._given.apply}"
        return (f"with the token one can have what the roles {roles} give; its policies say what else",)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Raises: CredentialFailedError; it holds nothing of what was answered."""
        import httpx2

        headers = {"X-Vault-Token": resolve(self._given.token), "X-Vault-Request": "true"}
        if self._given.namespace is not None:
            headers["X-Vault-Namespace"] = self._given.namespace
        try:
            answer = httpx2.request(
                method, f"{self._given.address}/v1/{path}", headers=headers, json=body, timeout=_SECONDS
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _failed(f"gave no answer ({type(error).__name__})") from None
        if not answer.is_success:
            raise _failed(f"answered {answer.status_code} for {path}")
        return answer.content


def _failed(why: str) -> CredentialFailedError:
    return CredentialFailedError(
        f"Vault {why}.", hint="Check its address, the token and its policies, and that it is not sealed."
    )
