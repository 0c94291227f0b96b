"""Where are revisions tried out? On a copy of the target's schema, without its rows, that is thrown away."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.dialects.sqlite.reader import open_reader, quote, sqlite_path, unreachable
from mcp_migrate.errors import RehearsalFailedError

_PREFIX = "mcp-migrate-scratch-"
_LEASE_SECONDS = 2 * 3600
_IN_USE = "in-use"
_VERSION_COLUMN = "version_num"
_NUMBERS = ("user_version", "application_id")
_OBJECTS = """
SELECT s.type, s.name, s.sql FROM sqlite_schema AS s LEFT JOIN pragma_table_list AS t
    ON t.schema = 'main' AND t.name = s.name AND s.type = 'table'
WHERE s.sql IS NOT NULL AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND s.tbl_name NOT LIKE '\\_mcp\\_migrate%' ESCAPE '\\' AND t.type IS NOT 'shadow'
ORDER BY CASE s.type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, s.rowid
"""
"""Shadow tables are made by the virtual table they belong to."""


@contextmanager
def open_scratch(url: str) -> Iterator[Scratch]:
    """A file in a folder of its own with the target's schema and the rows of Alembic's version table.

    Raises:
        TargetUnreachableError: the target cannot be read.
        RehearsalFailedError: its schema cannot be made a second time.
    """
    _sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder, _held(Path(folder)):
        copy = Path(folder).resolve() / "scratch.db"
        with open_reader(url):
            pass  # says kindly what is wrong with a target that cannot be opened
        _copy_schema(sqlite_path(url), copy)
        yield Scratch(f"sqlite:///{copy}", holds_schema=True)


def _sweep() -> None:
    """Remove what a server that died left behind: rows of a target may be in it. Others' we cannot, and leave."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is gone meanwhile
            if left.lstat().st_mtime < time.time() - _LEASE_SECONDS and not _is_held(left):
                shutil.rmtree(left, ignore_errors=True)  # never follows a link


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Say that it is in use, for as long as this process lives: after a jump of the clock any folder looks old."""
    with (folder / _IN_USE).open("w") as file:
        if sys.platform != "win32":  # where a folder with an open file in it stays anyway
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_held(folder: Path) -> bool:
    if sys.platform == "win32" or not (folder / _IN_USE).is_file():
        return False
    import fcntl

    with (folder / _IN_USE).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _copy_schema(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy.as_uri(), uri=True, isolation_level=None)) as scratch:
        scratch.execute("PRAGMA synchronous = OFF")  # thrown away: the disk is not waited for
        if not path.exists():
            return
        name = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(name, uri=True, isolation_level=None)) as source:
            try:
                source.execute("BEGIN")
                rows = source.execute(_OBJECTS).fetchall()
                _copy_settings(source, scratch)
            except sqlite3.DatabaseError as error:
                raise unreachable(path, str(error)) from error
            _copy_objects(rows, source, scratch)


def _copy_settings(source: sqlite3.Connection, scratch: sqlite3.Connection) -> None:
    """What a revision can ask for besides tables; the encoding can be set only while there is nothing yet."""
    scratch.execute(f"PRAGMA encoding = '{source.execute('PRAGMA encoding').fetchone()[0]}'")
    for number in _NUMBERS:
        scratch.execute(f"PRAGMA {number} = {int(source.execute(f'PRAGMA {number}').fetchone()[0])}")


def _copy_objects(rows: list[tuple[str, str, str]], source: sqlite3.Connection, scratch: sqlite3.Connection) -> None:
    scratch.execute("BEGIN")
    for kind, name, sql in rows:
        try:
            scratch.execute(sql)
        except sqlite3.Error as error:
            raise RehearsalFailedError(
                f"The {kind} {name} of the target cannot be made in a scratch database: {error}.",
                hint="Plans are recorded on a copy of the schema: what it needs has to be part of SQLite itself.",
            ) from error
        if kind == "table" and _is_version_table(scratch, name):
            revisions = source.execute(f"SELECT {_VERSION_COLUMN} FROM {quote(name)}").fetchall()  # noqa: S608  quoted
            scratch.executemany(f"INSERT INTO {quote(name)} VALUES (?)", revisions)  # noqa: S608  quoted
    scratch.execute("COMMIT")


def _is_version_table(scratch: sqlite3.Connection, name: str) -> bool:
    columns = scratch.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
    return columns == [(_VERSION_COLUMN,)]
