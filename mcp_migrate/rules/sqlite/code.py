"""What does a trigger do? SQLite says so of each change that fires it on the copy."""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Iterator

from mcp_migrate.rules.context import Made
from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.sqlite import rows, second, table, upkeep
from mcp_migrate.rules.sqlite.clone import Action, Clone, CloneError, quoted
from mcp_migrate.rules.sqlite.functions import strange

_CHANGES = frozenset({lite.SQLITE_INSERT, lite.SQLITE_UPDATE, lite.SQLITE_DELETE})


def create_trigger(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    name, of = action.first, action.second
    before = _fired(of, clone)
    clone.apply(sql)
    body = [a for a in _fired(of, clone) if a not in before or a.inside.lower() == name.lower()]
    where = f"{action.database}.{name}"
    if not any(a.inside for a in body):
        return [unknown("nothing that could be tried runs it, so what it does is not known", where)]
    if "EXISTS" not in second.words(sql) and action.database == "main":
        made.add("trigger", ("main", name.lower()))
    results = [found(upkeep.TRIGGER, where, of=of), *strange(body, clone), *_odd_name(name)]
    return [*results, *_body(body, clone.text(name), clone)]


def _odd_name(name: str) -> list[Finding]:
    return [] if name.isprintable() and not set('.*?["]') & set(name) else [unknown(f"the name {name!r} is odd")]


def _fired(of: str, clone: Clone) -> list[Action]:
    """What each kind of change of a table or view asks leave for."""
    columns = [c.name for c in clone.columns(of) or clone.columns(of, "temp") if not c.hidden]
    sets = ", ".join(f"{quoted(column)} = {quoted(column)}" for column in columns)
    target = quoted(of)
    changes = (f"INSERT INTO {target} DEFAULT VALUES", f"UPDATE {target} SET {sets}", f"DELETE FROM {target}")  # noqa: S608  quoted
    return [action for change in changes for action in _asked(change, clone)]


def _asked(sql: str, clone: Clone) -> list[Action]:
    try:
        return clone.ask(sql)
    except CloneError:
        return []


def _body(body: list[Action], text: str, clone: Clone) -> Iterator[Finding]:
    for action in dict.fromkeys(a for a in body if a.code in _CHANGES and a.inside):
        where = f"{action.database}.{action.first}"
        if action.first.lower().startswith("sqlite_"):
            yield found(upkeep.OURS, what=action.first, who="SQLite")
        elif action.code != lite.SQLITE_INSERT:
            yield found(upkeep.TRIGGER_LOSES, where)
        else:
            yield found(upkeep.TRIGGER_ADDS, where)
            if second.replaces(text) or second.replaces(clone.text(action.first)):
                yield found(upkeep.TRIGGER_LOSES, where)
            if is_command(action.first, text, clone):
                yield found(rows.COMMAND, where)
    reads = dict.fromkeys(f"{a.database or 'main'}.{a.first}" for a in body if a.code == lite.SQLITE_READ)
    if reads:
        yield found(rows.LOOKS, *reads)


def is_command(name: str, text: str, clone: Clone) -> bool:
    """Whether an INSERT may give a virtual table a command: its name stands there a second time, as a column."""
    virtual = clone.text(name).upper().startswith("CREATE VIRTUAL")
    return virtual and second.counts(text, name) > 1


def drop_trigger(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    name, of = action.first, action.second
    body = [a for a in _fired(of, clone) if a.inside.lower() == name.lower()]
    acts = [a for a in body if a.code in _CHANGES]
    touched = ", ".join(dict.fromkeys(f"{a.database}.{a.first}" for a in acts))
    clone.apply(sql)
    where = f"{action.database}.{name}"
    if action.database != "main" or made.has("trigger", ("main", name.lower())):
        made.forget("trigger", name.lower())
        return [found(table.DROP_NEW, where)]
    if not body:
        return [found(upkeep.DROP_TRIGGER, where, what="what it did could not be seen.")]
    did = f"it changed rows of {touched}" if touched else "it changed no rows, but may have refused some"
    return [found(upkeep.DROP_TRIGGER, where, what=f"{did} with each change of {of} that runs it.")]
