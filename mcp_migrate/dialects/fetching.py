"""What rows does a query of a tool return? So many and no more, whatever lies in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_migrate.errors import StatementFailedError

_MOST_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Query:
    """One plain SELECT as it was frozen (see `Dialect.freeze`), how many rows of it at most, and how long it may take.

    It is asked inside a query around it: what is no query is a syntax error there.
    """

    sql: str
    row: Sequence[Any]
    at_most: int
    seconds: float

    @property
    def around(self) -> str:
        """The text that is sent."""
        return f"SELECT * FROM ({self.sql.rstrip().rstrip(';')}\n) AS asked LIMIT {self.at_most:d}"  # noqa: S608  proven to read


@dataclass(frozen=True, slots=True)
class Fetched:
    """The names of the columns, and the rows as values of Python."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def taken(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> Fetched:
    """The rows, read one by one. Raises: StatementFailedError: they are too large."""
    found: list[tuple[Any, ...]] = []
    room = _MOST_BYTES
    for row in rows:
        room -= sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if room < 0:
            raise unfetched(f"it returns more than {_MOST_BYTES // 2**20} MB")
        found.append(tuple(row))
    return Fetched(tuple(columns), tuple(found))


def unfetched(why: str) -> StatementFailedError:
    """For a query that was refused, or returns too much."""
    return StatementFailedError(
        f"A read of the tool failed: {why}.", hint="Nothing ran. Its author has to correct the query, or ask for less."
    )
