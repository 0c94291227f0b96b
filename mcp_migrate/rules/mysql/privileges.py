"""Which statements reach rights, the session, the server or its files, by their first words?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.mysql.cursor import Cursor
from mcp_migrate.rules.mysql.row_rules import OUTSIDE, RIGHTS

_RIGHTS = (
    "GRANT", "REVOKE", "SET", "USE", "KILL", "FLUSH", "RESET", "INSTALL", "UNINSTALL", "SHUTDOWN", "RESTART", "PURGE",
    "LOCK TABLES", "LOCK TABLE", "LOCK INSTANCE", "UNLOCK", "XA", "CACHE INDEX", "CLONE", "CREATE USER", "ALTER USER",
    "DROP USER", "RENAME USER", "CREATE ROLE", "DROP ROLE", "ALTER DATABASE", "ALTER SCHEMA", "ALTER INSTANCE",
    "CREATE OR REPLACE USER", "CREATE RESOURCE", "ALTER RESOURCE", "START", "STOP", "CHANGE", "BINLOG",
)  # fmt: skip
_OUTSIDE = (
    "LOAD", "CREATE SERVER", "ALTER SERVER", "DROP SERVER", "CREATE TABLESPACE", "ALTER TABLESPACE",
    "DROP TABLESPACE", "CREATE LOGFILE", "IMPORT TABLE", "BACKUP",
)  # fmt: skip
_HIDDEN = {
    "PREPARE": "the text of a prepared statement is not looked into",
    "EXECUTE": "the text of a prepared statement is not looked into",
    "DEALLOCATE": "the text of a prepared statement is not looked into",
    "DELIMITER": "DELIMITER is a command of the client, not a statement",
    "CALL": "what a procedure does is not looked into",
    "DO": "what DO computes is not looked into",
    "HANDLER": "HANDLER reads past every lock and is not looked into",
}
_OUT = frozenset({"OUTFILE", "DUMPFILE"})


def privilege(cursor: Cursor) -> list[Finding] | None:
    """The finding for such a statement; None for any other."""
    if words := next((words for words in _OUTSIDE if cursor.sees(words)), ""):
        return [found(OUTSIDE, what=words)]
    if words := next((words for words in _RIGHTS if cursor.sees(words)), ""):
        return [found(RIGHTS, what=words)]
    if any(token.kind == "word" and token.value in _OUT for token in cursor.tokens):
        return [found(OUTSIDE, what="INTO OUTFILE")]
    reason = next((reason for words, reason in _HIDDEN.items() if cursor.sees(words)), "")
    return [unknown(reason)] if reason else None
