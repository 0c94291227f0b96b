"""Which database and schema does a ledger's URL name, and how are they called without telling a password?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import parse_qsl, urlencode

from mcp_migrate.errors import ConfigInvalidError

SCHEMA = "mcp_migrate_ledger"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "mcp-migrate ledger",
}
"""A server that is gone without a word must not hold up calls for as long as TCP would wait by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """What libpq connects with, which may hold a password, and the schema there."""

    options: Mapping[str, str]
    schema: str

    def __str__(self) -> str:
        host, name = self.options.get("host", "localhost"), self.options.get("dbname", "")
        port = f":{self.options['port']}" if "port" in self.options else ""
        return f"postgresql://{host}{port}/{name}, schema {self.schema}"


def locate(url: str) -> Place:
    """The database that a ledger URL names; ``schema`` among its options is ours, the rest is libpq's.

    Raises:
        ConfigInvalidError: libpq cannot read it, the schema is no plain name, or the driver is not installed.
    """
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        hint = "pip install 'mcp-migrate-server[postgres]'"
        raise ConfigInvalidError("A ledger on PostgreSQL needs the psycopg driver.", hint=hint) from error

    server, _, query = url.partition("://")[2].partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    schema = given.pop("schema", SCHEMA)
    checked(schema, "schema")
    if server.partition("/")[0].count("@") > 1 or "@" in server.partition("/")[2]:
        raise _unreadable()  # libpq would take a part of the password for something else, and then tell it
    try:
        options = conninfo_to_dict(f"postgresql://{server}?{urlencode(given)}")
    except ProgrammingError:
        # libpq quotes the part that it cannot read, which may be the password: nothing of it is told.
        raise _unreadable() from None
    return Place(_PATIENCE | {name: str(value) for name, value in options.items()}, schema)


def _unreadable() -> ConfigInvalidError:
    return ConfigInvalidError(
        "The ledger's url cannot be read.",
        hint="Write special characters of its user and password as %XX, and only options that libpq knows.",
    )


def checked(name: str, what: str) -> str:
    """A name that needs no quotes. Raises: ConfigInvalidError."""
    if not _NAME.fullmatch(name) or name.startswith("pg_"):
        raise ConfigInvalidError(
            f"The ledger's {what} {name[:100]!r} is no plain name.",
            hint="Use small letters, digits and _, and none that begins with pg_.",
        )
    return name


@cache
def schema_sql(schema: str) -> str:
    """The text that makes an empty ledger."""
    return _text("ledger.sql").replace("{schema}", schema)


def grants_sql(schema: str, role: str) -> str:
    """The text that lets a role append, and no more."""
    return _text("grants.sql").replace("{schema}", schema).replace("{role}", role)


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
