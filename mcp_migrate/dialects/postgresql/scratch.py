"""Where are revisions tried out? In a database of its own that is thrown away, opened by a role that is too.

Beside the target where its role may make one, so that version and settings are the target's; else on a server that
the `rehearsal` extra brings along. The role owns nothing else; what PUBLIC may do on that server it may do as well.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from mcp_migrate.dialects.interface import Limits, Scratch, Writer
from mcp_migrate.dialects.postgresql.embedded import ALLOW, embedded
from mcp_migrate.dialects.postgresql.parking import UNDO
from mcp_migrate.dialects.postgresql.writer import open_writer
from mcp_migrate.drivers.postgresql import connect, connect_unmisled, driver, libpq_url, message
from mcp_migrate.errors import Action, MigrateError, RehearsalFailedError, TargetUnreachableError
from mcp_migrate.model import Statement

_PREFIX = "mcp_migrate_scratch_"
_OURS = re.compile(rf"{_PREFIX}([0-9a-f]{{1,12}})_[0-9a-f]{{8}}")
_LEASE_SECONDS = 2 * 3600
_IDLE = """
SELECT rolname FROM pg_roles
WHERE starts_with(rolname, $1) AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = rolname)
"""
_END_SESSIONS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND usename = $1"
_MAY = "SELECT rolsuper OR (rolcreatedb AND rolcreaterole), rolsuper FROM pg_roles WHERE rolname = current_user"
_DATABASE = "SELECT to_jsonb(d) FROM pg_database d WHERE datname = current_database()"
_EXTENSIONS = """
SELECT e.extname, n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql' ORDER BY e.oid
"""
_PROVIDERS = {"b": ("builtin", "BUILTIN_LOCALE"), "i": ("icu", "ICU_LOCALE")}


@dataclass(frozen=True, slots=True)
class _Likeness:
    """`options` belong to CREATE DATABASE; an extension is its name, schema and version, in order of creation."""

    options: str
    extensions: tuple[tuple[str, str, str], ...]

    def elsewhere(self) -> _Likeness:
        """The same on another server, which may not know the locale."""
        return replace(self, options="")


@contextmanager
def open_scratch(url: str) -> Iterator[Scratch]:
    """An empty database, but for the target's extensions.

    Raises:
        TargetUnreachableError: the target cannot be reached.
        RehearsalFailedError: no scratch database can be made, or not removed; says what would help.
    """
    with connect_unmisled(url) as connection:
        row = connection.execute(_MAY).fetchone()
        like = _likeness(connection)
    if row is not None and row[0]:
        with _beside(url, like, superuser=row[1]) as scratch:
            yield scratch
        return
    with embedded() as server, _beside(server, like.elsewhere(), superuser=True) as scratch:
        yield scratch


@contextmanager
def open_on_scratch(url: str, statements: Sequence[Statement], *, limits: Limits) -> Iterator[Writer]:
    """The writing session on a scratch database; a plan makes our schema only where its target has none yet."""
    if any(statement.kind == "preserve" for statement in statements):
        with connect(url) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {UNDO}".encode())
    with open_writer(url, statements, limits=limits) as writer:
        yield writer


@contextmanager
def _beside(url: str, like: _Likeness, *, superuser: bool) -> Iterator[Scratch]:
    name, password = f"{_PREFIX}{int(time.time()):x}_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    address = _address(url, name, password)
    with connect_unmisled(url) as admin:
        _sweep(admin)
        _make(admin, name, password, like)
    try:
        _make_extensions(like, [address, *([_address(url, name)] if superuser else [])])
        with connect(address):  # says to every other server that it is in use
            yield Scratch(address, holds_schema=False)
    except BaseException:
        with suppress(MigrateError):  # what went wrong first is what is told; a later sweep removes the rest
            _clear(url, name)
        raise
    _clear(url, name)


def _make(admin: Any, name: str, password: str, like: _Likeness) -> None:
    """Make role and database. The password leaves this process only as what the server stores of it."""
    verifier = admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    try:
        until = admin.execute("SELECT (now() + interval '1 hour')::text").fetchone()[0]
        admin.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{verifier}' NOSUPERUSER CONNECTION LIMIT 8 VALID UNTIL '{until}'"
        )
        admin.execute(f"GRANT {name} TO CURRENT_USER")
        admin.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0 {like.options}")
        with _as(admin, name):
            admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    except driver().Error as error:
        with suppress(driver().Error):
            _remove(admin, name)
        raise RehearsalFailedError(
            f"No scratch database could be made beside the target: {message(error)}.",
            hint=f"{ALLOW}.",
        ).then(Action.ASK_ADMIN) from error


def _clear(url: str, name: str) -> None:
    """Remove it through a session of its own: the one that made it may be long gone."""
    try:
        with connect_unmisled(url) as admin:
            _remove(admin, name)
    except driver().Error as error:
        raise RehearsalFailedError(
            f"The scratch database {name} could not be removed: {message(error)}.",
            hint="Drop the database and the role of that name.",
        ).then(Action.ASK_ADMIN) from error


def _remove(admin: Any, name: str) -> None:
    if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]).fetchone() is None:
        return
    with _as(admin, name):
        _drop(admin, name)
    admin.execute(f"DROP ROLE IF EXISTS {name}")


def _drop(admin: Any, name: str) -> None:
    """FORCE is refused where an autovacuum worker is at it, which is nobody's; without, such a worker is sent away."""
    try:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    except driver().errors.InsufficientPrivilege:
        admin.execute(_END_SESSIONS, [name])
        admin.execute(f"DROP DATABASE IF EXISTS {name}")


