"""What does a ledger file show, read without locks where nobody has it open?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_migrate.errors import LedgerCorruptError
from mcp_migrate.ledger import sqlite
from mcp_migrate.ledger.events import Head
from mcp_migrate.ledger.look import Look
from mcp_migrate.ledger.scan import COLUMNS, Finding, UnreadableError
from mcp_migrate.ledger.sidecar import read_sidecar, sidecar_path
from mcp_migrate.ledger.trouble import is_damage, translated

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_Seen = TypeVar("_Seen")
_ROWS = f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq >= ? OR seq < 0 ORDER BY seq"  # noqa: S608  no value is in it


def looked_at(url: str, see: Callable[[Look], _Seen]) -> _Seen:
    """What `see` makes of the file, looked at again where someone began to write meanwhile."""
    path = sqlite.locate(url)
    at_rest = sqlite.at_rest(path)
    found = _seen(path, see, "immutable" if at_rest else "ro")
    if at_rest and sqlite.at_rest(path) != at_rest:  # someone began to write while we read without locks
        return _seen(path, see, "ro")
    return found


def _seen(path: Path, see: Callable[[Look], _Seen], mode: sqlite.Mode) -> _Seen:
    beside, findings = _beside(path)
    # SQLite looks through its own pages beside us: together these take as long as the longer of the two.
    with ThreadPoolExecutor(1) as aside, closing(sqlite.connect(path, mode)) as connection, translated(path):
        looking = aside.submit(_integrity, path, mode)
        return see(SqliteLook(connection, beside, findings, looking))


class SqliteLook:
    """One open file."""

    what, vouching = "The file", "the head file"
    notes: Sequence[str] = ()

    def __init__(
        self,
        connection: Connection,
        beside: Sequence[Head],
        findings: Sequence[Finding],
        looking: Future[list[Finding]],
    ) -> None:
        self.beside, self.beside_findings, self._looking = beside, findings, looking
        self._connection, self._driver = connection, sqlite.driver(connection)

    def rows(self, begin: int) -> Iterator[Sequence[Any]]:
        """The entries, those before the first too that only a forger can make."""
        try:
            yield from self._driver.execute(_ROWS, [begin])
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            raise UnreadableError(str(error)) from error

    def beside_entry(self, seq: int) -> tuple[object, object]:
        """What is stored with an entry."""
        found = self._driver.execute("SELECT root, frontier FROM events WHERE seq = ?", [seq]).fetchone()
        return found or (None, None)

    def altered(self) -> Sequence[str]:
        """What `sqlite_master` says."""
        return sqlite.changed_schema(self._connection)

    def damaged(self) -> Sequence[Finding]:
        """What SQLite says once it has looked through its pages."""
        return self._looking.result()


def _integrity(path: Path, mode: sqlite.Mode) -> list[Finding]:
    """Look-ups go by the indexes: one that leaves out an entry would hide a used approval."""
    from sqlalchemy.exc import DBAPIError

    try:
        with closing(sqlite.connect(path, mode)) as connection:
            report = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    except DBAPIError as error:
        if not is_damage(error.orig):
            raise
        report = str(error.orig)
    return [] if report == "ok" else [Finding(None, f"The file is damaged: {report}.")]


def _beside(path: Path) -> tuple[list[Head], list[Finding]]:
    try:
        head = read_sidecar(path)
    except LedgerCorruptError as error:
        return [], [Finding(None, error.sentence)]
    except OSError as error:
        return [], [Finding(None, f"The head file cannot be read: {error}.")]
    if head is None:
        gone = f"The head file {sidecar_path(path)} is missing: nothing shows whether the log's end was cut."
        return [], [Finding(None, gone)]
    return [head], []
