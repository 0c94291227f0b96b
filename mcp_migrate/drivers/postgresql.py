"""How is a PostgreSQL target reached, and what is said when it cannot be?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ConfigInvalidError, TargetUnreachableError

if TYPE_CHECKING:
    import psycopg

_LONGEST_MESSAGE = 500


def libpq_url(url: str) -> str:
    """A SQLAlchemy URL without the name of a Python driver, as libpq reads it.

    Raises:
        TargetUnreachableError: libpq would take a part of the password for something else, and then tell it.
    """
    scheme, _, rest = url.partition("://")
    server, _, beyond = rest.partition("?")[0].partition("/")
    if server.count("@") > 1 or "@" in beyond:
        raise _unreadable()
    return f"{'postgresql' if scheme.startswith('postgres') else scheme}://{rest}"


@contextmanager
def connect(url: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
    """An open connection in autocommit mode with native ``$1`` placeholders; closed on the way out.

    Raises:
        TargetUnreachableError: the server does not let us in; its words, never the URL's password.
        ConfigInvalidError: the driver is not installed.
    """
    psycopg = driver()
    try:
        connection = psycopg.connect(
            libpq_url(url), autocommit=True, cursor_factory=psycopg.RawCursor, connect_timeout=10, **options
        )
    except psycopg.ProgrammingError:
        # libpq quotes the part of the URL that it cannot read, which may be the password: nothing of it is told.
        raise _unreadable() from None
    except psycopg.Error as error:
        raise TargetUnreachableError(
            f"The PostgreSQL target cannot be reached: {message(error)}.",
            hint="Check the target's url, that the server runs, and that its role may connect.",
        ) from error
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def connect_unmisled(url: str) -> Iterator[psycopg.Connection[Any]]:
    """The same for a role that may more than the owner of the database: names without a schema are the server's own.

    A function in `public` whose types fit better than those of the server's own is taken before that one.
    """
    with connect(url) as connection:
        connection.execute(b"SET search_path = pg_catalog, pg_temp")
        yield connection


def driver() -> Any:
    """The psycopg module. Raises: ConfigInvalidError."""
    try:
        import psycopg
    except ImportError as error:
        raise ConfigInvalidError(
            "PostgreSQL targets need the psycopg driver.", hint="pip install 'mcp-migrate-server[postgres]'"
        ) from error
    return psycopg


def _unreadable() -> TargetUnreachableError:
    return TargetUnreachableError(
        "The PostgreSQL target's url cannot be read.",
        hint="Write special characters of its user and password as %XX, and only options that libpq knows.",
    )


def message(error: Exception) -> str:
    """The server's words on one line, not too many of them."""
    return " ".join(str(error).split())[:_LONGEST_MESSAGE].rstrip(".?")
