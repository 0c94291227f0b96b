"""What does a handler get when it asks its server for something? What its half may have, or the call ends.

All that it says is untrusted: it shares its process with whatever it imports, and may write anything to its pipe.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mcp_migrate.dialects import values
from mcp_migrate.dialects.interface import Dialect
from mcp_migrate.errors import ToolFailedError
from mcp_migrate.handlers import Statement
from mcp_migrate.tools.templates import Template

_MOST_LINES, _LONGEST_LINE = 1_000, 2_000
_BETWEEN = 0.2
"""Seconds from one report of progress to the next: telling costs a handler nothing, and its server much."""
_LOG = logging.getLogger("mcp_migrate.tools.own")

Frozen = tuple[str, tuple[tuple[Any, ...], ...]]
"""The text that is sent, and its row of values."""


class Asked(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Told(Asked):
    done: int
    total: int
    text: str


class _Line(Asked):
    event: str
    fields: dict[str, Any]


class Desk:
    """Answers one half of one call; `jobs` is what that half may ask besides."""

    def __init__(
        self,
        tool: str,
        report: Callable[[str], None],
        jobs: Mapping[str, Callable[[Mapping[str, Any]], Any]],
    ) -> None:
        self._tool = tool
        self._report = report
        self._jobs = {"progress": self._progress, "log": self._log, **jobs}
        self._lines = 0
        self._reported = -_BETWEEN

    def answer(self, asked: Mapping[str, Any]) -> Any:
        """One question. Raises: MigrateError: it may not have that."""
        about = dict(asked)
        what = str(about.pop("what"))
        if what not in self._jobs:
            raise mistake(self._tool, f"it asked for {what[:40]!r}, which there is not")
        try:
            return self._jobs[what](about)
        except ValidationError as error:
            raise mistake(self._tool, f"it asked for {what} in a way that nobody asks") from error

    def _progress(self, about: Mapping[str, Any]) -> None:
        told = _Told.model_validate(about)
        if time.monotonic() - self._reported < _BETWEEN:
            return
        self._reported = time.monotonic()
        self._report(f"{told.text[:200]} ({told.done:,} of {told.total:,})".lstrip())

    def _log(self, about: Mapping[str, Any]) -> None:
        """As JSON, so that nothing in it ends the line."""
        line = _Line.model_validate(about)
        self._lines += 1
        if self._lines <= _MOST_LINES:
            said = json.dumps({**line.fields, "tool": self._tool, "event": line.event})
            _LOG.info("%s", said[:_LONGEST_LINE])


def mistake(tool: str, why: str) -> ToolFailedError:
    """For what a tool's author has to mend."""
    return ToolFailedError(
        f"{tool} failed: {why}.", hint="Its author has to mend it; `mcp-migrate tools check` tries it."
    )


def frozen(statement: Statement, dialect: Dialect) -> Frozen:
    """What a statement of a handler is when it is sent. Raises: ValueError: its places and values do not fit."""
    template = Template.parse(statement.sql)
    named, given = {place.name for place in template.places}, statement.values.keys()
    if named != given:
        unlike = ", ".join(sorted(named ^ given))[:100]
        raise ValueError(f"{unlike} is a place without a value, or a value without a place")
    if quoted := next((name for name in template.quoted if name in given), None):
        raise ValueError(f"{{{quoted}}} stands inside quotes or a comment, where it is text")
    try:
        found = {name: values.thaw(value) for name, value in statement.values.items()}
    except (TypeError, KeyError, ArithmeticError) as error:
        raise ValueError("a value is of no kind that can be bound") from error
    return template.filled(found, dialect)
