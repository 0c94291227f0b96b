"""Did the project talk to the driver behind SQLAlchemy's back?

SQLAlchemy's events see what SQLAlchemy sends. A revision that takes the driver's own cursor would run statements
that no plan holds; they are noticed here, so that the recording can be refused.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_NAME = r'(?:\w+|"\w+"|`\w+`)'
_CONTROL = re.compile(
    rf"BEGIN(?: (?:DEFERRED|IMMEDIATE|EXCLUSIVE))?(?: TRANSACTION)?|(?:COMMIT|END)(?: TRANSACTION)?"
    rf"|ROLLBACK(?: TRANSACTION)?(?: TO(?: SAVEPOINT)? {_NAME})?|SAVEPOINT {_NAME}|RELEASE(?: SAVEPOINT)? {_NAME}",
    re.IGNORECASE,
)
"""Transaction control that drivers send by themselves: the whole text, so that nothing comes along with it."""


_SENDING = ("execute", "executemany", "copy", "stream", "callproc", "copy_from", "copy_to", "copy_expert")
"""The methods of both drivers' cursors that send something."""

_ENDS = re.compile(r"(?:COMMIT|END|ROLLBACK)(?: TRANSACTION)?", re.IGNORECASE)


def watch(connection: Any, told: Callable[[str], None], ended: Callable[[str], None] = lambda _how: None) -> None:
    """Tell of each statement that reaches the driver's `connection`, synchronous or not, and of each end of one.

    SQLAlchemy announces the ends that it asks for before they come here.
    """
    for name in ("commit", "rollback"):
        with suppress(AttributeError):  # SQLite's own connection takes no attributes, and traces its texts instead
            setattr(connection, name, _ending(getattr(connection, name), name, ended))
    if hasattr(connection, "set_trace_callback"):
        setting = connection.set_trace_callback(_tracing(told, ended))
        if inspect.isawaitable(setting):
            from sqlalchemy.util import await_only

            await_only(setting)
    elif hasattr(connection, "cursor_factory"):
        connection.cursor_factory = _watched(connection.cursor_factory, told)
    elif hasattr(connection, "query"):
        connection.query = _telling(connection.query, told)


def _ending(method: Callable[..., Any], name: str, ended: Callable[[str], None]) -> Callable[..., Any]:
    """The driver's method that ends a transaction, telling before it does."""

    def telling(*arguments: Any, **keywords: Any) -> Any:
        ended(name)
        return method(*arguments, **keywords)

    return telling


def _tracing(told: Callable[[str], None], ended: Callable[[str], None]) -> Callable[[str], None]:
    def trace(sql: str) -> None:
        if not _does_nothing(sql):
            told(sql)
        elif _ENDS.fullmatch(sql.strip().removesuffix(";").rstrip()):
            ended(sql)

    return trace


def _does_nothing(sql: str) -> bool:
    """Whether it is control, or one line of comment: that is how SQLite names the triggers it runs."""
    text = sql.strip()
    comment = text.startswith("--") and "\n" not in text and "\r" not in text
    return comment or _CONTROL.fullmatch(text.removesuffix(";").rstrip()) is not None


def _telling(query: Any, told: Callable[[str], None]) -> Callable[..., Any]:
    """The method of a pymysql connection that every text goes through, telling before it sends."""

    def method(sql: Any, *arguments: Any, **keywords: Any) -> Any:
        text = sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)
        if not _does_nothing(text):
            told(text)
        return query(sql, *arguments, **keywords)

    return method


def _watched(base: Any, told: Callable[[str], None]) -> Any:
    """A cursor class of psycopg or psycopg2 that tells before it sends."""

    def telling(name: str) -> Callable[..., Any]:
        original = getattr(base, name)

        def method(self: Any, query: Any, *arguments: Any, **keywords: Any) -> Any:
            told(query.decode(errors="replace") if isinstance(query, bytes) else str(query))
            return original(self, query, *arguments, **keywords)

        return method

    return type("WatchedCursor", (base,), {name: telling(name) for name in _SENDING if hasattr(base, name)})
