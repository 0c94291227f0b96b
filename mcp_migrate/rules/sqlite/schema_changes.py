"""What did a statement change in the schema? The copy before and after tells."""

from __future__ import annotations

import sqlite3 as lite
from collections.abc import Callable

from mcp_migrate.rules.context import Made, Name
from mcp_migrate.rules.interface import Finding, Rule, found, sentences, unknown
from mcp_migrate.rules.sqlite import rows, second, table, upkeep
from mcp_migrate.rules.sqlite.clone import Action, Clone, CloneError, Column, quoted
from mcp_migrate.rules.sqlite.code import create_trigger, drop_trigger
from mcp_migrate.rules.sqlite.functions import strange
from mcp_migrate.rules.sqlite.pragmas import is_table_of_harmless

_MODULES = frozenset({"fts3", "fts4", "fts5", "rtree", "rtree_i32"})
_ODD = frozenset('.*?["]')


def _key(name: str) -> Name:
    return "main", name.lower()


def odd(*names: str) -> list[Finding]:
    """Names that a reader could take for others."""
    return sentences(
        f"the name {name!r} could be mistaken for another"
        for name in names
        if _ODD & set(name) or not name.isprintable()
    )


def create_table(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    name = action.first
    known = bool(clone.columns(name))
    clone.apply(sql)
    if not known and "EXISTS" not in second.words(sql):
        made.add("table", _key(name))
    return [found(table.CREATE_TABLE, f"main.{name}"), *_defaults(name, clone), *odd(name)]


def create_filled(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    """A table made from a query. The query is not run: the program holds the text of the table it makes."""
    name = action.first
    texts = [str(row[4]) for row in clone.program(sql) if row[0] == "String8"]
    shapes = [text for text in texts if text.startswith("CREATE TABLE ")]
    if len(shapes) != 1 or clone.columns(name):
        clone.complete = False  # what it makes is not there for the statements after it
        return [unknown("which table the query makes could not be seen", f"main.{name}")]
    clone.apply(shapes[0])
    if not clone.columns(name):
        raise CloneError("the query makes another table than it says", [])
    if "EXISTS" not in second.words(sql):
        made.add("table", _key(name))
    return [found(table.CREATE_TABLE, f"main.{name}"), found(rows.FILL_NEW, f"main.{name}"), *odd(name)]


def _defaults(name: str, clone: Clone) -> list[Finding]:
    """What writing a row would call: defaults, checks and generated columns."""
    try:
        actions = clone.ask_of_new_row(name)
    except CloneError:
        return [unknown("its defaults and checks could not be looked into")]
    return strange((a for a in actions if not a.inside), clone)


def create_virtual(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    """A virtual table is run by a module; those on the list keep its rows in tables of this file."""
    if action.second.lower() not in _MODULES:
        return [unknown(f"what the module {action.second} does is not known", f"main.{action.first}")]
    known = bool(clone.columns(action.first))
    clone.apply(sql)
    if not known and "EXISTS" not in second.words(sql):
        made.add("table", _key(action.first))
    return [found(table.CREATE_TABLE, f"main.{action.first}"), *odd(action.first)]


def create_temporary(action: Action, sql: str, clone: Clone, _made: Made) -> list[Finding]:
    """It ends with the connection; but it hides what has the same name from the statements after it."""
    name = action.first
    hidden = action.code != lite.SQLITE_CREATE_TEMP_INDEX and bool(clone.columns(name))
    if action.code == lite.SQLITE_CREATE_TEMP_TABLE and any(w == "SELECT" for w in second.words(sql)):
        clone.complete = False
        return [unknown("a temporary table made from a query is not looked into", f"temp.{name}")]
    clone.apply(sql)
    results = [found(upkeep.TEMPORARY, f"temp.{name}"), *odd(name)]
    if hidden:
        results.append(unknown(f"it hides main.{name} from the statements after it", f"main.{name}"))
    if clone.blind and not hidden:
        results.append(unknown("without the schema nobody knows what it hides"))
    if action.code == lite.SQLITE_CREATE_TEMP_VIEW:
        results += _view(name, "temp", clone)
    return results


def drop_temporary(action: Action, sql: str, clone: Clone, _made: Made) -> list[Finding]:
    clone.apply(sql)
    return [found(table.DROP_NEW, f"temp.{action.first}"), *odd(action.first)]


def create_index(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    clone.apply(sql)
    where = f"main.{action.second}"
    ours = made.has("table", _key(action.second))
    if ours and "EXISTS" not in second.words(sql):
        made.add("index", _key(action.first))
    unique = clone.is_unique(action.second, action.first)
    which = table.UNIQUE_INDEX if unique and not ours else table.CREATE_INDEX
    computed = not ours and clone.is_computed(action.second, action.first)
    return [found(which, where), *([found(table.COMPUTED_INDEX, where)] if computed else []), *odd(action.second)]


def create_view(action: Action, sql: str, clone: Clone, _made: Made) -> list[Finding]:
    clone.apply(sql)
    return [found(table.CREATE_VIEW, f"main.{action.first}"), *_view(action.first, "main", clone), *odd(action.first)]


def _view(name: str, database: str, clone: Clone) -> list[Finding]:
    """What reading the view does."""
    actions = clone.ask(f"SELECT * FROM {database}.{quoted(name)}")  # noqa: S608  quoted
    return [*looks(actions, {name.lower()}), *strange(actions, clone), *pragmas_called(actions)]


def pragmas_called(actions: list[Action]) -> list[Finding]:
    """Pragmas that are read like tables, but for those that only read."""
    called = {a.first for a in actions if a.code == lite.SQLITE_READ and a.first.startswith("pragma_")}
    return [unknown("it calls a pragma")] if not all(is_table_of_harmless(name) for name in called) else []


def looks(actions: list[Action], beside: set[str]) -> list[Finding]:
    """The tables that are read, beside those that are named for more."""
    reads = [a for a in actions if a.code == lite.SQLITE_READ and a.first.lower() not in beside]
    names = dict.fromkeys(f"{a.database or 'main'}.{a.first}" for a in reads)
    return [found(rows.LOOKS, *names)] if names else []


def drop_table(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    return _dropped("table", table.DROP_TABLE, action, sql, clone, made)


def drop_index(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    unique = clone.is_unique(clone.table_of(action.first), action.first)
    return _dropped("index", table.DROP_UNIQUE if unique else table.DROP_INDEX, action, sql, clone, made)


def drop_view(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    return _dropped("view", table.DROP_VIEW, action, sql, clone, made)


def _dropped(  # noqa: PLR0917  one row of the table below
    kind: str, which: Rule, action: Action, sql: str, clone: Clone, made: Made
) -> list[Finding]:
    clone.apply(sql)
    ours = made.has(kind, _key(action.first))
    made.forget(kind, action.first.lower())
    return [found(table.DROP_NEW if ours else which, f"main.{action.first}"), *odd(action.first)]


def alter_table(action: Action, sql: str, clone: Clone, made: Made) -> list[Finding]:
    """SQLite calls every ALTER the same, so the table is compared before and after."""
    name = action.second
    if action.first != "main":
        clone.apply(sql)
        return [found(table.RENAME_NEW, f"{action.first}.{name}", new="something else"), *odd(name)]
    place, old = clone.place(name), clone.columns(name)
    clone.apply(sql)
    now = clone.at(place)
    if now != name:
        return _renamed_table(name, now, made)
    return _altered(name, old, clone, sql, ours=made.has("table", _key(name)))


def _altered(name: str, before: tuple[Column, ...], clone: Clone, sql: str, *, ours: bool) -> list[Finding]:
    after, where = clone.columns(name), f"main.{name}"
    old, new = [column.name for column in before], [column.name for column in after]
    gone, come = [c for c in old if c not in new], [c for c in new if c not in old]
    if len(old) == len(new) and len(gone) == len(come) == 1:
        which = table.RENAME_NEW if ours else table.RENAME
        first = f"{where}.{gone[0]}"
        return [found(which, first, f"{where}.{come[0]}", object=first, new=come[0]), *odd(name, *gone, *come)]
    if len(gone) == 1 and not come:
        return [found(table.DROP_NEW if ours else table.DROP_COLUMN, f"{where}.{gone[0]}"), *odd(name, *gone)]
    if len(come) == 1 and not gone:
        results = [found(table.ADD_COLUMN, f"{where}.{come[0]}")] if ours else _added(name, after[-1], clone, sql)
        return [*results, *_defaults(name, clone), *odd(name, *come)]
    return [unknown("what it alters could not be seen", where)]


def _renamed_table(name: str, new: str, made: Made) -> list[Finding]:
    ours = made.has("table", _key(name))
    for bare in (name.lower(), new.lower()):
        made.forget("table", bare)
    which = table.RENAME_NEW if ours else table.RENAME
    return [found(which, f"main.{name}", f"main.{new}", object=f"main.{name}", new=new), *odd(name, new)]


def _added(name: str, column: Column, clone: Clone, sql: str) -> list[Finding]:
    """A new column of a table in use. SQLite checks some of it against rows, and the copy has none."""
    where = f"main.{name}.{column.name}"
    nullable = f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column.name)} {column.type}".rstrip() + ";"
    results = [found(table.REQUIRED, where, safer=nullable)] if column.required else []
    if column.default is not None and not clone.is_constant(column.default):
        results.append(found(table.COMPUTED_DEFAULT, where, safer=nullable))
    points = column.default is not None and clone.refers(name, column.name)
    if {"CHECK", "AS"} & set(second.words(sql)) or column.hidden or points:
        results.append(found(table.RESTRICTED, where))
    return results or [found(table.ADD_COLUMN, where)]


Handler = Callable[[Action, str, Clone, Made], list[Finding]]

SCHEMA_CHANGES: dict[int, tuple[str, Handler]] = {
    lite.SQLITE_CREATE_TABLE: ("create", create_table),
    lite.SQLITE_CREATE_INDEX: ("create", create_index),
    lite.SQLITE_CREATE_VIEW: ("create", create_view),
    lite.SQLITE_CREATE_TRIGGER: ("create", create_trigger),
    lite.SQLITE_CREATE_VTABLE: ("create", create_virtual),
    lite.SQLITE_CREATE_TEMP_TABLE: ("create", create_temporary),
    lite.SQLITE_CREATE_TEMP_INDEX: ("create", create_temporary),
    lite.SQLITE_CREATE_TEMP_VIEW: ("create", create_temporary),
    lite.SQLITE_CREATE_TEMP_TRIGGER: ("create", create_trigger),
    lite.SQLITE_DROP_TABLE: ("drop", drop_table),
    lite.SQLITE_DROP_VTABLE: ("drop", drop_table),
    lite.SQLITE_DROP_INDEX: ("drop", drop_index),
    lite.SQLITE_DROP_VIEW: ("drop", drop_view),
    lite.SQLITE_DROP_TRIGGER: ("drop", drop_trigger),
    lite.SQLITE_DROP_TEMP_TABLE: ("drop", drop_temporary),
    lite.SQLITE_DROP_TEMP_INDEX: ("drop", drop_temporary),
    lite.SQLITE_DROP_TEMP_VIEW: ("drop", drop_temporary),
    lite.SQLITE_DROP_TEMP_TRIGGER: ("drop", drop_trigger),
    lite.SQLITE_ALTER_TABLE: ("alter", alter_table),
}
"""What SQLite calls it, what a second parser must call it, and what it means."""
