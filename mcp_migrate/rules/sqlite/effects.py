"""What do the things SQLite asked leave for amount to?"""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_migrate.model import Effect
from mcp_migrate.rules.context import Made
from mcp_migrate.rules.interface import Finding, found, sentences, unknown
from mcp_migrate.rules.sqlite import second, table
from mcp_migrate.rules.sqlite.clone import Action, Clone
from mcp_migrate.rules.sqlite.schema_changes import SCHEMA_CHANGES, looks

_BOOKS = frozenset({"sqlite_master", "sqlite_schema", "sqlite_sequence", "sqlite_temp_master", "sqlite_temp_schema"})
_LOOKS = frozenset({lite.SQLITE_READ, lite.SQLITE_SELECT, lite.SQLITE_FUNCTION, lite.SQLITE_RECURSIVE})
_SIDE_WORK = frozenset({lite.SQLITE_REINDEX, lite.SQLITE_CREATE_INDEX})
"""An index is sorted when it is made, and a table may bring its own: no changes beside the one asked for."""
_ROWS = {lite.SQLITE_INSERT: "insert", lite.SQLITE_UPDATE: "update", lite.SQLITE_DELETE: "delete"}


@dataclass(frozen=True, slots=True)
class Question:
    """One statement, and what SQLite asked leave for."""

    sql: str
    actions: list[Action]
    clone: Clone
    made: Made


def findings(question: Question) -> list[Finding]:
    """What the statement does. Schema changes are applied to the copy for the statements after it."""
    changes = [a for a in question.actions if a.code not in _LOOKS and not _is_book(a)]
    schema = [a for a in changes if a.code in SCHEMA_CHANGES]
    main = next(iter(schema), None)
    if any(not _is_understood(a, main) for a in changes):
        return [unknown("it does something to the connection or the file that is not looked into")]
    if main:
        return _schema_change(main, changes, question)
    rows = [a for a in changes if a.code in _ROWS]
    if rows:
        return _row_change(rows, question)
    return _read(question) if not changes else [unknown("it does something that is not looked into")]


def _is_understood(action: Action, main: Action | None) -> bool:
    if action is main or action.code in _ROWS or action.code in _SIDE_WORK:
        return True
    altered = main is not None and main.code == lite.SQLITE_ALTER_TABLE
    return altered and (action.code, action.first) == (lite.SQLITE_PRAGMA, "quick_check")  # its own, for a new CHECK


def _is_book(action: Action) -> bool:
    """What SQLite writes about its own: it keeps counters in a table it makes for the first AUTOINCREMENT."""
    counters = action.code == lite.SQLITE_CREATE_TABLE and action.first == "sqlite_sequence"
    return counters or (action.first in _BOOKS and action.code in _ROWS)


def _schema_change(action: Action, changes: list[Action], question: Question) -> list[Finding]:
    kind, handler = SCHEMA_CHANGES[action.code]
    selects = any(a.code == lite.SQLITE_SELECT and not a.inside for a in question.actions)
    if kind == "create" and action.code == lite.SQLITE_CREATE_TABLE and selects:
        question.clone.complete = False  # the query is not run, so what it would make is not there
        return [unknown("a table made from a query is not looked into", f"main.{action.first}")]
    results = handler(action, question.sql, question.clone, question.made)
    results += _functions(question.actions, internal=kind == "alter")
    others = [a for a in changes if a.code in _ROWS and a.first.lower() != action.first.lower()]
    results += [f for a in others for f in _row(a, question)]
    return _agreed(results, question, kind)


def _agreed(results: list[Finding], question: Question, kind: str) -> list[Finding]:
    if any(Effect.UNKNOWN in f.rule.effects for f in results) or second.agrees(question.sql, kind):
        return results
    return [*results, unknown("a second parser reads it as something else")]


def _row_change(rows: list[Action], question: Question) -> list[Finding]:
    top = [a for a in rows if not a.inside] or rows
    kind = _ROWS[top[0].code]
    results = [f for a in rows for f in _row(a, question)]
    results += looks(question.actions, {a.first.lower() for a in rows})
    results += _pragmas(question.actions)
    results += _functions(question.actions, internal=False)
    return _agreed(results, question, kind)


def _row(action: Action, question: Question) -> Iterator[Finding]:
    """One kind of change to the rows of one table, by the statement, a trigger or a foreign key."""
    where = f"{action.database}.{action.first}"
    if action.database == "main" and question.made.has("table", ("main", action.first.lower())):
        yield found(table.FILL_NEW, where)
        return
    if action.code == lite.SQLITE_DELETE:
        yield found(table.DELETE, where)
    elif action.code == lite.SQLITE_UPDATE:
        yield found(table.UPDATE, where)
    else:
        yield found(table.INSERT, where)
    if action.code != lite.SQLITE_DELETE and _may_replace(action, question):
        yield found(table.REPLACE, where)


def _may_replace(action: Action, question: Question) -> bool:
    """REPLACE stands in the statement, in a constraint of the table or in a trigger; SQLite does not tell."""
    texts = (question.clone.text(action.first), question.clone.text(action.inside))
    return any(second.replaces(text) for text in (question.sql, *texts))


def _read(question: Question) -> list[Finding]:
    if not any(a.code == lite.SQLITE_SELECT for a in question.actions) or _writes(question):
        return [unknown("SQLite does not tell what it does")]
    reads = [a for a in question.actions if a.code == lite.SQLITE_READ]
    names = dict.fromkeys(f"{a.database or 'main'}.{a.first}" for a in reads)
    results = [found(table.READ, *names, object=", ".join(names) or "no table")]
    results += _pragmas(reads)
    return _agreed([*results, *_functions(question.actions, internal=False)], question, "read")


def _pragmas(actions: list[Action]) -> list[Finding]:
    called = any(a.code == lite.SQLITE_READ and a.first.startswith("pragma_") for a in actions)
    return [unknown("it calls a pragma")] if called else []


def _writes(question: Question) -> bool:
    return any(a.code not in _LOOKS for a in question.actions)


def _functions(actions: list[Action], *, internal: bool) -> list[Finding]:
    known = table.FUNCTIONS | (table.INTERNAL if internal else frozenset())
    names = dict.fromkeys(a.second for a in actions if a.code == lite.SQLITE_FUNCTION)
    return sentences(f"the function {name} is not on the list" for name in names if name.lower() not in known)
