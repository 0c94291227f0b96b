"""How does a person place a plan in a target that runs no other? With a key that the server never has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mcp_migrate.drivers.postgresql import connect, driver, message
from mcp_migrate.errors import InvalidArgumentsError, TargetUnreachableError
from mcp_migrate.model import Plan, canonical
from mcp_migrate.settings.credentials import STORE

if TYPE_CHECKING:
    import psycopg

_SEALED_BEFORE, _UNSEALABLE = "MS004", "MS005"


@dataclass(frozen=True, slots=True)
class Sealer:
    """A session of a person's in the target."""

    connection: psycopg.Connection[Any]

    def place(self, plan: Plan, *, begins: datetime, ends: datetime, again: bool) -> None:
        """Raises: InvalidArgumentsError: it was placed before, or is none that can be. TargetUnreachableError."""
        placed = self._ask("seal", canonical(plan.frozen()).decode(), begins, ends, again)
        if placed != plan.digest:
            raise TargetUnreachableError(
                "The target says that it sealed another plan.", hint="`mcp-migrate doctor` looks at its store."
            )

    def withdraw(self, plan: Plan) -> None:
        """Raises: InvalidArgumentsError: there is no seal of it that nothing has used. TargetUnreachableError."""
        if not self._ask("withdraw", plan.digest):
            raise InvalidArgumentsError("No seal of this plan waits.", hint="It was used, or never placed.")

    def _ask(self, function: str, *given: Any) -> Any:
        places = ", ".join(f"${n}" for n in range(1, len(given) + 1))
        try:
            return self.connection.execute(f"SELECT {STORE}.{function}({places})".encode(), given).fetchall()[0][0]
        except driver().Error as error:
            if error.sqlstate == _SEALED_BEFORE:
                raise InvalidArgumentsError(
                    "This plan was sealed before.", hint="`--again` seals it anew: it may then run once more."
                ) from error
            if error.sqlstate == _UNSEALABLE:
                raise InvalidArgumentsError(
                    "This plan cannot be sealed.", hint="It has no statements, or some that no transaction takes back."
                ) from error
            raise TargetUnreachableError(
                f"The target takes no seal: {message(error)}.",
                hint="The url has to be the sealer's: docs/credentials.md.",
            ) from error


@contextmanager
def open_sealer(url: str) -> Iterator[Sealer]:
    """Raises: TargetUnreachableError: it does not open."""
    with connect(url) as connection:
        yield Sealer(connection)