@contextmanager
def _as(admin: Any, name: str) -> Iterator[None]:
    """Act as the owner: a role that was made NOINHERIT has no other way to what it was granted."""
    admin.execute(f"SET ROLE {name}")
    try:
        yield
    finally:
        admin.execute("RESET ROLE")


def _sweep(admin: Any) -> None:
    """Remove what a server that died left behind: the name says when it was made. Others' we cannot, and leave.

    Where somebody is connected it is in use: after a jump of the clock any of them looks old.
    """
    for (name,) in admin.execute(_IDLE, [_PREFIX]).fetchall():
        made = _OURS.fullmatch(name)
        if made is not None and int(made[1], 16) < time.time() - _LEASE_SECONDS:
            with suppress(driver().Error):
                _remove(admin, name)


def _address(url: str, name: str, password: str | None = None) -> str:
    """The URL of the scratch database on the server of `url`: for its own role, or for who made it."""
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {str(key): str(value) for key, value in conninfo_to_dict(libpq_url(url)).items() if value}
    except driver().Error as error:
        raise TargetUnreachableError("The target's url cannot be read.", hint="Correct it.") from error
    if password is None:
        return f"postgresql://?{urlencode({**parts, 'dbname': name}, quote_via=quote)}"
    kept = {key: value for key, value in parts.items() if key in {"host", "port", "sslmode", "sslrootcert"}}
    return f"postgresql+psycopg://{name}:{quote(password)}@/{name}?{urlencode(kept)}"


def _likeness(connection: Any) -> _Likeness:
    """Read it from the target."""
    [(database,)] = connection.execute(_DATABASE).fetchall()
    return _Likeness(" ".join(_options(database)), tuple(connection.execute(_EXTENSIONS).fetchall()))


def _make_extensions(like: _Likeness, urls: Sequence[str]) -> None:
    """Make each extension through the first session of those at `urls` that may.

    The scratch role's own comes first: what it owns a revision can drop again.

    Raises:
        RehearsalFailedError: names those that cannot be made.
    """
    if not like.extensions:
        return
    with ExitStack() as stack:
        sessions = [stack.enter_context(connect(url)) for url in urls]
        missing = [name for name, schema, version in like.extensions if not _made(sessions, name, schema, version)]
    if missing:
        raise RehearsalFailedError(
            f"The target has extensions that a scratch database cannot have: {', '.join(missing)}.",
            hint="Let a superuser plan, or install them where the scratch database is made and mark them trusted.",
        ).then(Action.ASK_ADMIN)


def _options(database: Mapping[str, Any]) -> Iterator[str]:
    """The columns of pg_database differ between versions 14 to 18, their meanings do not."""
    yield f"ENCODING {int(database['encoding'])}"
    yield f"LC_COLLATE {_text(database['datcollate'])} LC_CTYPE {_text(database['datctype'])}"
    provider = _PROVIDERS.get(database.get("datlocprovider", "c"))
    if provider is not None:
        locale = str(database.get("datlocale") or database.get("daticulocale"))
        yield f"LOCALE_PROVIDER {provider[0]} {provider[1]} {_text(locale)}"
    elif "datlocprovider" in database:
        yield "LOCALE_PROVIDER libc"


def _made(sessions: Sequence[Any], name: str, schema: str, version: str) -> bool:
    """Try the target's version, then the server's own, in each session."""
    for session in sessions:
        for exactly in (f" VERSION {_text(version)}", ""):
            try:
                if schema != "pg_catalog":
                    session.execute(f"CREATE SCHEMA IF NOT EXISTS {_name(schema)}")
                session.execute(f"CREATE EXTENSION {_name(name)} SCHEMA {_name(schema)}{exactly}")
            except driver().Error:
                continue
            return True
    return False


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
