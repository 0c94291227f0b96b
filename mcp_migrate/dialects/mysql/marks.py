"""Where does an apply leave its mark? In a database of our own; among the user's tables where that may not be made.

The table is transactional, so that a mark stands exactly when the statements of its transaction do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING

from mcp_migrate.dialects.mysql.reader import MARKS_BESIDE, OWN_DATABASE, MysqlReader
from mcp_migrate.drivers.mysql import connect, driver, message, quote
from mcp_migrate.errors import StatementFailedError

if TYPE_CHECKING:
    import pymysql

Place = tuple[str, str]
_COLUMNS = "apply_id VARCHAR(64) PRIMARY KEY, plan VARCHAR(80) NOT NULL, done INT NOT NULL"
_SHAPE = f"({_COLUMNS}) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


def lock_name(database: str) -> str:
    """The lock of one database; such locks belong to the whole server, and their names have at most 64 letters."""
    return "mcp_migrate_" + hashlib.sha256(database.casefold().encode()).hexdigest()[:40]


def insert_mark(reader: MysqlReader, apply_id: str, plan: str) -> Place:
    """Begin a transaction with the mark in it; where it is. Ends the transaction before it.

    Raises:
        StatementFailedError: there is no place for it.
    """
    refused: list[str] = []
    for place in reader.places_for_marks():
        try:
            _make(reader, place)
            reader.ask("START TRANSACTION")
            reader.ask(f"REPLACE INTO {quote(*place)} VALUES (%s, %s, 0)", apply_id, plan)  # noqa: S608  quoted
        except driver().Error as error:
            refused.append(message(error))
            continue
        return place
    raise StatementFailedError(
        f"The target has no place for the mark of this apply: {refused[-1]}.",
        hint="Nothing ran. Have an admin make the database mcp_migrate, and grant its user ALL on mcp_migrate.*.",
    )


def update_mark(reader: MysqlReader, place: Place, apply_id: str, done: int) -> None:
    """Say in the transaction that is open how many statements stand when it is committed."""
    reader.ask(f"UPDATE {quote(*place)} SET done = %s WHERE apply_id = %s", done, apply_id)  # noqa: S608  quoted


def clear_marks(url: str, *, keep: Collection[str]) -> None:
    """Take marks from among the user's tables, and the table with the last one; while another apply runs, nothing."""
    with connect(url) as connection:
        reader = MysqlReader(connection, url)
        place = (reader.database, MARKS_BESIDE)
        if place not in reader.marks() or not take_lock(connection, reader.database, 0):
            return
        held = {str(row[0]) for row in reader.ask(f"SELECT apply_id FROM {quote(*place)}")}  # noqa: S608  quoted
        for apply_id in held.difference(keep):
            reader.ask(f"DELETE FROM {quote(*place)} WHERE apply_id = %s", apply_id)  # noqa: S608  quoted
        if held.isdisjoint(keep):
            reader.ask(f"DROP TABLE {quote(*place)}")


def take_lock(connection: pymysql.Connection[tuple[object, ...]], database: str, seconds: float) -> bool:
    """Whether the lock of this database was free in time. It ends with the session, whatever happens."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", (lock_name(database), seconds))
        row = cursor.fetchone()
    return row is not None and row[0] == 1


def _make(reader: MysqlReader, place: Place) -> None:
    if place in reader.marks():
        return
    if place[0] == OWN_DATABASE:
        reader.ask(f"CREATE DATABASE IF NOT EXISTS {OWN_DATABASE}")
    reader.ask(f"CREATE TABLE IF NOT EXISTS {quote(*place)} {_SHAPE}")
