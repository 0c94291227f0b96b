"""Where are revisions tried out? In a database beside the target that is thrown away, with a user that is too.

It has the target's character set, is empty, and its user may do nothing outside of it. It goes by the target's name in
whatever is read from it, so that both have the same fingerprint.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.dialects.mysql import minted
from mcp_migrate.dialects.mysql.reader import MysqlReader
from mcp_migrate.drivers.mysql import SCRATCH_OF, SESSION, connect, database_name, driver, message, parse, quote
from mcp_migrate.errors import Action, MigrateError, RehearsalFailedError

_DATABASE = "mcp_migrate_scratch_"
_USER = "mcp_migrate_"
"""MySQL takes 32 letters for the name of a user."""
_LEASE_SECONDS = 2 * 3600
_NEEDED = (
    "Have an admin run: GRANT CREATE USER ON *.* TO its user; "
    "GRANT ALL ON `mcp\\_migrate\\_scratch\\_%`.* TO its user WITH GRANT OPTION"
)


@contextmanager
def open_scratch(url: str, *, maker: str | None = None) -> Iterator[Scratch]:
    """An empty database; `maker` opens the schema with procedures that make it.

    Raises:
        TargetUnreachableError: the target cannot be reached.
        RehearsalFailedError: no scratch database can be made here, or not removed; says what would help.
    """
    lease, password = f"{int(time.time()):x}_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    named, inner = database_name(url), _address(maker or url, lease, password, database_name(url))
    if maker is None:
        _make_by(url, lease, password)
    else:
        minted.make(maker, lease, password)
    in_use = url if maker is None else inner
    try:
        with connect(in_use) as held:  # says to whoever sweeps that it is in use: they see this user's sessions
            MysqlReader(held, in_use).ask(f"USE {quote(_DATABASE + lease)}")
            yield Scratch(inner, holds_schema=False, named=named)
    except BaseException:
        with suppress(MigrateError):  # what went wrong first is what is told; a later sweep removes the rest
            _clear(url, maker, lease)
        raise
    _clear(url, maker, lease)


def _make_by(url: str, lease: str, password: str) -> None:
    with connect(url) as admin:
        reader = MysqlReader(admin, url)
        _sweep(reader)
        _make(reader, lease, password)


def _make(admin: MysqlReader, lease: str, password: str) -> None:
    """Make database and user. `lease` and `password` consist of letters, digits, ``_`` and ``-`` alone."""
    name = f"{_DATABASE}{lease}"
    [(characters, collation)] = admin.named_block("database")
    try:
        admin.ask(f"CREATE DATABASE {quote(name)} CHARACTER SET {characters} COLLATE {collation}")
        admin.ask("CREATE USER %s@%s IDENTIFIED BY %s", f"{_USER}{lease}", _host(admin), password)
        # In a grant an underscore stands for any letter.
        admin.ask(f"GRANT ALL ON {quote(name.replace('_', chr(92) + '_'))}.* TO %s@%s", f"{_USER}{lease}", _host(admin))
    except driver().Error as error:
        _remove(admin, lease)
        raise RehearsalFailedError(
            f"No scratch database could be made beside the target: {message(error)}.",
            hint=f"{_NEEDED}.",
        ).then(Action.ASK_ADMIN) from error


def _host(admin: MysqlReader) -> str:
    """Where we come from, as the server sees it: the scratch user comes from there as well."""
    [(user,)] = admin.ask("SELECT user()")
    return str(user).rpartition("@")[2]


def _clear(url: str, maker: str | None, lease: str) -> None:
    """Remove it through a session of its own: the one that made it may be long gone."""
    if maker is not None:
        missing = minted.remove(maker, lease)
    else:
        with connect(url) as connection:
            missing = _remove(MysqlReader(connection, url), lease)
    if missing:
        raise RehearsalFailedError(
            f"The scratch database {_DATABASE}{lease} could not be removed: {missing}.",
            hint=f"Drop that database, and the user {_USER}{lease}.",
        ).then(Action.ASK_ADMIN)


def _remove(admin: MysqlReader, lease: str) -> str:
    """End its sessions, drop user and database; why something is left, or nothing."""
    for (session,) in _asked(admin, "SELECT id FROM information_schema.processlist WHERE user = %s", f"{_USER}{lease}"):
        _asked(admin, f"KILL CONNECTION {int(session)}")
    why = ""
    for sql, values in (
        ("DROP USER IF EXISTS %s@%s", (f"{_USER}{lease}", _host(admin))),
        (f"DROP DATABASE IF EXISTS {quote(_DATABASE + lease)}", ()),
    ):
        try:
            admin.ask(sql, *values)
        except driver().Error as error:
            why = message(error)
    return why


def _sweep(admin: MysqlReader) -> None:
    """Remove what a server that died left behind: the name says when it was made. Others' we cannot, and leave.

    Where somebody is connected it is in use: after a jump of the clock any of them looks old.
    """
    used = {name for (name,) in _asked(admin, "SELECT DISTINCT db FROM information_schema.processlist")}
    sql = "SELECT schema_name FROM information_schema.schemata WHERE left(schema_name, %s) = %s"
    for (name,) in _asked(admin, sql, len(_DATABASE), _DATABASE):
        lease = str(name).removeprefix(_DATABASE)
        made, _, rest = lease.partition("_")
        over = _is_hex(made) and _is_hex(rest) and int(made, 16) < time.time() - _LEASE_SECONDS
        if over and name not in used:
            _remove(admin, lease)


def _is_hex(text: str) -> bool:
    return 0 < len(text) <= len("0123456789ab") and all(letter in "0123456789abcdef" for letter in text)


def _asked(admin: MysqlReader, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows, or none where that is not allowed or gone meanwhile."""
    try:
        return admin.ask(sql, *values)
    except driver().Error:
        return []


def _address(url: str, lease: str, password: str, named: str) -> str:
    """The URL of the scratch database for its own user, with the same session as ours, whoever opens it."""
    parsed = parse(url)
    query = {**parsed.query, **SESSION, "program_name": f"{SCRATCH_OF}{named}"}
    inner = parsed.set(
        drivername=f"{parsed.get_backend_name()}+pymysql",
        username=f"{_USER}{lease}",
        password=password,
        database=f"{_DATABASE}{lease}",
        query=query,
    )
    return inner.render_as_string(hide_password=False)
