"""Which reads of a recording can be frozen, and which tables have to hold their rows for that?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mcp_migrate.migrations.freezing import Frozen
from mcp_migrate.model import Read
from mcp_migrate.schema import Schema

_WORD = re.compile(r"\w+")


def wanted(frozen: Frozen, schema: Schema) -> tuple[str, ...]:
    """The tables whose rows a scratch database needs, so that each read gives there what it gives on the target.

    Those that are read, and those that statements on the way name: rows move from one table to another. To copy one
    too many costs time alone, so words are enough to find them.
    """
    if not frozen.reads:
        return ()
    names = {table.rpartition(".")[2] for read in frozen.reads for table in read.tables}
    names |= {word for statement in frozen.statements for word in _WORD.findall(statement.sql)}
    return tuple(table.qualified for table in schema.tables if table.name in names)


def is_held(read: Read, schema: Schema, held: Sequence[str]) -> bool:
    """Whether the scratch database had the rows: they were copied, or the plan itself makes the table."""
    there = {table.name: table.qualified for table in schema.tables}
    others = {other.name for other in schema.others}
    plain = [table.rpartition(".")[2] for table in read.tables]
    return all(name not in others and there.get(name, name) in {name, *held} for name in plain)


def sorted_out(frozen: Frozen, schema: Schema, held: Sequence[str]) -> tuple[tuple[Read, ...], tuple[Read, ...]]:
    """The reads that can be frozen, and those that leave a doubt."""
    good = [read for read in frozen.reads if is_held(read, schema, held)]
    return tuple(good), tuple(read for read in frozen.reads if read not in good)


def unstable(reads: Iterable[Read], again: Iterable[Read]) -> Iterator[Read]:
    """Reads that gave something else the second time: nothing could hold a target to them."""
    other = {(read.before, read.sql, read.parameters, read.result) for read in again}
    return (read for read in reads if (read.before, read.sql, read.parameters, read.result) not in other)
