"""What has to hold for rows to go back? Queries about the target as the plan leaves it, each with why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mcp_migrate.dialects.keeper import Loss
from mcp_migrate.dialects.wording import Wording

SINCE = "rows that were written since the apply"


def orphaned(
    wording: Wording, loss: Loss, place: str, only: str = "", *, names: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """For each foreign key: whether what would come back refers to rows that went in the meantime.

    `names` say what the columns are called in a place ``u`` that is no copy.
    """
    numbers = names or {column.name: f"u.o{i}" for i, column in enumerate(loss.columns, 1)}
    for reference in loss.refers:
        ours = [numbers[name] for name in reference.columns if name in numbers]
        if len(ours) == len(reference.columns):
            pairs = zip(ours, reference.to, strict=True)
            match = " AND ".join(wording.equal(one, wording.copied("t", column)) for one, column in pairs)
            there = f"NOT EXISTS (SELECT 1 FROM {wording.named(reference.parent)} AS t WHERE {match})"  # noqa: S608  quoted
            where = " AND ".join([*(f"{one} IS NOT NULL" for one in ours), *([only] if only else []), there])
            why = f"what would come back into {loss.table.qualified} refers to rows of {reference.parent.qualified}"
            yield f"SELECT 1 FROM {place} AS u WHERE {where}", f"{why} that are gone"  # noqa: S608  quoted


def taken(wording: Wording, loss: Loss, place: str, *, but: str = "") -> Iterator[tuple[str, str]]:
    """For each key of a table that rows went from: whether rows written since have values of rows that were kept.

    A row ``t`` `but` for which this holds is none of those: the way back takes it out first.
    """
    least = f" WHERE NOT {but}" if but else ""
    numbers = {column.name: (i, column) for i, column in enumerate(loss.columns, 1)}
    for columns in wording.unique(loss.table):
        named = [numbers[name] for name in columns if name in numbers]
        if len(named) == len(columns):
            match = " AND ".join(wording.equal(f"u.o{i}", wording.copied("t", column)) for i, column in named)
            sql = f"SELECT 1 FROM {place} AS u JOIN {wording.named(loss.table)} AS t ON {match}{least}"  # noqa: S608  quoted
            yield sql, f"{SINCE} have the keys of rows of {loss.table.qualified} that were deleted"
