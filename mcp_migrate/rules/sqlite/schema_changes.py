"""What did a statement change in the schema? The copy before and after tells."""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Callable

from mcp_migrate.rules.context import Made, Name
from mcp_migrate.rules.interface import Finding, Rule, found, sentences, unknown
from mcp_migrate.rules.sqlite import second, table
from mcp_migrate.rules.sqlite.clone import Action, Clone, CloneError, Shape, quoted

_ODD = frozenset('.*?["]')


def _key(name: str) -> Name:
    return "main", name.lower()


def _odd(*names: str) -> list[Finding]:
    return sentences(
        f"the name {name!r} could be mistaken for another"
        for name in names
        if _ODD & set(name) or not name.isprintable()
    )


def create_table(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    before = clone.shape()
    clone.apply(sql)
    name = action.first
    if name.lower() not in before and "EXISTS" not in second.words(sql):
        made.add("table", _key(name))
    return [found(table.CREATE_TABLE, f"main.{name}"), *_defaults(name, clone), *_odd(name)]


def _defaults(name: str, clone: Clone) -> list[Finding]:
    """What writing a row would call: defaults, checks and generated columns."""
    try:
        actions = clone.ask_of_new_row(name)
    except CloneError:
        return [unknown("its defaults and checks could not be looked into")]
    called = {a.second for a in actions if a.code == lite.SQLITE_FUNCTION and not a.inside}
    return sentences(f"the function {f} is not on the list" for f in sorted(called) if f.lower() not in table.FUNCTIONS)


def create_index(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    clone.apply(sql)
    where = f"main.{action.second}"
    ours = made.has("table", _key(action.second))
    if ours and "EXISTS" not in second.words(sql):
        made.add("index", _key(action.first))
    which = table.UNIQUE_INDEX if clone.is_unique(action.first) and not ours else table.CREATE_INDEX
    computed = [found(table.COMPUTED_INDEX, where)] if not ours and clone.is_computed(action.first) else []
    return [found(which, where), *computed, *_odd(action.second)]


def create_view(action: Action, sql: str, clone: Clone, _made: Made) -> list[Finding]:
    clone.apply(sql)
    actions = clone.ask(f"SELECT * FROM {quoted(action.first)}")  # noqa: S608  quoted
    called = {a.second for a in actions if a.code == lite.SQLITE_FUNCTION}
    strange = sentences(f"the function {f} is not on the list" for f in sorted(called - table.FUNCTIONS))
    pragmas = [unknown("it calls a pragma")] if any(a.first.startswith("pragma_") for a in actions) else []
    looked = looks(actions, {action.first.lower()})
    return [found(table.CREATE_VIEW, f"main.{action.first}"), *looked, *strange, *pragmas, *_odd(action.first)]


def looks(actions: list[Action], beside: set[str]) -> list[Finding]:
    """The tables that are read, beside those that are named for more."""
    reads = [a for a in actions if a.code == lite.SQLITE_READ and a.first.lower() not in beside]
    names = dict.fromkeys(f"{a.database or 'main'}.{a.first}" for a in reads)
    return [found(table.LOOKS, *names)] if names else []


def create_trigger(action: Action, sql: str, clone: Clone, _made: Made) -> list[Finding]:
    clone.apply(sql)
    return [unknown("code that runs with each change is not looked into", f"main.{action.second}")]


def drop_table(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    return _dropped("table", table.DROP_TABLE, action, sql, clone, made)


def drop_index(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    return _dropped("index", table.DROP_INDEX, action, sql, clone, made)


def drop_view(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    return _dropped("view", table.DROP_VIEW, action, sql, clone, made)


def drop_trigger(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    return _dropped("trigger", table.DROP_TRIGGER, action, sql, clone, made)


def _dropped(  # noqa: PLR0917  one row of the table below
    kind: str, which: Rule, action: Action, sql: str, clone: Clone, made: Made
) -> list[Finding]:
    clone.apply(sql)
    ours = made.has(kind, _key(action.first))
    made.forget(kind, action.first.lower())
    return [found(table.DROP_NEW if ours else which, f"main.{action.first}"), *_odd(action.first)]


def alter_table(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    """SQLite calls every ALTER the same, so the copy is compared before and after."""
    before = clone.shape()
    clone.apply(sql)
    after = clone.shape()
    name = action.second
    ours = made.has("table", _key(name))
    if set(before) != set(after):
        return _renamed_table(name, before, after, made)
    old, new = _columns(before, name), _columns(after, name)
    gone, come = [c for c in old if c not in new], [c for c in new if c not in old]
    where = f"main.{name}"
    if len(old) == len(new) and len(gone) == len(come) == 1:
        which = table.RENAME_NEW if ours else table.RENAME
        first = f"{where}.{gone[0]}"
        return [found(which, first, f"{where}.{come[0]}", object=first, new=come[0]), *_odd(name, *gone, *come)]
    if len(gone) == 1 and not come:
        return [found(table.DROP_NEW if ours else table.DROP_COLUMN, f"{where}.{gone[0]}"), *_odd(name, *gone)]
    if len(come) == 1 and not gone:
        return [*_added(name, after, sql, ours=ours), *_defaults(name, clone), *_odd(name, *come)]
    return [unknown("what it alters could not be seen", where)]


def _columns(shape: Shape, name: str) -> list[str]:
    return [column.name for column in shape.get(name.lower(), ())]


def _renamed_table(name: str, before: Shape, after: Shape, made: Made) -> list[Finding]:
    [new] = set(after) - set(before)
    which = table.RENAME_NEW if made.has("table", _key(name)) else table.RENAME
    for bare in (name.lower(), new):
        made.forget("table", bare)
    return [found(which, f"main.{name}", f"main.{new}", object=f"main.{name}", new=new), *_odd(name, new)]


def _added(name: str, after: Shape, sql: str, *, ours: bool) -> list[Finding]:
    column = after[name.lower()][-1]
    where = f"main.{name}.{column.name}"
    if ours:
        return [found(table.ADD_COLUMN, where)]
    results = [found(table.REQUIRED, where)] if column.required else []
    if {"CHECK", "AS"} & set(second.words(sql)):
        results.append(found(table.RESTRICTED, where))
    return results or [found(table.ADD_COLUMN, where)]


Handler = Callable[[Action, str, Clone, Made], list[Finding]]

SCHEMA_CHANGES: dict[int, tuple[str, Handler]] = {
    lite.SQLITE_CREATE_TABLE: ("create", create_table),
    lite.SQLITE_CREATE_INDEX: ("create", create_index),
    lite.SQLITE_CREATE_VIEW: ("create", create_view),
    lite.SQLITE_CREATE_TRIGGER: ("create", create_trigger),
    lite.SQLITE_DROP_TABLE: ("drop", drop_table),
    lite.SQLITE_DROP_INDEX: ("drop", drop_index),
    lite.SQLITE_DROP_VIEW: ("drop", drop_view),
    lite.SQLITE_DROP_TRIGGER: ("drop", drop_trigger),
    lite.SQLITE_ALTER_TABLE: ("alter", alter_table),
}
"""What SQLite calls it, what a second parser must call it, and what it means. Temporary objects are not here."""
