"""Where are revisions tried out? On a copy of the target's schema, without its rows, that is thrown away."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mcp_migrate.dialects.interface import Scratch
from mcp_migrate.dialects.sqlite.reader import open_reader, quote, sqlite_path, unreachable

_VERSION_COLUMN = "version_num"


@contextmanager
def open_scratch(url: str) -> Iterator[Scratch]:
    """A file in a folder of its own with the target's schema and the rows of Alembic's version table.

    Raises:
        TargetUnreachableError: the target cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="mcp-migrate-scratch-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder).resolve() / "scratch.db"
        with open_reader(url):
            pass  # says kindly what is wrong with a target that cannot be opened
        _copy_schema(sqlite_path(url), copy)
        yield Scratch(f"sqlite:///{copy}", holds_schema=True)


def _copy_schema(source: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy.as_uri(), uri=True, isolation_level=None)) as scratch:
        if not source.exists():
            return
        try:
            scratch.execute("ATTACH ? AS target", (f"{source.absolute().as_uri()}?mode=ro",))
            _copy_objects(scratch)
        except sqlite3.DatabaseError as error:
            raise unreachable(source, str(error)) from error


def _copy_objects(scratch: sqlite3.Connection) -> None:
    rows = scratch.execute(
        "SELECT type, name, sql FROM target.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%'"
        " ESCAPE '\\' ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid"
    ).fetchall()
    scratch.execute("BEGIN")
    for kind, name, sql in rows:
        scratch.execute(sql)
        if kind == "table" and _is_version_table(scratch, name):
            scratch.execute(f"INSERT INTO main.{quote(name)} SELECT * FROM target.{quote(name)}")  # noqa: S608  quoted
    scratch.execute("COMMIT")


def _is_version_table(scratch: sqlite3.Connection, name: str) -> bool:
    columns = scratch.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
    return columns == [(_VERSION_COLUMN,)]
