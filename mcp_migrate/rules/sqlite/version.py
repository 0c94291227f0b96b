"""Is this really the movement of Alembic's version table? Asked of SQLite on a database that holds nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from mcp_migrate.rules.sqlite import second
from mcp_migrate.rules.sqlite.clone import Action, Clone, CloneError
from mcp_migrate.schema.model import Schema

_CHANGES = {
    "Insert": sqlite3.SQLITE_INSERT,
    "Update": sqlite3.SQLITE_UPDATE,
    "Delete": sqlite3.SQLITE_DELETE,
    "Create": sqlite3.SQLITE_CREATE_TABLE,
    "Drop": sqlite3.SQLITE_DROP_TABLE,
}
_BESIDES = {
    "Create": frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_CREATE_INDEX}),
    "Drop": frozenset({sqlite3.SQLITE_DELETE, sqlite3.SQLITE_UPDATE}),
}


def is_version_step(sql: str, values: int) -> bool:
    """One INSERT, UPDATE, DELETE, CREATE TABLE or DROP TABLE of one table, with nothing else in it."""
    tree = second.parse(sql)
    kind = type(tree).__name__
    name = second.only_table(tree) if kind in _CHANGES else None
    if name is None or second.replaces(sql):
        return False
    with closing(Clone(Schema("sqlite"))) as alone:
        try:
            if kind != "Create":
                alone.apply('CREATE TABLE "{}" (version_num VARCHAR(32) NOT NULL)'.format(name.replace('"', '""')))
            actions = alone.ask(sql, values)
        except CloneError:
            return False
    wanted = _CHANGES[kind]
    did = any(a.code == wanted and a.first == name for a in actions)
    return did and all(_expected(action, kind, name) for action in actions)


def _expected(action: Action, kind: str, name: str) -> bool:
    if action.code == sqlite3.SQLITE_READ:
        return action.first in {name, "sqlite_master"}
    if action.first == "sqlite_master" or (action.code == sqlite3.SQLITE_CREATE_INDEX and action.second == name):
        return kind in _BESIDES
    besides = _BESIDES.get(kind, frozenset())
    return action.first == name and (action.code == _CHANGES[kind] or action.code in besides)
