"""Did what was kept come back? Counted for each table; compared value by value where nothing else can be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_migrate.dialects.interface import Writer
from mcp_migrate.dialects.keeper import Keeper
from mcp_migrate.model import Kept, Restored
from mcp_migrate.schema import Schema
from mcp_migrate.schema.model import Table

_SECONDS = 60.0
_MOST = 10_000_000
_COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Awaited:
    """A table, of how many rows something was kept, and how many it has to hold in the end.

    `asked` is a query whose rows then have the `digest` of those that were kept; None where rows that were written
    since may differ.
    """

    table: str
    kept: int
    rows: int
    asked: str | None = None
    digest: str | None = None


def awaited(
    session: Writer, kept: Sequence[Kept], keeper: Keeper, after: Schema, *, default: str | None
) -> tuple[Awaited, ...]:
    """What has to be there in each table once the way back to `after` ran; asked before it does.

    Tables of the schema `default` are named without it.
    """
    by_table: dict[str, list[Kept]] = {}
    for each in kept:
        if each.method != _COUNTER:
            by_table.setdefault(each.table, []).append(each)
    tables = {table.qualified: table for table in after.tables}
    names = [name for name in by_table if name in tables]
    before = session.count_rows(names)
    found = []
    for name in names:
        rows = [_rows(session, each.place) or 0 for each in by_table[name]]
        come = sum(_come(session, each, count, keeper) for each, count in zip(by_table[name], rows, strict=True))
        total = before.get(name, 0) + come
        [asked, digest] = [None, None]
        if len(by_table[name]) == 1:
            asked, digest = _exactly(
                session, by_table[name][0], tables[name], keeper, held=before.get(name, 0), default=default
            )
        found.append(Awaited(name, sum(rows), total, asked, digest))
    return tuple(found)


def put_back(session: Writer, waited: Sequence[Awaited]) -> tuple[Restored, ...]:
    """Of each table how many rows were kept, and whether it holds now what it has to."""
    rows = session.count_rows([each.table for each in waited])
    return tuple(
        Restored(
            each.table,
            each.kept,
            rows.get(each.table) == each.rows and (each.asked is None or session.look(each.asked, ()) == each.digest),
        )
        for each in waited
    )


def _come(session: Writer, kept: Kept, rows: int, keeper: Keeper) -> int:
    """How many rows come back: all of a table, or those that the statement did not leave there with other values."""
    if kept.method == "all rows":
        return rows
    stayed = _rows(session, keeper.beside(kept.place))
    return max(rows - stayed, 0) if stayed is not None else 0


def _exactly(
    session: Writer, kept: Kept, table: Table, keeper: Keeper, *, held: int, default: str | None
) -> tuple[str | None, str | None]:
    """The query for what came back and the digest it has to have, where all of the table is what was kept."""
    columns = [column for name in kept.columns if (column := table.column(name))]
    if len(columns) != len(kept.columns) or _rows(session, keeper.beside(kept.place)) is not None:
        return None, None
    keys = keeper.keys(table) if kept.method == "primary key" else ()
    match = " AND ".join(f"u.k{i} = t.{keeper.quote(key.name)}" for i, key in enumerate(keys, 1))
    alone = not held if kept.method == "all rows" else bool(keys)
    if not alone or (
        keys and not _paired(session, kept.place, keeper.quote(*_parts(table, default)), match, held=held)
    ):
        return None, None
    numbers = [*(f"k{i}" for i in range(1, len(keys) + 1)), *(f"o{i}" for i in range(1, len(columns) + 1))]
    listed = ", ".join(keeper.quote(column.name) for column in (*keys, *columns))
    asked = f"SELECT {listed} FROM {keeper.quote(*_parts(table, default))}"  # noqa: S608  quoted
    return asked, session.look(f"SELECT {', '.join(numbers)} FROM {kept.place}", ())  # noqa: S608  ours


def _paired(session: Writer, place: str, name: str, match: str, *, held: int) -> bool:
    """Whether the rows that are there are those of which something was kept, one by one."""
    both = f"SELECT 1 FROM {place} AS u JOIN {name} AS t ON {match}"  # noqa: S608  quoted
    counted = session.count_returned(both, at_most=_MOST, seconds=_SECONDS)
    return counted.why_not is None and counted.rows == held == _rows(session, place)


def _parts(table: Table, default: str | None) -> tuple[str, ...]:
    return (table.name,) if table.schema == default else (table.schema, table.name)


def _rows(session: Writer, place: str) -> int | None:
    """How many rows a place of ours holds; None where there is none."""
    counted = session.count_returned(f"SELECT 1 FROM {place}", at_most=_MOST, seconds=_SECONDS)  # noqa: S608  ours
    return counted.rows if counted.why_not is None else None
