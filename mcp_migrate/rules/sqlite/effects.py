"""What do the things SQLite asked leave for amount to?"""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mcp_migrate.model import Effect
from mcp_migrate.rules.context import Made
from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.sqlite import rebuilds, rows, second, upkeep
from mcp_migrate.rules.sqlite.clone import Action, Clone
from mcp_migrate.rules.sqlite.code import is_command
from mcp_migrate.rules.sqlite.functions import strange
from mcp_migrate.rules.sqlite.pragmas import findings as pragma
from mcp_migrate.rules.sqlite.schema_changes import SCHEMA_CHANGES, create_filled, looks, pragmas_called

_BOOKS = frozenset({"sqlite_master", "sqlite_schema", "sqlite_sequence", "sqlite_temp_master", "sqlite_temp_schema"})
_SCHEMA_BOOKS = _BOOKS - {"sqlite_sequence"}
"""SQLite refuses every statement that writes these; what it says of them is its own work, such as a pragma's table."""
_LOOKS = frozenset({lite.SQLITE_READ, lite.SQLITE_SELECT, lite.SQLITE_FUNCTION, lite.SQLITE_RECURSIVE})
_SIDE_WORK = frozenset({lite.SQLITE_REINDEX, lite.SQLITE_CREATE_INDEX, lite.SQLITE_CREATE_TEMP_INDEX})
"""An index is sorted when it is made, and a table may bring its own: no changes beside the one asked for."""
_ROWS = {lite.SQLITE_INSERT: "insert", lite.SQLITE_UPDATE: "update", lite.SQLITE_DELETE: "delete"}
_AS_TEMPORARY = {
    lite.SQLITE_CREATE_TABLE: lite.SQLITE_CREATE_TEMP_TABLE,
    lite.SQLITE_CREATE_VIEW: lite.SQLITE_CREATE_TEMP_VIEW,
}
_TAKES_ALONG = frozenset({lite.SQLITE_DROP_TABLE, lite.SQLITE_DROP_VIEW, lite.SQLITE_DROP_VTABLE})
_TRIGGERS = frozenset({lite.SQLITE_DROP_TRIGGER, lite.SQLITE_DROP_TEMP_TRIGGER})
_REFUSED = {
    lite.SQLITE_TRANSACTION: "it begins or ends a transaction: a plan runs in one, which nothing in it may end",
    lite.SQLITE_SAVEPOINT: "it makes or ends a savepoint, which may take back what was done before it",
    lite.SQLITE_DETACH: "it takes a file away from the connection",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One statement, and what SQLite asked leave for."""

    sql: str
    actions: list[Action]
    clone: Clone
    made: Made
    transactional: bool = True


def findings(question: Question) -> list[Finding]:
    """What the statement does. Schema changes are applied to the copy for the statements after it."""
    actions = question.actions
    for action in actions:
        if action.code in _REFUSED:
            return [unknown(_REFUSED[action.code])]
    if any(a.code == lite.SQLITE_ATTACH for a in actions):
        return [found(upkeep.OUTSIDE, what="ATTACH")]
    if any(a.code == lite.SQLITE_ANALYZE for a in actions):
        return _agreed(_analyze(actions), question, "analyze")
    if all(a.code == lite.SQLITE_REINDEX for a in actions) or _may_vacuum(question):
        return _upkeep(question)
    if [a.code for a in actions] == [lite.SQLITE_PRAGMA]:
        return _agreed(pragma(actions[0], question.clone, transactional=question.transactional), question, "pragma")
    return _change(question)


def _may_vacuum(question: Question) -> bool:
    """Whether it can be a VACUUM: where to is an expression, so it may ask leave to read."""
    return "vacuum" in question.sql.lower() and second.first_word(question.sql) == "VACUUM"


def _analyze(actions: list[Action]) -> list[Finding]:
    names = dict.fromkeys(f"{a.database}.{a.first}" for a in actions if a.code == lite.SQLITE_ANALYZE)
    return [found(upkeep.ANALYZE, *names)]


def _upkeep(question: Question) -> list[Finding]:
    """VACUUM asks no leave at all; its program tells it, and whether it writes another file."""
    vacuums = [row for row in question.clone.program(question.sql) if row[0] == "Vacuum"]
    if vacuums:
        return _agreed([found(upkeep.WRITE_FILE if any(v[2] for v in vacuums) else upkeep.VACUUM)], question, "vacuum")
    if second.first_word(question.sql) != "REINDEX":
        return [unknown("SQLite does not tell what it does")]
    names = dict.fromkeys(f"{a.database}.{a.first}" for a in question.actions)
    return _agreed([found(upkeep.REINDEX, *names)], question, "reindex")


def _change(question: Question) -> list[Finding]:
    changes = [a for a in question.actions if a.code not in _LOOKS and not _is_book(a)]
    schema = [a for a in changes if a.code in SCHEMA_CHANGES]
    main = next(iter(schema), None)
    if any(not _is_understood(a, main) for a in changes):
        return [unknown("it does something to the connection or the file that is not looked into")]
    if main:
        return _schema_change(main, changes, question)
    changed = [a for a in question.actions if a.code in _ROWS and a.first not in _SCHEMA_BOOKS]
    if changed:
        return _row_change(changed, question)
    return _read(question) if not changes else [unknown("it does something that is not looked into")]


def _is_understood(action: Action, main: Action | None) -> bool:
    if action is main or action.code in _ROWS or action.code in _SIDE_WORK:
        return True
    if main is not None and main.code in _TAKES_ALONG and action.code in _TRIGGERS:
        return action.second.lower() == main.first.lower()
    altered = main is not None and main.code == lite.SQLITE_ALTER_TABLE
    return altered and (action.code, action.first) == (lite.SQLITE_PRAGMA, "quick_check")  # its own, for a new CHECK


def _is_book(action: Action) -> bool:
    """What SQLite writes about its own: it keeps counters in a table it makes for the first AUTOINCREMENT."""
    counters = action.code == lite.SQLITE_CREATE_TABLE and action.first == "sqlite_sequence"
    return counters or (action.first in _BOOKS and action.code in _ROWS)


def _schema_change(action: Action, changes: list[Action], question: Question) -> list[Finding]:
    if action.database == "temp" and action.code in _AS_TEMPORARY:  # spelt ``temp.name``, without the word TEMP
        action = replace(action, code=_AS_TEMPORARY[action.code])
    kind, handler = SCHEMA_CHANGES[action.code]
    if action.database == "temp" and action.code == lite.SQLITE_CREATE_VTABLE:
        return [unknown("a virtual table that is temporary is not looked into")]
    selects = any(a.code == lite.SQLITE_SELECT and not a.inside for a in question.actions)
    if action.first.lower().startswith("sqlite_"):
        return [found(upkeep.OURS, what=action.first, who="SQLite")]
    filled = action.code == lite.SQLITE_CREATE_TABLE and selects
    results = (create_filled if filled else handler)(action, question.sql, question.clone, question.made)
    if filled:
        results += [
            *looks(question.actions, {action.first.lower(), "sqlite_master"}),
            *pragmas_called(question.actions),
        ]
    results += strange(question.actions, question.clone, internal=kind == "alter")
    along = [a for a in changes if a is not action and a.code == lite.SQLITE_DROP_TRIGGER]
    results += [found(rebuilds.LOST_TRIGGER, f"main.{a.first}", of=a.second) for a in along]
    others = [a for a in changes if a.code in _ROWS and a.first.lower() != action.first.lower()]
    results += [f for a in others for f in _row(a, question)]
    return _agreed(results, question, kind)


def _agreed(results: list[Finding], question: Question, kind: str) -> list[Finding]:
    if any(Effect.UNKNOWN in f.rule.effects for f in results) or second.agrees(question.sql, kind):
        return results
    return [*results, unknown("a second parser reads it as something else")]


def _row_change(changed: list[Action], question: Question) -> list[Finding]:
    top = [a for a in changed if not a.inside] or changed
    kind = _ROWS[top[0].code]
    results = [f for a in changed for f in _row(a, question)]
    results += looks(question.actions, {a.first.lower() for a in changed})
    results += pragmas_called(question.actions)
    results += strange(question.actions, question.clone)
    return _agreed(results, question, kind)


def _row(action: Action, question: Question) -> Iterator[Finding]:
    """One kind of change to the rows of one table, by the statement, a trigger or a foreign key."""
    where = f"{action.database}.{action.first}"
    if action.first.lower().startswith("sqlite_"):
        yield found(upkeep.OURS, what=action.first, who="SQLite")
        return
    if action.database == "temp" or question.made.has("table", ("main", action.first.lower())):
        yield found(rows.FILL_NEW, where)
        return
    if "_" in action.first and question.clone.is_shadow(action.first):
        yield unknown("the table belongs to a virtual one, which alone knows what is in it", where)
    if action.code == lite.SQLITE_DELETE:
        yield found(rows.DELETE, where)
    elif action.code == lite.SQLITE_UPDATE:
        yield found(rows.UPDATE, where)
    else:
        yield found(rows.INSERT, where)
    if action.code != lite.SQLITE_DELETE:
        yield from _side_effects(action, where, question)


def _side_effects(action: Action, where: str, question: Question) -> Iterator[Finding]:
    """REPLACE stands in the statement, in a constraint of the table or in a trigger; SQLite does not tell."""
    texts = (question.sql, question.clone.text(action.first), question.clone.text(action.inside))
    if any(second.replaces(text) for text in texts):
        yield found(rows.REPLACE, where)
    if any(is_command(action.first, text, question.clone) for text in (texts[0], texts[2])):
        yield found(rows.COMMAND, where)


def _read(question: Question) -> list[Finding]:
    if not any(a.code == lite.SQLITE_SELECT for a in question.actions) or _writes(question):
        return [unknown("SQLite does not tell what it does")]
    reads = [a for a in question.actions if a.code == lite.SQLITE_READ]
    names = dict.fromkeys(f"{a.database or 'main'}.{a.first}" for a in reads)
    results = [found(rows.READ, *names, object=", ".join(names) or "no table")]
    results += pragmas_called(reads)
    return _agreed([*results, *strange(question.actions, question.clone)], question, "read")


def _writes(question: Question) -> bool:
    return any(a.code not in _LOOKS and not _is_book(a) for a in question.actions)
