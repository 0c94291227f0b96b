"""Which statements did each revision send, with which parameters, inside which transaction?

A statement is on the record when the database took it. What SQLAlchemy's events cannot tell truthfully (work that
was rolled back, parameters without a JSON form, a driver used directly) is collected as `refusals`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_migrate.dialects.values import rows_digest
from mcp_migrate.errors import MigrateError
from mcp_migrate.migrations.child.driver import watch
from mcp_migrate.migrations.child.failures import TOO_MUCH, RefusedError
from mcp_migrate.migrations.child.savepoints import Savepoints

if TYPE_CHECKING:
    from mcp_migrate.dialects.interface import Dialect

Reads = Callable[[str], tuple[str, ...] | None]
"""As `Dialect.reads`; told by the parent."""

_SHOWN = 200
_FRAME = 90
"""Bytes that a statement takes in a plan beside its text and values."""
_UNDONE = "it did something that was rolled back; a plan cannot hold that"
_ENDED = "it ended its transaction through the driver; a plan has its own"
_BEGIN = re.compile(r"BEGIN(\s+(DEFERRED|IMMEDIATE|EXCLUSIVE))?(\s+TRANSACTION)?", re.IGNORECASE)


@dataclass(slots=True)
class Recorder:
    """The record of one run. `revision` is the step under way, None outside of all steps.

    `most` is how many bytes of statements a plan holds.
    """

    dialect: Dialect
    reads: Reads
    most: int
    revision: str | None = None
    statements: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    refusals: list[RefusedError] = field(default_factory=list)
    _bytes: int = 0
    _sending: bool = False
    _watched: dict[int, Any] = field(default_factory=dict)
    _pending: dict[int, str | None] = field(default_factory=dict)
    _connections: dict[str, set[int]] = field(default_factory=dict)
    _savepoints: Savepoints = field(default_factory=Savepoints)

    @property
    def who(self) -> str:
        return f"revision {self.revision}" if self.revision else "env.py"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Record every engine of the process."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        listeners = {
            "engine_connect": self._connect,
            "before_cursor_execute": self._before,
            "after_cursor_execute": self._after,
            "handle_error": self._error,
            "commit": self._commit,
            "rollback": self._rollback,
        }
        for name, listener in listeners.items():
            event.listen(Engine, name, listener)
        try:
            yield
        finally:
            for name, listener in listeners.items():
                event.remove(Engine, name, listener)

    def settle(self) -> None:
        """Call when the run is over. Raises: RefusedError."""
        for revision in self._pending.values():
            self._refuse("it never committed what it did", revision)
        for revision, used in self._connections.items():
            if len(used) > 1:
                self.doubts.append(
                    f"revision {revision} wrote through {len(used)} connections: their statements may interleave"
                )
        if self.refusals:
            raise self.refusals[0]

    def _refuse(self, reason: str, revision: str | None) -> None:
        self.refusals.append(RefusedError(reason, revision=revision))

    def _connect(self, connection: Any, _branch: Any = None) -> None:  # SQLAlchemy 1.4 gives a second argument
        raw = connection.connection.dbapi_connection
        if id(raw) not in self._watched:
            self._watched[id(raw)] = raw  # kept, so that no other connection gets its id
            watch(connection.connection.driver_connection, self._driver, partial(self._ended, id(raw)))

    def _before(self, *_arguments: Any) -> None:
        self._sending = True

    def _after(
        self,
        connection: Any,
        _cursor: Any,
        sql: str,
        parameters: Any,
        context: Any,
        many: bool,  # noqa: FBT001
    ) -> None:
        self._sending = False
        if _BEGIN.fullmatch(sql.strip().rstrip(";")):
            return  # the well-known SQLite recipe; the executor makes its own transaction
        savepoint = self._savepoints.handles(id(connection.connection.dbapi_connection), sql)
        if savepoint is None:
            self._refuse(_UNDONE, self.revision)
        if savepoint is not False:
            return
        rows: Sequence[Any] = parameters if many else [parameters]
        try:
            self._keep(connection, sql, rows, no_parameters=bool(context and context.no_parameters))
        except MigrateError as problem:
            self._refuse(f"it sent {sql[:_SHOWN]!r}: {problem.sentence}", self.revision)

    def _keep(self, connection: Any, sql: str, rows: Sequence[Any], *, no_parameters: bool) -> None:
        text, frozen = self.dialect.freeze(sql, rows, no_parameters=no_parameters and not any(rows))
        reads = self.reads(text)
        transactional = not _autocommits(connection) and not self.dialect.commits(text)
        if reads is None:
            self._weigh(text, frozen)
        self.statements.append(
            {
                "revision": self.revision,
                "sql": text,
                "parameters": [list(row) for row in frozen if len(frozen) > 1 or row],
                "transactional": transactional,
                "reads": reads,
                "result": self._result(connection, sql, rows, no_parameters=no_parameters) if reads else None,
            }
        )
        if reads is None:
            self._wrote(id(connection.connection.dbapi_connection), transactional=transactional)

    def _weigh(self, text: str, rows: Sequence[Any]) -> None:
        """No more is recorded than a plan holds. Raises: RefusedError."""
        self._bytes += _FRAME + len(text.encode(errors="surrogatepass")) + sum(len(str(row)) for row in rows if row)
        if self._bytes > self.most:
            kept = sum(statement["reads"] is None for statement in self.statements)
            self._refuse(f"{TOO_MUCH}: {kept:,} statements before this one, and a plan holds 16 MB", self.revision)
            raise self.refusals[-1]

    def _result(self, connection: Any, sql: str, rows: Sequence[Any], *, no_parameters: bool) -> str:
        """The digest of what a read gives, asked a second time: the first answer belongs to the revision."""
        self._sending = True
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self.dialect.listing(sql), *([] if no_parameters else [rows[0]]))
            return rows_digest(cursor.fetchall())
        finally:
            cursor.close()
            self._sending = False

    def _wrote(self, connection: int, *, transactional: bool) -> None:
        self._savepoints.wrote(connection)
        if transactional:
            self._pending.setdefault(connection, self.revision)
        if self.revision:
            self._connections.setdefault(self.revision, set()).add(connection)

    def _error(self, context: Any) -> None:
        self._sending = False
        if self.reads(str(context.statement)) == ():
            return  # SQLAlchemy asks MySQL whether there is a table by an error; catalogs say the same on the target
        reason = str(context.original_exception).strip()[:_SHOWN]
        self.doubts.append(
            f"{self.who} sent a statement that failed, and went on: {str(context.statement)[:_SHOWN]!r} ({reason})"
        )

    def _commit(self, connection: Any) -> None:
        self._pending.pop(id(connection.connection.dbapi_connection), None)

    def _rollback(self, connection: Any) -> None:
        key = id(connection.connection.dbapi_connection)
        if key in self._pending:
            self._refuse(_UNDONE, self._pending.pop(key))

    def _ended(self, connection: int, _how: str) -> None:
        """An end that SQLAlchemy asked for was announced before, and nothing is pending any more."""
        if connection in self._pending:
            self._refuse(_ENDED, self._pending.pop(connection))

    def _driver(self, sql: str) -> None:
        if not self._sending and self.reads(sql) is None:
            self._refuse(f"it used the driver directly: {sql[:_SHOWN]!r}", self.revision)


def _autocommits(connection: Any) -> bool:
    """Whether a statement stands alone.

    The well-known SQLite recipe sets the driver to autocommit and begins by itself, so that there only the
    isolation level that was asked for tells.
    """
    raw = connection.connection.dbapi_connection
    if connection.dialect.name in {"mysql", "mariadb"}:
        return bool(raw.get_autocommit())
    if connection.dialect.name != "sqlite":
        return bool(raw.autocommit)
    asked = connection.get_execution_options().get("isolation_level")
    of_engine = (getattr(connection.dialect, name, None) for name in ("_on_connect_isolation_level", "isolation_level"))
    return (asked or next(filter(None, of_engine), None)) == "AUTOCOMMIT"
