"""How is a scratch database made by procedures of an admin's, so that whoever plans may make no user?

They are those of `brokers/mysql_user.sql`. What a server that died left behind the event of that schema removes.
"""

from __future__ import annotations

from mcp_migrate.dialects.mysql.reader import MysqlReader
from mcp_migrate.drivers.mysql import connect, driver, message, verifier
from mcp_migrate.errors import Action, RehearsalFailedError


def make(maker: str, lease: str, password: str) -> None:
    """A database with the character set of the target, and its user. Raises: RehearsalFailedError."""
    with connect(maker) as connection:
        try:
            MysqlReader(connection, maker).ask("CALL scratch(%s, %s)", lease, verifier(password))
        except driver().Error as error:
            raise RehearsalFailedError(
                f"No scratch database could be made beside the target: {message(error)}.",
                hint="Let an admin run what `mcp-migrate credentials sql TARGET` prints: docs/credentials.md.",
            ).then(Action.ASK_ADMIN) from error


def remove(maker: str, lease: str) -> str:
    """End its sessions, drop user and database; why something is left, or nothing."""
    with connect(maker) as connection:
        try:
            MysqlReader(connection, maker).ask("CALL unscratch(%s)", lease)
        except driver().Error as error:
            return message(error)
    return ""
