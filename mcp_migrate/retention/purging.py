"""Who takes the content out of entries, and how? The owner of the database, in one transaction, with the triggers off.

The hashes of an entry stay where they are, so that every root, proof and signed head goes on holding. The server has no
way to this: only the command of whoever owns the ledger does, after it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from mcp_migrate.errors import LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger.scan import COLUMNS, NOTHING_LEFT
from mcp_migrate.ledger.storage import is_postgresql
from mcp_migrate.ledger.trouble import TAMPERED

_EMPTY = COLUMNS[1 : 1 + len(NOTHING_LEFT)]


def purge(url: str, leaves: Mapping[int, bytes]) -> None:
    """Empty the entries with these numbers; each has to have this leaf hash still. All of them, or none.

    Raises:
        LedgerCorruptError: one of them is another entry than was said.
        LedgerUnavailableError: it cannot be written, or belongs to somebody else.
    """
    (_in_database if is_postgresql(url) else _in_file)(url, leaves)


def refuse_stranger(url: str) -> None:
    """Whoever may write a file may empty it; on a server only the table's owner may. Raises: LedgerUnavailableError."""
    if not is_postgresql(url):
        return
    from mcp_migrate.ledger.postgresql.connecting import connect, driver
    from mcp_migrate.ledger.postgresql.place import locate
    from mcp_migrate.ledger.postgresql.trouble import translated

    place = locate(url)
    with translated(place), closing(connect(place)) as connection:
        if not driver(connection).execute(_OWNS, [place.schema]).fetchone():
            raise LedgerUnavailableError(
                f"The login of {place} may not purge: it does not own the ledger, and should not.",
                hint="Have the owner of the ledger's schema do it: `--owner postgresql://OWNER@HOST/NAME`.",
            )


def _in_file(url: str, leaves: Mapping[int, bytes]) -> None:
    from mcp_migrate.ledger import sqlite
    from mcp_migrate.ledger.trouble import translated

    path = sqlite.locate(url)
    with translated(path), closing(sqlite.connect(path, "rw")) as connection:
        raw = sqlite.driver(connection)
        raw.execute("PRAGMA secure_delete=ON")  # what is emptied is overwritten, and not only let go of
        raw.execute("BEGIN IMMEDIATE")
        try:
            guard = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'events_no_update'"
            (sql,) = raw.execute(guard).fetchone()
            raw.execute("DROP TRIGGER events_no_update")
            _emptied(leaves, lambda values: raw.execute(_update("events", "?"), values).rowcount)
            raw.execute(sql)
            raw.execute("COMMIT")
        finally:
            raw.rollback()  # does nothing after COMMIT
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _in_database(url: str, leaves: Mapping[int, bytes]) -> None:
    from mcp_migrate.ledger.postgresql.connecting import connect, driver
    from mcp_migrate.ledger.postgresql.place import locate
    from mcp_migrate.ledger.postgresql.trouble import translated

    place = locate(url)
    with translated(place), closing(connect(place)) as connection:
        raw, table = driver(connection), f"{place.schema}.events"
        with raw.transaction():
            raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER events_no_change".encode())
            _emptied(leaves, lambda values: raw.execute(_update(table, "%s").encode(), values).rowcount)
            raw.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER events_no_change".encode())


_OWNS = """
SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
WHERE nspname = %s AND relname = 'events' AND pg_catalog.pg_has_role(current_user, relowner, 'MEMBER')
"""


def _update(table: str, mark: str) -> str:
    parts = ", ".join(f"{name} = {mark}" for name in _EMPTY)
    return f"UPDATE {table} SET {parts} WHERE seq = {mark} AND leaf = {mark}"  # noqa: S608  checked names


def _emptied(leaves: Mapping[int, bytes], update: Callable[[Sequence[object]], int]) -> None:
    for seq, leaf in leaves.items():
        if update([*NOTHING_LEFT, seq, leaf]) != 1:
            raise LedgerCorruptError(f"Entry {seq} of the ledger is not the one that was sealed.", hint=TAMPERED)
