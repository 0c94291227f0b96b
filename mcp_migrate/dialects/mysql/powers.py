"""What may the account of a MySQL or MariaDB session do? By its own grants; those of roles in it are not followed."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mcp_migrate.dialects.powers import Powers

if TYPE_CHECKING:
    from mcp_migrate.dialects.mysql.reader import MysqlReader

_HARMLESS = ("SELECT", "SHOW VIEW", "SHOW DATABASES", "USAGE", "PROCESS", "REPLICATION CLIENT", "BINLOG MONITOR")
_TO_SEE = ("TRIGGER", "EVENT")
"""Nobody else sees what triggers and events there are: who reads a schema has to have these."""
_MOST = 3
_ME = (
    "GRANTEE = concat('''', substring_index(current_user(), '@', 1), '''@''',"
    " substring_index(current_user(), '@', -1), '''')"
)
_EVERYWHERE = f"SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE {_ME}"  # noqa: S608  a constant
_HERE = (
    "SELECT DISTINCT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES "  # noqa: S608  a constant
    f"WHERE database() LIKE TABLE_SCHEMA AND {_ME}"
)


def powers(reader: MysqlReader) -> Powers:
    """By the information schema."""
    [(role, at)] = reader.ask("SELECT current_user(), utc_timestamp(6)")
    everywhere = {kind for (kind,) in reader.ask(_EVERYWHERE)}
    here = {kind for (kind,) in reader.ask(_HERE)}
    may = sorted((everywhere | here) - {*_HARMLESS, *_TO_SEE})
    changes = tuple(f"{kind} on {reader.database}" for kind in may[:_MOST])
    return Powers(str(role), "SUPER" in everywhere, changes, at=at.replace(tzinfo=UTC))
