"""An account of MariaDB or MySQL for each step, made and ended by procedures of an admin's in the server itself.

Whoever makes a view, a trigger, a routine or an event is its definer, and nothing of that works once that account is
dropped. So an account that is a definer stays, locked, without a password. `mysql_user.sql` is all that happens in the
server; the broker's account may call it and nothing else, and an event ends what is over, whoever is there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_migrate.brokers.address import parse
from mcp_migrate.brokers.ending import until_none
from mcp_migrate.brokers.interface import Credential, Step
from mcp_migrate.drivers.mysql import connect, driver, message, quote, verifier
from mcp_migrate.errors import CredentialFailedError, TargetUnreachableError
from mcp_migrate.settings import Target

if TYPE_CHECKING:
    import pymysql

_HARMLESS = ("GRANT USAGE ON *.*", "GRANT EXECUTE ON PROCEDURE ")
_RUN_ONCE = "`mcp-migrate credentials sql TARGET` prints what an admin runs once on the server: docs/credentials.md."


class MysqlUser:
    """Has an account made, and ended."""

    standing = False

    def __init__(self, target: Target) -> None:
        self._target, self._mint = target, str(target.credentials.mint)

    def issue(self, step: Step) -> Credential:
        """An account that may log in until its time is over."""
        password = secrets.token_urlsafe(24)
        asked = (secrets.token_hex(3), verifier(password), round(step.ttl), step.purpose.writes)
        with self._admin() as admin:
            try:
                [(name, ends)] = self._call(admin, "issue", *asked)
            except driver().Error as error:
                raise CredentialFailedError(
                    f"No account could be made for this step: {message(error)}.", hint=f"Nothing ran. {_RUN_ONCE}"
                ) from error
        url = parse(self._target.resolved_url()).set(username=name, password=password)
        expires = datetime.fromtimestamp(int(ends), UTC)
        return Credential(url.render_as_string(hide_password=False), role=name, expires=expires)

    def revoke(self, credential: Credential) -> str | None:
        """End its sessions, wait until they are gone, then drop it; what it stays for, as a definer."""
        name = str(credential.role)
        with self._admin() as admin:
            try:
                kept = self._finish(admin, name)
            except driver().Error as error:
                raise CredentialFailedError(
                    f"The account {name} could not be ended: {message(error)}.",
                    hint=f"The server's own event ends it after {credential.expires}.",
                ) from error
        return f"it is locked and stays as the definer of {kept}" if kept else None

    def sweep(self) -> tuple[str, ...]:
        """Hear of the accounts that the server ended by itself, and have those dropped that define nothing any more."""
        with self._admin() as admin:
            return tuple(str(name) for name, _defines in self._call(admin, "sweep"))

    def maker(self) -> str | None:
        """The broker's own account, in the schema of the procedures that make scratch databases."""
        return self._own_url()

    def excess(self) -> Iterator[str]:
        """By what the server says of its grants, and of accounts that stay."""
        with self._admin() as admin:
            granted = [str(row[0]) for row in _rows(admin, "SHOW GRANTS")]
            kept = self._call(admin, "kept")
        beyond = [each.partition(" TO ")[0] for each in granted if not each.startswith(_HARMLESS)]
        if beyond:
            yield (
                f"the broker's account may do more than call the procedures in {self._mint}: {'; '.join(beyond)}; on "
                "MariaDB whoever may CREATE USER can give any account another password"
            )
        yield (
            "where the database has triggers or events, a step that only reads could drop them or make some: the "
            "server shows them to nobody else"
        )
        for name, defines in kept:
            yield f"{name} is locked and stays as the definer of {defines}"

    def _finish(self, admin: pymysql.Connection[Any], name: str) -> str | None:
        kept: list[Any] = [None]

        def end() -> int:
            [(sessions, kept[0])] = self._call(admin, "finish", name)
            return int(sessions)

        if left := until_none(end):
            raise driver().OperationalError(0, f"{left} of its sessions do not end")
        return None if kept[0] is None else str(kept[0])

    def _call(self, admin: pymysql.Connection[Any], procedure: str, *values: Any) -> list[tuple[Any, ...]]:
        places = ", ".join(["%s"] * len(values))
        return _rows(admin, f"CALL {quote(self._mint, procedure)}({places})", *values)

    def _own_url(self) -> str:
        return parse(self._target.resolved_url()).set(database=self._mint).render_as_string(hide_password=False)

    @contextmanager
    def _admin(self) -> Iterator[pymysql.Connection[Any]]:
        """A session of the broker's own account, which need see nothing of the target's database.

        Raises:
            CredentialFailedError: the server does not let it in, or ends it.
        """
        try:
            with connect(self._own_url()) as connection:
                yield connection
        except TargetUnreachableError as error:
            raise CredentialFailedError(error.sentence, hint=f"{error.hint} {_RUN_ONCE}") from error.__cause__
        except driver().Error as error:
            raise CredentialFailedError(f"The broker was refused: {message(error)}.", hint=_RUN_ONCE) from error


def procedures_sql(*, mint: str, database: str, broker: str) -> str:
    """What an admin runs once on the server, for one database and the account of its broker."""
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    pattern = re.sub(r"([\\_%])", r"\\\1", database)  # in a grant an underscore stands for any letter
    return text.format(
        mint=quote(mint),
        mint_text=_text(mint),
        database=_text(database),
        pattern=_text(quote(pattern))[1:-1],  # inside a text of SQL
        broker=f"{_text(broker)}@'%'",
    )


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _rows(admin: pymysql.Connection[Any], sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with admin.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())
