"""What does a statement leave that failed outside of a transaction? CREATE INDEX CONCURRENTLY: an invalid index.

Such an index costs each write and serves no query, and its name is taken. Nothing here removes it: only statements of
an approved plan run, so it is named, with the statement that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.told import Left
from mcp_migrate.drivers.postgresql import driver

if TYPE_CHECKING:
    import psycopg

_INVALID = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
WHERE NOT i.indisvalid AND n.nspname = $1 AND c.relname = $2 AND t.relname = $3
"""


def left_by(connection: psycopg.Connection[Any], sql: str) -> Left | None:
    """The invalid index with the name and the table that `sql` gives to one; None for any other statement."""
    wanted = _concurrent_index(sql)
    if wanted is None:
        return None
    try:
        rows = connection.execute(_INVALID.encode(), wanted).fetchall()
    except driver().Error:  # the session is gone, or its transaction: then it is found out later
        return None
    if not rows:
        return None
    return Left(f"{wanted[0]}.{wanted[1]}", "invalid index", f"DROP INDEX CONCURRENTLY {rows[0][0]}")


def _concurrent_index(sql: str) -> list[str] | None:
    """Schema, name and table of the index; an index is in the schema of its table."""
    import postgast

    try:
        parsed = [each.stmt for each in postgast.parse(sql).stmts]
    except (postgast.PgQueryError, ValueError):
        return None
    if len(parsed) != 1 or parsed[0].WhichOneof("node") != "index_stmt":
        return None
    index = parsed[0].index_stmt
    named = index.concurrent and index.idxname
    return [index.relation.schemaname or "public", index.idxname, index.relation.relname] if named else None
