"""Which rows may the handler of a tool read while it prepares? Those that a scope of its call covers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from mcp_migrate.dialects import values
from mcp_migrate.dialects.fetching import Fetched, Query
from mcp_migrate.dialects.interface import Dialect, Reader
from mcp_migrate.errors import NotPermittedError, RenderFailedError
from mcp_migrate.handlers import MOST_ROWS, Statement
from mcp_migrate.model import Granted
from mcp_migrate.schema import Schema
from mcp_migrate.settings import Settings, matches
from mcp_migrate.tools.desk import Asked, frozen, mistake

_SECONDS = 60.0
"""How long the reads of one call may take together: the session in which they run stays open meanwhile."""


class _Read(Asked):
    sql: str
    values: dict[str, Any]
    most: int = Field(ge=1, le=MOST_ROWS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a handler may read, in the target's read-only session. `read` are the tables that it did read.

    `refuse` is told them before anything is read: what it learned it could say anywhere.
    """

    tool: str
    refuse: Callable[[Sequence[str]], None]
    dialect: Dialect
    schema: Schema
    reader: Reader
    read: set[str] = field(default_factory=set)
    _taken: list[float] = field(default_factory=list)

    def rows(self, about: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The rows of one plain SELECT. Raises: ToolFailedError, NotPermittedError, StatementFailedError."""
        asked = _Read.model_validate(about)
        try:
            sql, rows = frozen(Statement(sql=asked.sql, values=asked.values), self.dialect)
        except ValueError as error:
            raise mistake(self.tool, str(error)) from error
        found = self.dialect.reads(sql)
        if found is None:
            raise mistake(self.tool, "`read` takes one plain SELECT of tables and known functions")
        tables = [name for each in found for name in _meant(each, self.schema)]
        self.refuse(tables)
        self.read.update(tables)
        got = self._fetched(Query(sql, rows[0] if rows else (), asked.most, _SECONDS - sum(self._taken)))
        return [{name: _told(value) for name, value in zip(got.columns, row, strict=True)} for row in got.rows]

    def _fetched(self, query: Query) -> Fetched:
        if query.seconds <= 0:
            raise mistake(self.tool, f"its reads took longer than {_SECONDS:g} seconds")
        began = time.monotonic()
        try:
            return self.reader.fetch(query)
        finally:
            self._taken.append(time.monotonic() - began)


def refuse_outside(granted: Granted, settings: Settings, tables: Sequence[str]) -> None:
    """Hold tables against the scopes of a call, and what was handed on to its caller. Raises: NotPermittedError."""
    call, scopes = granted.call, settings.workflows[granted.workflow].scopes
    fitting = [scopes[index].objects for index in granted.scopes]
    handed = [grant.objects or None for grant in call.caller.grants]
    if any(_covers(each, tables) for each in fitting) and all(_covers(each, tables) for each in handed):
        return
    raise NotPermittedError(
        f"{call.tool} reads {', '.join(tables[:5])}, which no scope of this call covers.",
        hint=f"Ask {granted.owner}, who owns the workflow, for a wider scope.",
        missing={"tool": granted.scope_name, "target": call.target, "objects": tables[:20]},
    )


def _covers(objects: tuple[str, ...] | None, tables: Sequence[str]) -> bool:
    return objects is None or all(matches(table, objects) for table in tables)


def _meant(name: str, schema: Schema) -> Sequence[str]:
    """The tables that are meant: of a name without a schema, all that are called so."""
    found = [t.qualified for t in schema.tables if name.casefold() in {t.qualified.casefold(), t.name.casefold()}]
    return found or [name]


def _told(value: Any) -> Any:
    """As values are bound; what has no such form as the text that Python gives it."""
    try:
        return values.freeze(value)
    except RenderFailedError:
        return str(value)
