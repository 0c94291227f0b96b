"""A token of AWS for each step: who has it logs in as a database user of RDS or Aurora, for fifteen minutes.

Nothing takes a token back. Revoking ends the sessions of the step, and says until when its token is still let in. All
steps log in as the same two users, so a session says by its name which step it is of.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from mcp_migrate.brokers.address import address, parse
from mcp_migrate.brokers.ending import until_none
from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.brokers.own import own_session
from mcp_migrate.drivers.postgresql import driver, message
from mcp_migrate.errors import ConfigInvalidError, CredentialFailedError
from mcp_migrate.settings.credential_checks import RDS_SECONDS, checks_tls
from mcp_migrate.settings.credentials import RdsOptions
from mcp_migrate.settings.target import Target

_PREFIX = "mcp_migrate_step_"
_PORT = 5432
_END = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE usename = session_user AND pid <> pg_catalog.pg_backend_pid()
    AND (application_name = $1::text OR backend_start < now() - make_interval(secs => $2))
"""
"""No session of a step lives longer than its time: whatever does is somebody else's, or a dead server's."""


class AwsRdsIam:
    """Has botocore sign a token, which asks nobody."""

    standing = False

    def __init__(self, target: Target, given: RdsOptions) -> None:
        self._target, self._given = target, given

    def issue(self, step: Step) -> Credential:
        """A token, in the target's URL."""
        user, named = self._user(writes=step.purpose.writes), f"{_PREFIX}{secrets.token_hex(8)}"
        expires = datetime.now(UTC) + timedelta(seconds=RDS_SECONDS)
        return Credential(self._url(user, named), role=user, expires=expires, handle=named)

    def revoke(self, credential: Credential) -> str | None:
        """End the step's sessions, and those older than a step may be; says until when its token is still let in."""
        self._end(str(credential.role), str(credential.handle))
        if credential.expires is not None and credential.expires <= datetime.now(UTC):
            return None
        return f"its token cannot be taken back: it opens sessions as {credential.role} until {credential.expires}"

    def sweep(self) -> tuple[str, ...]:
        """End sessions that are older than a step may be; whose they were."""
        users = sorted({self._given.read, self._given.apply})
        return tuple(user for user in users if self._end(user, None))

    def maker(self) -> str | None:
        """None: the credential of a step that plans makes scratch databases, if it may."""
        return None

    def excess(self) -> Iterator[str]:
        """What lies in the nature of these tokens."""
        yield (
            f"whoever has the AWS identity of this server can have tokens for {self._given.read} and "
            f"{self._given.apply}; each lets in for {RDS_SECONDS // 60} minutes, also when its step is over"
        )

    def _user(self, *, writes: bool) -> str:
        return self._given.apply if writes else self._given.read

    def _url(self, user: str, named: str) -> str:
        """Raises: CredentialFailedError: no token can be signed, or it could be read on its way."""
        url = self._target.resolved_url()
        parsed = parse(url)
        if not checks_tls(str(parsed.query.get("sslmode")), self._given.endpoint):
            raise CredentialFailedError(
                "A token is only sent to a server whose certificate was checked.",
                hint="Nothing ran. Write sslmode=verify-full and sslrootcert in the target's url.",
            )
        host, _, port = (self._given.endpoint or f"{parsed.host}:{parsed.port or _PORT}").rpartition(":")
        return address(url, user, _token(self._given.region, host, int(port), user), named=named)

    def _end(self, user: str, named: str | None) -> int:
        """How many there were to end, of that name or older than a step may be. Raises: CredentialFailedError."""
        ended = 0
        with own_session(self._url(user, f"{_PREFIX}ending")) as own:

            def end() -> int:
                nonlocal ended
                found = own.execute(_END, [named, self._target.credentials.ttl]).fetchall()
                ended = max(ended, len(found))
                return len(found)

            try:
                own.execute(b"SET ROLE NONE")  # a user that acts as the owner may not end its own sessions as that
                left = until_none(end)
            except driver().Error as error:
                raise _not_ended(user, message(error)) from error
        if left:
            raise _not_ended(user, f"{left} do not end")
        return ended


def _not_ended(user: str, why: str) -> CredentialFailedError:
    return CredentialFailedError(
        f"Sessions of {user} could not be ended: {why}.", hint="The next step of this user ends those that are too old."
    )


def _token(region: str, host: str, port: int, user: str) -> str:
    """Raises: CredentialFailedError: this machine has no AWS identity."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ImportError as error:
        raise ConfigInvalidError(
            "Tokens of RDS need botocore.", hint="pip install 'mcp-migrate-server[aws]'"
        ) from error
    try:
        token: str = _client(region).generate_db_auth_token(host, port, user)
    except (BotoCoreError, ClientError, ResponseParserError) as error:  # the last two: AWS gives it no role
        raise CredentialFailedError(
            f"AWS gave no token for {user}: {type(error).__name__}.",
            hint="Nothing ran. Give the server an identity (a role of its instance or task) that may rds-db:connect.",
        ) from None
    return token


@cache
def _client(region: str) -> Any:
    """Made once: that takes half a second, a token less than one thousandth of it."""
    from botocore.session import Session

    return Session().create_client("rds", region_name=region)
