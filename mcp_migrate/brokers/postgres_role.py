"""A role of PostgreSQL for each step: it acts as the target's owner, or can only read, and is dropped afterwards.

The target's own URL is the broker's: a role that may make roles and hand out the owner's, and need be able to do no
more. A role that is dropped keeps its open sessions, so those are ended first. The name says when its time is over,
so that any server can sweep what another left behind.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mcp_migrate.brokers.address import address
from mcp_migrate.brokers.ending import until_closed, until_none
from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.brokers.own import own_session
from mcp_migrate.drivers.postgresql import driver, message
from mcp_migrate.errors import CredentialFailedError
from mcp_migrate.settings import Target

if TYPE_CHECKING:
    import psycopg

_PREFIX = "mcp_migrate_step_"
_OURS = re.compile(rf"{_PREFIX}([0-9a-f]{{1,12}})_[0-9a-f]{{8}}")
_CONNECTIONS = 4
"""The session of the step, one that looks who is in its way, and those of an attempt before that are just ending."""
_OPTIONS_SINCE = 160_000
"""From PostgreSQL 16 a membership says by itself whether its rights are inherited and may be acted with."""

_CLOCK = "SELECT extract(epoch FROM now())::bigint"
_FOUND = "SELECT rolname FROM pg_catalog.pg_roles WHERE starts_with(rolname, $1) ORDER BY rolname"
_SESSIONS = "SELECT pid FROM pg_catalog.pg_stat_activity WHERE usename = $1"
_END = "SELECT pg_catalog.pg_terminate_backend($1)"
_OPENING = """
SELECT l.pid FROM pg_catalog.pg_locks l
WHERE l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::regclass AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL)
"""
"""Sessions that were let in and are in no list yet: who opens one says for how long that is, by `post_auth_delay`."""
_MEMBER_OF = """
SELECT r.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
JOIN pg_catalog.pg_roles s ON s.oid = m.member WHERE s.rolname = $1
"""
_RIGHTS = """
SELECT r.rolsuper, r.rolcreaterole, pg_catalog.current_setting('server_version_num')::int,
    pg_catalog.pg_has_role(o.oid, 'USAGE')
