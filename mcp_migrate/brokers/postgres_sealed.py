"""A role of PostgreSQL for each step that may write by no statement of its own: the target runs what people sealed.

The target's own URL is the runner's, which may call the functions that make and end roles of steps, and nothing else.
`sealed.sql` is the store that they are in. What a step's session sends instead of a statement is said by the dialect,
which knows the store by an option of the URL.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from mcp_migrate.brokers.address import address
from mcp_migrate.brokers.ending import until_closed, until_none
from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.brokers.own import own_session
from mcp_migrate.brokers.store import alterations
from mcp_migrate.drivers.postgresql import driver, message
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings import Target
from mcp_migrate.settings.credentials import STORE

if TYPE_CHECKING:
    import psycopg

OPTION = "mcp_migrate.store"
"""What the dialect reads of its own session: which schema runs the statements."""


class PostgresSealed:
    """Has functions of the store make a role, and drop it."""

    standing = False

    def __init__(self, target: Target) -> None:
        self._target = target

    def issue(self, step: Step) -> Credential:
        """A role that reads; where the step writes, one that may have sealed statements run."""
        with self._runner() as runner:
            swept = self._sweep(runner)
            password = secrets.token_urlsafe(24)
            verifier = runner.pgconn.encrypt_password(password.encode(), b"step", b"scram-sha-256").decode()
            asked = [verifier, round(step.ttl), step.purpose.writes]
            [(name, ends)] = self._call(runner, "issue", *asked)
        url = address(self._target.resolved_url(), name, password, settings={OPTION: STORE})
        return Credential(url, role=name, expires=ends, swept=swept)

    def revoke(self, credential: Credential) -> None:
        """End its sessions, wait until they are gone, then drop it."""
        with self._runner() as runner:
            self._drop(runner, str(credential.role))

    def sweep(self) -> tuple[str, ...]:
        """Drop the roles whose time is over."""
        with self._runner() as runner:
            return self._sweep(runner)

    def maker(self) -> str | None:
        """Nobody here makes databases: scratch databases lie on a server of their own."""
        return None

    def excess(self) -> Iterator[str]:
        """What the runner may do beside calling the store."""
        yield "whoever has the runner's URL can have roles that read what the reader reads"

    def alterations(self) -> tuple[str, ...]:
        """What of the store, or of the runner's rights, is not as it was shipped. Raises: CredentialFailedError."""
        with self._runner() as runner:
            return alterations(runner, self._target.credentials)

    def why_not(self, plan: str) -> str | None:
        """Why the target does not run the plan with this digest now. Raises: CredentialFailedError."""
        with self._runner() as runner:
            [(why,)] = self._call(runner, "why_not", plan)
        return None if why is None else str(why)

    def _sweep(self, runner: psycopg.Connection[Any]) -> tuple[str, ...]:
        """One that cannot go, for something that whoever stole it left behind, keeps no step from its own."""
        gone = []
        for (name,) in self._call(runner, "over"):
            with suppress(CredentialFailedError):
                self._drop(runner, str(name))
                gone.append(str(name))
        return tuple(gone)

    def _drop(self, runner: psycopg.Connection[Any], name: str) -> None:
        def end() -> int:
            return int(self._call(runner, "finish", name)[0][0])

        def closed() -> bool:
            try:
                self._call(runner, "close", name)
            except CredentialFailedError as error:
                if isinstance(error.__cause__, driver().errors.LockNotAvailable):
                    return False  # a session that changes its own password, and does not commit, holds it up
                raise
            return True

        if not until_closed(closed, end) or until_none(end):
            raise CredentialFailedError(f"Sessions of {name} do not end.", hint="The next step ends them.")

    def _call(self, runner: psycopg.Connection[Any], function: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a function of the store. Raises: CredentialFailedError."""
        places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        try:
            return runner.execute(f"SELECT * FROM {STORE}.{function}({places})".encode(), values).fetchall()  # noqa: S608  names of ours
        except driver().Error as error:
            raise CredentialFailedError(
                f"The store of sealed plans does not answer: {message(error)}.",
                hint="Nothing ran. `mcp-migrate credentials sql` prints what an admin runs once; `doctor` compares it.",
            ) from error

    def _runner(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        return own_session(self._target.resolved_url())
