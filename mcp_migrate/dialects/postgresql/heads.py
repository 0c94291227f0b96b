"""Where does an apply leave the ledger's head? Beside its mark, in a schema of our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.heads import newest, no_place, row
from mcp_migrate.drivers.postgresql import driver, message
from mcp_migrate.model import LeftHead

if TYPE_CHECKING:
    import psycopg

HEADS = "mcp_migrate.heads"
_MAKE = (
    f"CREATE TABLE {HEADS} (apply_id text PRIMARY KEY, size bigint NOT NULL, root text NOT NULL, "
    "database text NOT NULL)"
)

Ask = Callable[..., Sequence[Sequence[Any]]]


def heads(ask: Ask, database: str) -> tuple[LeftHead, ...]:
    """Those of this database alone: a copy of another brings its own along."""
    if not _there(ask):
        return ()
    return tuple(LeftHead(*each) for each in ask(newest(HEADS, "database = $1"), database))


def leave_head(connection: psycopg.Connection[Any], ask: Ask, head: LeftHead, database: str) -> None:
    """In the transaction that is open. Raises: StatementFailedError."""
    try:
        if not _there(ask):  # a role may write to a table that an admin made, and make none
            connection.execute(_MAKE.encode())
        connection.execute(
            f"INSERT INTO {HEADS} VALUES ($1, $2, $3, $4)".encode(),  # noqa: S608  a constant
            row(head, database),
        )
    except driver().Error as error:
        raise no_place(message(error), "Have the role that applies own the schema mcp_migrate") from error


def _there(ask: Ask) -> bool:
    return bool(ask("SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)", HEADS))
