"""How do rows get from a target to its scratch database? With their storage classes, and with their row ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing

from mcp_migrate.dialects.sqlite.reader import MANIFEST, quote, sqlite_path


def copy_rows(source: str, scratch: str, tables: Iterable[str], *, most: int) -> bool:
    """Fill `tables` of the scratch database with the target's rows; False when there are more than `most` of them.

    Triggers stay silent: they are taken away and made again. Foreign keys are not looked at by a session like this.
    """
    target = f"{sqlite_path(source).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(sqlite_path(scratch), uri=True, isolation_level=None)) as connection:
        try:
            connection.execute("ATTACH ? AS target", (target,))
            connection.execute("BEGIN")
            names = [table.rpartition(".")[2] for table in tables]
            if sum(_count(connection, name) for name in names) > most:
                return False
            _silently(connection, names)
            connection.execute("COMMIT")
        except sqlite3.Error:
            return False
    return True


def copy_kept(source: str, scratch: str, keys: Collection[str], *, most: int) -> int | None:
    """Make the manifest, and the places under these keys, with their rows unless there are more than `most`."""
    target = f"{sqlite_path(source).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(sqlite_path(scratch), uri=True, isolation_level=None)) as connection:
        try:
            connection.execute("ATTACH ? AS target", (target,))
            connection.execute("BEGIN")
            made = connection.execute("SELECT type, tbl_name, sql FROM target.sqlite_schema WHERE sql IS NOT NULL")
            ours = [(kind, name, sql) for kind, name, sql in made.fetchall() if _is_place(name, keys)]
            for _kind, _name, sql in sorted(ours, key=lambda one: one[0] != "table"):
                connection.execute(sql)
            names = [name for kind, name, _sql in ours if kind == "table" and name != MANIFEST]
            rows = sum(_count(connection, name) for name in names)
            if rows <= most:
                _silently(connection, names)
            connection.execute("COMMIT")
        except sqlite3.Error:
            return None
    return rows


def _is_place(name: str, keys: Iterable[str]) -> bool:
    return name == MANIFEST or any(name.startswith(f"{MANIFEST}_{key}_") for key in keys)


def _count(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM target.{quote(name)}").fetchone()[0])  # noqa: S608  quoted


def _silently(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    triggers = connection.execute("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger'").fetchall()
    for trigger, _sql in triggers:
        connection.execute(f"DROP TRIGGER main.{quote(trigger)}")
    for name in names:
        columns = ", ".join(_columns(connection, name))
        connection.execute(f"DELETE FROM main.{quote(name)}")  # noqa: S608  quoted
        connection.execute(
            f"INSERT INTO main.{quote(name)} ({columns}) SELECT {columns} FROM target.{quote(name)}"  # noqa: S608  quoted
        )
    for _trigger, sql in triggers:
        connection.execute(sql)


def _columns(connection: sqlite3.Connection, name: str) -> list[str]:
    """All that are stored, and the row id where it has a name that no column took."""
    rows = connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
    stored = [str(column) for column, hidden in rows if not hidden]
    listed = connection.execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (name,))
    row = listed.fetchone()
    free = row is not None and not row[0] and "rowid" not in {column.lower() for column in stored}
    return [*(["rowid"] if free else []), *map(quote, stored)]
