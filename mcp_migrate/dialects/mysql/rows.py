"""How do rows get from a target to its scratch database? As the driver reads and writes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from mcp_migrate.dialects.mysql.reader import UNDO, MysqlReader
from mcp_migrate.drivers.mysql import connect, driver, parse, quote

_AT_ONCE = 500
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position
"""
_TRIGGERS = "SELECT 1 FROM information_schema.triggers WHERE event_object_schema = %s AND event_object_table = %s"
_PLACES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"


def copy_rows(source: str, scratch: str, tables: Iterable[str], *, most: int) -> bool:
    """Fill `tables` of the scratch database with the target's rows.

    False when there are more than `most`, when one does not fit, or when a trigger would have its say: MySQL has no way
    to silence one.
    """
    names = [table.rpartition(".")[2] for table in tables]
    there, here = str(parse(source).database), str(parse(scratch).database)
    with connect(source) as reading, connect(scratch) as writing:
        reader, writer = MysqlReader(reading, source), MysqlReader(writing, scratch)
        try:
            reader.ask("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            counts = (reader.ask(f"SELECT count(*) FROM {quote(there, name)}")[0][0] for name in names)  # noqa: S608  quoted
            if sum(counts) > most or any(writer.ask(_TRIGGERS, here, name) for name in names):
                return False
            writer.ask("SET SESSION foreign_key_checks = 0, SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
            writer.ask("START TRANSACTION")
            for name in names:
                _copy(reader, writer, (there, name), (here, name))
            writer.ask("COMMIT")
        except driver().Error:
            return False
    return True


def copy_kept(source: str, scratch: str, keys: Collection[str], *, most: int) -> int | None:
    """Make the manifest, and the places under these keys, with their rows unless there are more than `most`."""
    there, here = str(parse(source).database), str(parse(scratch).database)
    with connect(source) as reading, connect(scratch) as writing:
        reader, writer = MysqlReader(reading, source), MysqlReader(writing, scratch)
        try:
            every = [str(name) for (name,) in reader.ask(_PLACES, there)]
            places = [name for name in every if name.startswith(tuple(f"{UNDO}_{key}_" for key in keys))]
            for name in [*places, *([UNDO] if UNDO in every else [])]:
                [(_name, sql)] = reader.ask(f"SHOW CREATE TABLE {quote(there, name)}")
                writer.ask(str(sql))
            rows = sum(int(reader.ask(f"SELECT count(*) FROM {quote(there, name)}")[0][0]) for name in places)  # noqa: S608  quoted
            writer.ask("START TRANSACTION")
            for name in places if rows <= most else ():
                _copy(reader, writer, (there, name), (here, name))
            writer.ask("COMMIT")
        except driver().Error:
            return None
    return rows


def _copy(reader: MysqlReader, writer: MysqlReader, source: tuple[str, str], target: tuple[str, str]) -> None:
    columns = [str(row[0]) for row in reader.ask(_COLUMNS, *source)]
    listed = ", ".join(map(quote, columns))
    rows: list[tuple[Any, ...]] = reader.ask(f"SELECT {listed} FROM {quote(*source)}")  # noqa: S608  quoted
    writer.ask(f"DELETE FROM {quote(*target)}")  # noqa: S608  quoted
    one = f"({', '.join(['%s'] * len(columns))})"
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        values = [value for row in some for value in row]
        writer.ask(f"INSERT INTO {quote(*target)} ({listed}) VALUES {', '.join([one] * len(some))}", *values)  # noqa: S608  quoted
