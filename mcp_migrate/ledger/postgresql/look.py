"""What does a ledger on a server show, at one moment and to a role that may only read?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.look import Look
from mcp_migrate.ledger.postgresql.connecting import driver, reach
from mcp_migrate.ledger.postgresql.place import locate
from mcp_migrate.ledger.postgresql.shape import NO_DISK, changed, waits_for_no_disk
from mcp_migrate.ledger.postgresql.trouble import translated
from mcp_migrate.ledger.scan import COLUMNS, Finding, UnreadableError
from mcp_migrate.ledger.sidecar import head_of

if TYPE_CHECKING:
    import psycopg

_Seen = TypeVar("_Seen")
_AT_ONCE = 2_000
_DAMAGED = ("XX", "22")
"""PostgreSQL's classes for files that are damaged, and for values in them that cannot be."""


def looked_at(url: str, see: Callable[[Look], _Seen], remember: Path | None) -> _Seen:
    """What `see` makes of the ledger, all of it at one moment: others may go on writing."""
    place, (beside, findings) = locate(url), _beside(remember)
    with closing(reach(place)) as connection, translated(place):
        raw = driver(connection)
        raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            return see(PostgresqlLook(raw, place.schema, beside, findings))
        finally:
            if not raw.closed:
                raw.execute("ROLLBACK")


class PostgresqlLook:
    """One transaction that only reads."""

    what, vouching = "The ledger's schema", "this machine"

    def __init__(
        self, raw: psycopg.Connection[Any], schema: str, beside: Sequence[Head], findings: Sequence[Finding]
    ) -> None:
        self.beside, self.beside_findings = beside, findings
        self._raw, self._schema = raw, schema
        self.notes: Sequence[str] = tuple(_notes(beside, raw))

    def rows(self, begin: int) -> Iterator[Sequence[Any]]:
        """The entries, over a cursor of the server: all of them need not fit into memory."""
        import psycopg

        query = f"SELECT {', '.join(COLUMNS)} FROM {self._schema}.events WHERE seq >= %s OR seq < 0 ORDER BY seq"  # noqa: S608  checked names
        try:
            with self._raw.cursor("entries") as cursor:
                cursor.itersize = _AT_ONCE
                yield from cursor.execute(query.encode(), [begin])
        except psycopg.Error as error:
            if not str(error.sqlstate).startswith(_DAMAGED):
                raise
            raise UnreadableError(str(error)) from error

    def beside_entry(self, seq: int) -> tuple[object, object]:
        """What is stored with an entry."""
        query = f"SELECT root, frontier FROM {self._schema}.events WHERE seq = %s"  # noqa: S608  checked names
        return self._raw.execute(query.encode(), [seq]).fetchone() or (None, None)

    def altered(self) -> Sequence[str]:
        """What the catalogs say."""
        return changed(self._raw, self._schema)

    def damaged(self) -> Sequence[Finding]:
        """Nothing: what is wrong with an index is found by `pg_amcheck`, which needs more than a reader's rights."""
        return ()


def _notes(beside: Sequence[Head], raw: psycopg.Connection[Any]) -> Iterator[str]:
    if not beside:
        yield "this machine remembers no head of the ledger: a cut end shows only against a witness"
    if waits_for_no_disk(raw):
        yield NO_DISK


def _beside(remember: Path | None) -> tuple[list[Head], list[Finding]]:
    if remember is None:
        return [], []
    try:
        head = head_of(remember)
    except LedgerCorruptError as error:
        return [], [Finding(None, error.sentence)]
    except OSError as error:
        return [], [Finding(None, f"The head that this machine remembers cannot be read: {error}.")]
    return [head] if head and head.size else [], []
