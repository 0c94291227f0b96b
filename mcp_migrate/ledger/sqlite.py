"""How is a ledger file made, opened and recognised?

SQLite's locks belong to the process and vanish when *any* descriptor of the file is closed, so a file that may
be in use is opened through SQLite only.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from mcp_migrate.errors import ConfigInvalidError, LedgerCorruptError, LedgerUnavailableError
from mcp_migrate.ledger.sidecar import begin, read_sidecar
from mcp_migrate.ledger.trouble import translated, unavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

APPLICATION_ID = 0x6D636D67
FORMAT = 1
BUSY_SECONDS = 5.0
TURN_SECONDS = 30.0
Mode = Literal["rw", "ro", "immutable"]
_QUERY = {"rw": "mode=rw", "ro": "mode=ro", "immutable": "immutable=1"}


def locate(url: str) -> Path:
    """The file a ledger URL names, with links resolved so that everyone agrees where its head lies.

    Raises:
        ConfigInvalidError: it is not ``sqlite:///`` and a path.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername != "sqlite" or parsed.host or parsed.query:
        raise ConfigInvalidError(
            "The ledger must be an SQLite file or a PostgreSQL database.",
            hint="Write `ledger: sqlite:///path/to/ledger.db`, without options, or `postgresql://USER@HOST/NAME`.",
        )
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigInvalidError(
            "The ledger must be a file; a record in memory would be forgotten.",
            hint="Write `ledger: sqlite:///path/to/ledger.db`.",
        )
    return Path(parsed.database).resolve()


@cache
def schema_sql() -> str:
    """The text that makes an empty ledger."""
    return files(__package__).joinpath("sqlite.sql").read_text(encoding="utf-8")


def create(path: Path) -> None:
    """Make an empty ledger unless a file is there. It appears whole, under its name, or not at all.

    Raises:
        LedgerUnavailableError: it cannot be written there.
        LedgerCorruptError: there was a ledger, and only its head is left.
    """
    if path.exists():
        return
    head = read_sidecar(path)
    if head and head.size:
        raise LedgerCorruptError(
            f"The ledger {path} is gone; its head file says that it had {head.size} entries.",
            hint="Restore it from a backup. To begin anew knowingly, move the head file away as well.",
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            built = _build(Path(folder) / "ledger")
            begin(path, Path(folder) / "head")  # first, so that no ledger is ever seen without its head
            _put(built, path)
    except (OSError, sqlite3.Error) as error:
        raise unavailable(path, str(error), name="SQLITE_CANTOPEN") from error


def _build(path: Path) -> Path:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.executescript(f"BEGIN; {schema_sql()} COMMIT")
        raw.execute(f"PRAGMA application_id={APPLICATION_ID}")
        raw.execute(f"PRAGMA user_version={FORMAT}")
    return path


def _put(built: Path, path: Path) -> None:
    try:
        os.link(built, path)
    except FileExistsError:
        return  # another process was first; its file is as good
    if os.name == "posix":  # a folder cannot be synced elsewhere
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def connect(path: Path, mode: Mode) -> Connection:
    """Open an existing ledger; each statement commits by itself unless ``BEGIN`` was sent.

    Raises:
        LedgerUnavailableError: it is not there, cannot be opened, or is not a ledger.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    def dial() -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.as_uri()}?{_QUERY[mode]}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    if not path.is_file():
        raise unavailable(path, "there is no such file", name="SQLITE_CANTOPEN")
    with translated(path):
        connection = create_engine("sqlite://", creator=dial, poolclass=NullPool).connect()
        try:
            _recognise(connection, path)
            if mode == "rw":
                _make_durable(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _recognise(connection: Connection, path: Path) -> None:
    found = tuple(
        connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("application_id", "user_version")
    )
    if found[0] != APPLICATION_ID:
        raise unavailable(path, "the file there is not a ledger", name="SQLITE_NOTADB")
    if found[1] != FORMAT:
        raise LedgerUnavailableError(
            f"The ledger {path} has format {found[1]}, and this version reads {FORMAT}.",
            hint="Use the version of mcp-migrate that wrote it.",
        )


def _make_durable(connection: Connection, path: Path) -> None:
    journal = connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one()
    if journal != "wal":
        raise unavailable(path, f"its journal mode is {journal}, not WAL", name="SQLITE_IOERR")
    connection.exec_driver_sql("PRAGMA synchronous=FULL")
    connection.exec_driver_sql("PRAGMA fullfsync=ON")  # macOS: fsync alone does not reach the disk


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, which begins and ends transactions at a tenth of the cost."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def at_rest(path: Path) -> tuple[int, int, int] | None:
    """The state of a file nobody has open, which can be read without making files beside it; else None."""
    if path.with_name(f"{path.name}-wal").exists():
        return None
    try:
        found = path.stat()
    except OSError:
        return None  # opening it says why
    return found.st_ino, found.st_mtime_ns, found.st_size


def changed_schema(connection: Connection) -> tuple[str, ...]:
    """What in the file's schema is not as we made it: missing, changed or added objects, by name."""
    query = "SELECT name, type, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(schema_sql())
        expected = {row[0]: tuple(row) for row in model.execute(query)}
    found = {row[0]: tuple(row) for row in connection.exec_driver_sql(query)}
    return tuple(
        f"{name} is {'missing' if name not in found else 'changed' if name in expected else 'not ours'}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    )
