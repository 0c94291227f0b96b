"""Which session of PostgreSQL does a broker do its own part in, and what is said when there is none?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.drivers.postgresql import connect_unmisled, driver, message
from mcp_migrate.errors import CredentialFailedError, TargetUnreachableError

if TYPE_CHECKING:
    import psycopg


@contextmanager
def own_session(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of the broker's own role, in which nothing runs that the owner of the database made.

    Raises:
        CredentialFailedError: the server does not let it in, or ends it.
    """
    try:
        with connect_unmisled(url) as connection:
            connection.execute(b"SET lock_timeout = '2s'")  # a session that is to be ended may hold its own role
            yield connection
    except TargetUnreachableError as error:
        raise CredentialFailedError(error.sentence, hint=error.hint) from error.__cause__
    except driver().Error as error:
        raise CredentialFailedError(
            f"The broker cannot reach the database: {message(error)}.",
            hint="Check the target's url, that the server runs, and that its role may connect.",
        ) from error
