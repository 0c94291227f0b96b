"""What does a ledger need of the database that keeps it? One class for each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.line import Row

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Executable

Tail = tuple[int, str, object, object]
"""Number, kind, root and frontier of the last entry, whatever a forger made of the last two."""


class Storage(Protocol):
    """The rows of one ledger. One thread at a time uses it; every error that it raises is one of ours."""

    place: str
    """How messages name it: never with a password."""

    vouching: str
    """Who knows the head from before, in the words of a message."""

    @property
    def said(self) -> Callable[[Any, str | tuple[str, ...]], ColumnElement[str]]:
        """The text at a path of a body."""
        ...

    def turn(self) -> AbstractContextManager[None]:
        """Have others wait until what is written here is published too."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Keep every other writer out, across processes: all is committed at the end, or nothing."""
        ...

    def put(self, rows: Sequence[Row], consumes: Sequence[str]) -> None:
        """Write rows at the end. Raises: AlreadyUsedError: none of them is there, and writing goes on without them."""
        ...

    def tail(self) -> Tail | None:
        """The last entry."""
        ...

    def beside(self) -> Storage:
        """What finds the same without waiting for who writes here; itself where it cannot."""
        ...

    def kinds(self, since: int, limit: int) -> Sequence[tuple[int, str]]:
        """Number and kind of up to `limit` entries from `since` on, in order."""
        ...

    def select(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Mapping[Any, Any]]:
        """What a look-up finds."""
        ...

    def known(self) -> Head:
        """The largest head that is known from before; within `turn`. Raises: LedgerCorruptError: it is none."""
        ...

    def publish(self, head: Head) -> None:
        """Have this head known from now on, unless a later one is; within `turn`."""
        ...

    def left_open(self) -> Sequence[str]:
        """What this database would let us do, or lose, that a ledger's should not, in words."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def is_postgresql(url: str) -> bool:
    """Whether a ledger's URL names a PostgreSQL database."""
    return url.partition("://")[0].partition("+")[0] in {"postgresql", "postgres"}


def open_storage(url: str, *, create: bool, remember: Path | None) -> Storage:
    """Open what `url` names; `remember` is the file for the head where none lies beside the ledger.

    Raises:
        ConfigInvalidError: it names nothing that can keep a ledger.
        LedgerUnavailableError: it cannot be opened, or something else is stored there.
        LedgerCorruptError: its triggers or tables are not as we made them.
    """
    if is_postgresql(url):
        from mcp_migrate.ledger.postgresql.storage import PostgresqlStorage

        return PostgresqlStorage.open(url, create=create, remember=remember)
    from mcp_migrate.ledger.sqlite_storage import SqliteStorage

    return SqliteStorage.open(url, create=create)
