"""How do rows get from a target to its scratch database? By COPY in text, as the server itself writes every type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from mcp_migrate.dialects.postgresql.reader import qualified, quote
from mcp_migrate.drivers.postgresql import connect, driver

_REFERENCES = """
SELECT c.conrelid, c.confrelid FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.conrelid <> c.confrelid
"""
_NAMES = """
SELECT c.oid, n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'
"""
_COLUMNS = """
SELECT pg_catalog.string_agg(pg_catalog.quote_ident(attname), ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_PLACES = """
SELECT c.relname, pg_catalog.string_agg(
    pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname
"""


def copy_rows(source: str, scratch: str, tables: Iterable[str], *, most: int) -> bool:
    """Fill `tables` of the scratch database, and those they refer to, with the target's rows.

    False when there are more than `most` rows, when tables refer to each other in a circle, or when one may not be
    read or does not fit. Triggers of the user's stay silent: what they did is in the rows already.
    """
    with connect(source) as reading, connect(scratch) as writing:
        try:
            reading.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            writing.execute("BEGIN")
            order = _order(reading, tables)
            if sum(_count(reading, table, most) for table in order) > most:
                return False
            if order:
                writing.execute(f"TRUNCATE {', '.join(map(quote, order))} CASCADE".encode())
            for table in order:
                _copy(reading, writing, table)
            writing.execute("COMMIT")
        except (driver().Error, CycleError):
            return False
    return True


def copy_kept(source: str, scratch: str, keys: Collection[str], *, most: int) -> int | None:
    """Make our schema and the manifest, and the places under these keys, with their rows unless they are too many."""
    from mcp_migrate.dialects.postgresql.parking import UNDO
    from mcp_migrate.dialects.postgresql.preserve import PostgresKeeper

    with connect(source) as reading, connect(scratch) as writing:
        try:
            reading.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            writing.execute("BEGIN")
            places = [
                (f"{UNDO}.{name}", columns)
                for name, columns in reading.execute(_PLACES, [UNDO]).fetchall()
                if name.startswith(tuple(f"u_{key}_" for key in keys))
            ]
            for sql in PostgresKeeper().opening(present=False):
                writing.execute(sql.encode())
            for place, columns in places:
                writing.execute(f"CREATE TABLE {quote(place)} ({columns})".encode())
            rows = sum(_count(reading, place, most) for place, _columns in places)
            for place, _columns in places if rows <= most else ():
                _copy(reading, writing, place)
            writing.execute("COMMIT")
        except driver().Error:
            return None
    return rows


def _order(reading: Any, tables: Iterable[str]) -> Sequence[str]:
    """The tables and all they refer to, parents first. Raises: CycleError."""
    names = dict(reading.execute(_NAMES).fetchall())
    parents: dict[str, set[str]] = {}
    for child, parent in reading.execute(_REFERENCES).fetchall():
        if child in names and parent in names:
            parents.setdefault(names[child], set()).add(names[parent])
    graph: dict[str, set[str]] = {}
    waiting = [qualified(table) for table in tables]
    while waiting:
        table = waiting.pop()
        if table not in graph:
            graph[table] = parents.get(table, set())
            waiting.extend(graph[table])
    return tuple(TopologicalSorter({name: sorted(above) for name, above in sorted(graph.items())}).static_order())


def _count(reading: Any, table: str, most: int) -> int:
    """Rows of a table, counted no further than matters."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {quote(table)} LIMIT {most + 1}) AS counted"  # noqa: S608  quoted
    return int(reading.execute(sql.encode()).fetchone()[0])


def _copy(reading: Any, writing: Any, table: str) -> None:
    name = quote(table)
    [(columns,)] = reading.execute(_COLUMNS, [name]).fetchall()
    if columns is None:
        return
    writing.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER".encode())
    with (
        reading.cursor().copy(f"COPY (SELECT {columns} FROM {name}) TO STDOUT".encode()) as rows,  # noqa: S608  quoted
        writing.cursor().copy(f"COPY {name} ({columns}) FROM STDIN".encode()) as target,
    ):
        for block in rows:
            target.write(block)
    writing.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER".encode())