FROM pg_catalog.pg_roles r LEFT JOIN pg_catalog.pg_roles o ON o.rolname = $1 WHERE r.rolname = current_user
"""
_LASTING = """
SELECT o.rolcanlogin, d.datdba = o.oid FROM pg_catalog.pg_roles o, pg_catalog.pg_database d
WHERE o.rolname = $1 AND d.datname = pg_catalog.current_database()
"""


class PostgresRole:
    """Makes a role, and drops it."""

    standing = False

    def __init__(self, target: Target) -> None:
        self._target = target
        self._owner = str(target.credentials.owner_role)
        self._reader = target.credentials.reader_role
        self._mint = target.credentials.mint

    def issue(self, step: Step) -> Credential:
        """A role that may log in until its time is over."""
        with self._admin() as admin:
            swept = self._sweep(admin)
            expires = self._now(admin) + round(step.ttl)
            name, password = f"{_PREFIX}{expires:x}_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
            try:
                with admin.transaction():
                    self._make(admin, step, name, password, expires)
                    until = admin.execute("SELECT to_timestamp($1)", [expires]).fetchall()[0][0]
            except driver().Error as error:
                raise CredentialFailedError(
                    f"No role could be made for this step: {message(error)}.", hint=f"Nothing ran. {self._needed()}"
                ) from error
        # A function of a superuser may not bind a role to the owner's, so then each session says it.
        acts = {"role": self._owner} if self._mint is not None and step.purpose.writes else None
        url = address(self._target.resolved_url(), name, password, settings=acts)
        return Credential(url, role=name, expires=until, swept=swept)

    def revoke(self, credential: Credential) -> None:
        """End its sessions, wait until they are gone, then drop it."""
        name = str(credential.role)
        with self._admin() as admin:
            try:
                self._drop(admin, name)
            except driver().Error as error:
                raise CredentialFailedError(
                    f"The role {name} could not be dropped: {message(error)}.",
                    hint=f"It cannot log in after {credential.expires}. Drop it by hand if the next step does not.",
                ) from error

    def sweep(self) -> tuple[str, ...]:
        """Drop the roles whose name says that their time is over."""
        with self._admin() as admin:
            return self._sweep(admin)

    def maker(self) -> str | None:
        """The broker's own role, if it may make databases; they get a role of their own and nothing of the target."""
        return self._target.resolved_url()

    def excess(self) -> Iterator[str]:
        """By the catalogs of the server."""
        with self._admin() as admin:
            [(superuser, makes, version, acts)] = admin.execute(_RIGHTS, [self._owner]).fetchall()
            yield from self._lasting(admin)
        if self._mint is not None:
            if superuser or makes:
                yield f"the broker's role may make roles without {self._mint}; take CREATEROLE from it"
            return
        if superuser:
            yield "the broker's role is a superuser; let it be one that may only make roles: docs/credentials.md"
            return
        if version < _OPTIONS_SINCE:
            yield (
                "on PostgreSQL 15 and older who may make roles may also give itself the server's files and programs "
                "(pg_execute_server_program): guard this URL as a superuser's, let functions make the roles (`mint`, "
                "docs/credentials.md), or move to 16"
            )
        elif acts:
            yield f"the broker's role has the rights of {self._owner} itself; grant it WITH INHERIT FALSE, SET FALSE"
        if self._reader is None:
            yield (
                f"reads act as {self._owner} and are read-only by a setting of their session; with `reader_role` the "
                "server itself lets them do nothing else"
            )

    def _lasting(self, admin: psycopg.Connection[Any]) -> Iterator[str]:
        """How who has a step that acts as the owner could stay when it is over."""
        for logs_in, owns in admin.execute(_LASTING, [self._owner]).fetchall():
            if logs_in:
                yield (
                    f"{self._owner} may log in: who has a step that acts as it can give it another password, and stay; "
                    f"ALTER ROLE {_quoted(self._owner)} NOLOGIN"
                )
            if owns:
                yield (
                    f"the database itself belongs to {self._owner}: who has a step that acts as it can close it to the "
                    "broker, so that nobody ends their session; let it belong to an admin"
                )

    def _make(self, admin: psycopg.Connection[Any], step: Step, name: str, password: str, expires: int) -> None:
        """The password leaves this process only as what the server stores of it."""
        verifier = admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        if self._mint is not None:
            asked = [name, verifier, expires, step.purpose.writes]
            admin.execute(f"SELECT {self._mint}.issue($1, $2, to_timestamp($3), $4)".encode(), asked)
            return
        for sql in self._making(admin, step, name, verifier, expires):
            admin.execute(sql.encode())

    def _drop(self, admin: psycopg.Connection[Any], name: str) -> None:
        """No new session, no open one, no role. Nothing where it is gone."""
        if self._mint is None:
            _drop(admin, name)
            return

        def end() -> int:
            return int(admin.execute(f"SELECT {self._mint}.finish($1)".encode(), [name]).fetchall()[0][0])

        _close(lambda: admin.execute(f"SELECT {self._mint}.close($1)".encode(), [name]), end)
        _all_ended(end)

    def _making(self, admin: psycopg.Connection[Any], step: Step, name: str, verifier: str, expires: int) -> list[str]:
        """The statements, where the broker's role makes the step's by itself."""
        options = admin.info.server_version >= _OPTIONS_SINCE
        reads = not step.purpose.writes
        inherits = reads and self._reader is not None
        until = time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(expires))
        made = [
            f"CREATE ROLE {name} LOGIN {'INHERIT' if inherits else 'NOINHERIT'} CONNECTION LIMIT {_CONNECTIONS}",
            f"ALTER ROLE {name} PASSWORD '{verifier}' VALID UNTIL '{until}'",
        ]
        if self._reader is not None and (reads or options):  # with it may come the right to connect
            made.append(f"GRANT {_quoted(self._reader)} TO {name}{' WITH INHERIT TRUE, SET FALSE' if options else ''}")
        if not inherits:
            made.append(f"GRANT {_quoted(self._owner)} TO {name}{' WITH INHERIT FALSE, SET TRUE' if options else ''}")
            made.append(f"ALTER ROLE {name} SET role = {_quoted(self._owner)}")
        if reads:
            made.append(f"ALTER ROLE {name} SET default_transaction_read_only = on")
        return made

    def _sweep(self, admin: psycopg.Connection[Any]) -> tuple[str, ...]:
        """What is not ours to drop stays: it is another broker's on the same server."""
        now, gone = self._now(admin), []
        for (name,) in admin.execute(_FOUND, [_PREFIX]).fetchall():
            made = _OURS.fullmatch(name)
            if made is not None and int(made[1], 16) < now:
                with suppress(driver().Error):
                    self._drop(admin, name)
                    gone.append(name)
        return tuple(gone)

    def _now(self, admin: psycopg.Connection[Any]) -> int:
        """By the server's clock, which decides who may log in."""
        return int(admin.execute(_CLOCK).fetchall()[0][0])

    def _needed(self) -> str:
        owner = _quoted(self._owner)
        if self._mint is not None:
            return f"`mcp-migrate credentials sql` prints what has to be in {self._mint}, for the role to call."
        return (
            "The role in the target's url has to have CREATEROLE and, from PostgreSQL 16 on, "
            f"GRANT {owner} TO it WITH ADMIN TRUE, INHERIT FALSE, SET FALSE: docs/credentials.md."
        )

    def _admin(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        return own_session(self._target.resolved_url())


def _drop(admin: psycopg.Connection[Any], name: str) -> None:
    """No new session, no open one, no role. Nothing where it is gone."""
    options = " WITH INHERIT FALSE, SET TRUE" if admin.info.server_version >= _OPTIONS_SINCE else ""
    try:
        admin.execute(f"GRANT {name} TO CURRENT_USER{options}".encode())
    except driver().errors.UndefinedObject:
        return
    _close(lambda: admin.execute(f"ALTER ROLE {name} NOLOGIN".encode()), lambda: _end_sessions(admin, name))
    for (other,) in admin.execute(_MEMBER_OF, [name]).fetchall():
        with suppress(driver().errors.InsufficientPrivilege):  # somebody else gave it that
            admin.execute(f"REVOKE {_quoted(other)} FROM {name}".encode())
    _all_ended(lambda: _end_sessions(admin, name))
    admin.execute(f"DROP ROLE IF EXISTS {name}".encode())


def _end_sessions(admin: psycopg.Connection[Any], name: str) -> int:
    """Ask the server to end them; how many there were.

    One that is just being opened is looked for first, so that it is found there or in the list. Acting as the role ends
    its own and nobody else's.
    """
    opening = admin.execute(_OPENING).fetchall()
    sessions = admin.execute(_SESSIONS, [name]).fetchall()
    with _as_member(admin, name):
        for (pid,) in sessions:
            admin.execute(_END, [pid])
        return len(sessions) + sum(_is_ended(admin, pid) for (pid,) in opening)


def _is_ended(admin: psycopg.Connection[Any], pid: int) -> bool:
    """Whether it was this role's to end."""
    try:
        return bool(admin.execute(_END, [pid]).fetchall()[0][0])
    except driver().errors.InsufficientPrivilege:
        return False


def _close(close: Callable[[], object], end: Callable[[], int]) -> None:
    """Let nobody log in any more; a session that changes its own password, and does not commit, holds that up."""

    def closed() -> bool:
        try:
            close()
        except driver().errors.LockNotAvailable:
            return False
        return True

    if not until_closed(closed, end):
        raise driver().OperationalError("its sessions hold it up")


def _all_ended(end: Callable[[], int]) -> None:
    if left := until_none(end):
        raise driver().OperationalError(f"{left} of its sessions do not end")


@contextmanager
def _as_member(admin: psycopg.Connection[Any], name: str) -> Iterator[None]:
    """With the role's right to end its own sessions."""
    admin.execute(f"SET ROLE {name}".encode())
    try:
        yield
    finally:
        admin.execute(b"RESET ROLE")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
