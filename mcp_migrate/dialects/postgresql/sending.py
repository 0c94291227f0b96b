"""How does a writing session have a statement run? It sends the text; or the target runs what was sealed in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from mcp_migrate.dialects import values
from mcp_migrate.dialects.postgresql.heads import Ask, leave_head
from mcp_migrate.dialects.postgresql.reader import MARKS
from mcp_migrate.drivers.postgresql import driver
from mcp_migrate.model import LeftHead, Statement

if TYPE_CHECKING:
    import psycopg

_MAKE_MARKS = (
    "CREATE SCHEMA IF NOT EXISTS mcp_migrate",
    f"CREATE TABLE {MARKS} (apply_id text PRIMARY KEY, plan text NOT NULL, done integer NOT NULL)",
)
_STORE = "SELECT pg_catalog.current_setting('mcp_migrate.store', true)"
_TOUCHED = "MS002"
"""What the store says of a guard that found rows, or of a version that moved other than one; the writer says why."""


class Sending(Protocol):
    """All that a writing session sends which is not a read."""

    def statement(self, frozen: Statement) -> int:
        """Have it run; the rows it touched."""
        ...

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """That this apply runs this plan."""
        ...

    def mark_done(self, apply_id: str, done: int) -> None:
        """How many statements ran."""
        ...

    def leave_head(self, head: LeftHead, database: str) -> None:
        """What the ledger is."""
        ...

    def hold_still(self, table: str) -> None:
        """Nobody else writes to it until the transaction ends; `table` is quoted."""
        ...


class Texts:
    """Sends what it has to have run."""

    def __init__(self, connection: psycopg.Connection[Any], ask: Ask) -> None:
        self._connection, self._ask = connection, ask

    def statement(self, frozen: Statement) -> int:
        """Send the text as it is. A binary result asks for the protocol in which one text is one statement."""
        if not frozen.parameters:
            return self._connection.execute(frozen.sql.encode(), binary=True).rowcount
        rows = [[values.thaw(value) for value in row] for row in frozen.parameters]
        return sum(self._connection.execute(frozen.sql.encode(), row, binary=True).rowcount for row in rows)

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """In a table that is made where there is none."""
        if not self._ask("SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)", MARKS):
            for sql in _MAKE_MARKS:
                self._connection.execute(sql.encode())
        self._connection.execute(f"INSERT INTO {MARKS} VALUES ($1, $2, 0)".encode(), [apply_id, plan])  # noqa: S608  a constant

    def mark_done(self, apply_id: str, done: int) -> None:
        """In its row."""
        self._connection.execute(
            f"UPDATE {MARKS} SET done = $1 WHERE apply_id = $2".encode(),  # noqa: S608  a constant
            [done, apply_id],
        )

    def leave_head(self, head: LeftHead, database: str) -> None:
        """Beside the mark."""
        leave_head(self._connection, self._ask, head, database)

    def hold_still(self, table: str) -> None:
        """SHARE keeps out who writes, and nobody who reads."""
        self._connection.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())


class Numbers:
    """Asks a store of sealed plans to run statement number n; the text is the store's."""

    def __init__(self, call: Callable[..., Any], store: str) -> None:
        self._call, self._store, self._plan = call, store, ""

    def statement(self, frozen: Statement) -> int:
        """By the plan that the mark names, and its number."""
        try:
            return int(self._ask("run", self._plan, frozen.n)[0][0])
        except driver().Error as error:
            if error.sqlstate == _TOUCHED:
                return int(str(error.diag.message_detail))
            raise

    def leave_mark(self, apply_id: str, plan: str) -> None:
        """In the store's table."""
        self._plan = plan
        self._ask("leave_mark", apply_id, plan)

    def mark_done(self, apply_id: str, done: int) -> None:  # noqa: ARG002  the store knows
        """As far as the store ran it."""
        self._ask("mark_done", apply_id)

    def leave_head(self, head: LeftHead, database: str) -> None:
        """In the store's table."""
        self._ask("leave_head", head.apply_id, head.size, head.root, database)

    def hold_still(self, table: str) -> None:
        """By the store, as the owner."""
        self._ask("hold_still", table)

    def _ask(self, function: str, *given: Any) -> Any:
        places = ", ".join(f"${n}" for n in range(1, len(given) + 1))
        return self._call(f"SELECT {self._store}.{function}({places})", *given)


def sending(connection: psycopg.Connection[Any], ask: Ask) -> Sending:
    """As the credential says that opened the session."""
    store = store_of(ask)
    return Numbers(ask, store) if store else Texts(connection, ask)


def store_of(ask: Ask) -> str | None:
    """The schema of sealed plans, quoted; None where there is none."""
    from mcp_migrate.dialects.postgresql.reader import quoted

    [(name,)] = ask(_STORE)
    return quoted(str(name)) if name else None
