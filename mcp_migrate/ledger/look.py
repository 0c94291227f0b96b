"""How is a ledger read without trusting it and without changing anything? One look for each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.scan import Finding
from mcp_migrate.ledger.storage import is_postgresql

_Seen = TypeVar("_Seen")


class Look(Protocol):
    """What a ledger shows at one moment."""

    what: str
    """What is called altered where it is not as we made it."""

    vouching: str
    """Who knows the heads in `beside`."""

    beside: Sequence[Head]
    """The head that is known beside the database, if there is one."""

    beside_findings: Sequence[Finding]
    """What is wrong with it."""

    notes: Sequence[str]
    """What nothing can be said about."""

    def rows(self, begin: int) -> Iterator[Sequence[Any]]:
        """The entries from `begin` on, as `scan` takes them. Raises: UnreadableError."""
        ...

    def beside_entry(self, seq: int) -> tuple[object, object]:
        """The root and frontier stored with an entry, whatever they are worth; None for each where it is not there."""
        ...

    def altered(self) -> Sequence[str]:
        """What in the schema is not as we made it."""
        ...

    def damaged(self) -> Sequence[Finding]:
        """What the database itself finds wrong with its files."""
        ...


def looked_at(url: str, see: Callable[[Look], _Seen], remember: Path | None) -> _Seen:
    """What `see` makes of the ledger at `url`. Raises: ConfigInvalidError, LedgerUnavailableError."""
    if is_postgresql(url):
        from mcp_migrate.ledger.postgresql.look import looked_at as in_database

        return in_database(url, see, remember)
    from mcp_migrate.ledger.sqlite_look import looked_at as in_file

    return in_file(url, see)
