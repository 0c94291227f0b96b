"""How is a MySQL or MariaDB target reached, what is its session like, and what is said when it cannot be reached?

Names, strings and times mean the same whoever connects: character set, SQL mode and time zone are ours, not the
server's. One text is one statement, and the server may ask for no file of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from mcp_migrate.errors import ConfigInvalidError, TargetUnreachableError

if TYPE_CHECKING:
    from ssl import SSLContext

    import pymysql
    from sqlalchemy.engine import URL

SQL_MODE = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""As the rules read statements: ``"x"`` is a string and a backslash escapes."""

KEEPING_MODE = "STRICT_TRANS_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
"""For what we ourselves copy: a value that is there is written as it is, be it a date of zeros or the number 0."""

SESSION: Mapping[str, str] = {
    "charset": "utf8mb4",
    "sql_mode": SQL_MODE,
    "init_command": "SET time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1",
}
"""What each session is given, by the names that the driver and SQLAlchemy's URLs have for it."""

PORT = 3306
SCRATCH_OF = "mcp-migrate scratch of "
"""Before the name of the target's database, as the name of the program that opens a scratch database."""

_LONGEST_MESSAGE = 500
_CONNECT_SECONDS = 10
_SWITCHES = frozenset({"ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname", "ssl_disabled"})
_OPTIONS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "program_name", "charset", *_SWITCHES})
_YES = frozenset({"1", "true", "yes", "on"})


@contextmanager
def connect(url: str) -> Iterator[pymysql.Connection[Any]]:
    """An open connection in autocommit mode; closed on the way out.

    Raises:
        TargetUnreachableError: the server does not let us in.
        ConfigInvalidError: the driver is not installed, or the URL asks for what we do not give.
    """
    pymysql = driver()
    try:
        connection = _kind(pymysql)(**arguments(url))
    except (pymysql.Error, OSError, ValueError) as error:
        raise TargetUnreachableError(
            f"The target cannot be reached: {message(error)}.",
            hint="Check the target's url, that the server runs, and that its user may connect.",
        ) from error
    try:
        yield connection
    finally:
        with suppress(pymysql.Error, OSError):
            connection.close()


def arguments(url: str) -> dict[str, Any]:
    """What the driver is told."""
    from pymysql.constants import CLIENT

    parsed = parse(url)
    options = {name: str(value) for name, value in parsed.query.items() if SESSION.get(name) != value}
    strange = sorted(set(options) - _OPTIONS | ({"charset"} & set(options)))
    if strange:
        raise ConfigInvalidError(
            f"The target's url has options that are not known here: {', '.join(strange)}.",
            hint=f"Known are {', '.join(sorted(_OPTIONS - {'program_name', 'charset'}))}.",
        )
    return {
        "user": parsed.username,
        "password": str(parsed.password or ""),
        "host": parsed.host or "localhost",
        "port": parsed.port or PORT,
        "database": parsed.database,
        "unix_socket": options.get("unix_socket"),
        "program_name": options.get("program_name", "mcp-migrate"),
        "connect_timeout": _CONNECT_SECONDS,
        "autocommit": True,
        "local_infile": False,
        "client_flag": CLIENT.FOUND_ROWS,  # an UPDATE counts the rows it found, as it does for SQLAlchemy
        **SESSION,
        **_encryption(options),
    }


@cache
def _kind(pymysql: Any) -> Any:
    """The driver's connection, except that encryption nobody asked to check loads no authorities to check it by.

    They are a hundred and more, and were read for each session anew: most of the time that a plan took of ours.
    """

    class Connection(pymysql.connections.Connection):  # type: ignore[misc]  # pymysql has no types
        def _create_ssl_ctx(self, options: Any) -> Any:
            return super()._create_ssl_ctx(options) if options else _unchecked()

    return Connection


@cache
def _unchecked() -> SSLContext:
    """Encryption where the server has it, with whatever certificate."""
    from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext

    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = CERT_NONE
    return context


def parse(url: str) -> URL:
    """The URL in parts. Raises: TargetUnreachableError, ConfigInvalidError: it names no database."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # its words hold the URL, and so a password
        raise TargetUnreachableError(
            "The target's url cannot be read.", hint="Write special characters of user and password as %XX."
        ) from None
    if not parsed.database:
        raise ConfigInvalidError(
            "The target's url names no database.", hint="Write it as mysql+pymysql://user@host/database."
        )
    return parsed


def database_name(url: str) -> str:
    """What the database is called in everything that is said: a scratch database goes by the target's name."""
    parsed = parse(url)
    program = str(parsed.query.get("program_name", ""))
    return program.removeprefix(SCRATCH_OF) if program.startswith(SCRATCH_OF) else str(parsed.database)


def driver() -> Any:
    """The pymysql module. Raises: ConfigInvalidError."""
    try:
        import pymysql
    except ImportError as error:
        raise ConfigInvalidError(
            "MySQL and MariaDB targets need the pymysql driver.", hint="pip install 'mcp-migrate-server[mysql]'"
        ) from error
    return pymysql


def code(error: BaseException) -> int:
    """The number of the server's or the driver's error; 0 for none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def message(error: BaseException) -> str:
    """The server's words on one line, not too many of them."""
    words = error.args[1] if len(error.args) > 1 else str(error)
    return " ".join(str(words).split())[:_LONGEST_MESSAGE].rstrip(".")


def quote(*names: str) -> str:
    """The names as quoted identifiers with dots between them."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def verifier(password: str) -> str:
    """What the server stores of a password (mysql_native_password): an account is made without sending the password."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def _encryption(options: Mapping[str, str]) -> dict[str, Any]:
    """An authority that is named is used: its certificate, and the name in it, are checked unless that is off."""
    named = {name: options[name] for name in ("ssl_ca", "ssl_cert", "ssl_key") if name in options}
    switches = {name: options[name].lower() in _YES for name in _SWITCHES if name in options}
    if switches.pop("ssl_disabled", False):
        return {"ssl_disabled": True}
    checks_name = switches.pop("ssl_check_hostname", "ssl_ca" in named)
    if not named and not switches and not checks_name:
        return {}
    return {"ssl_verify_cert": "ssl_ca" in named, "ssl_verify_identity": checks_name, **named, **switches}
