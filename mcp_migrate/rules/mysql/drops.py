"""What do DROP, TRUNCATE and RENAME TABLE do?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, Rule, found
from mcp_migrate.rules.mysql import change_rules, row_rules, table
from mcp_migrate.rules.mysql.alter import renamed
from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.lexer import Refused
from mcp_migrate.rules.mysql.names import Place

_CODE = ("TRIGGER", "PROCEDURE", "FUNCTION", "EVENT")


def drop(cursor: Cursor, place: Place) -> list[Finding]:
    if cursor.take("TEMPORARY TABLE"):
        return _dropped("table", _names(cursor), table.DROP_TABLE, place)
    kind = cursor.want("TABLE", "TABLES", "VIEW", "DATABASE", "SCHEMA", "INDEX", *_CODE)
    if kind == "INDEX":
        return _index(cursor, place)
    names = _names(cursor)
    if kind in {"DATABASE", "SCHEMA"}:
        place.forget()
        cursor.named.clear()  # it names no table
        return [found(table.DROP_DATABASE, names[0][1])]
    if kind in _CODE:
        return [found(table.DROP_CODE, *map(place.full, names))]
    which = table.DROP_VIEW if kind == "VIEW" else table.DROP_TABLE
    return _dropped("view" if kind == "VIEW" else "table", names, which, place)


def _names(cursor: Cursor) -> list[Name]:
    cursor.take("IF EXISTS")
    names = [cursor.qualified()]
    while cursor.take(","):
        names.append(cursor.qualified())
    cursor.take("RESTRICT", "CASCADE")
    cursor.end()
    return names


def _dropped(kind: str, names: list[Name], which: Rule, place: Place) -> list[Finding]:
    results: list[Finding] = []
    for name in names:
        results.append(found(change_rules.DROP_NEW if place.made(name, kind) else which, place.full(name)))
        results += place.odd(name)
        place.unmake(name, kind)
    return results


def _index(cursor: Cursor, place: Place) -> list[Finding]:
    cursor.take("IF EXISTS")
    index = cursor.name()
    cursor.want("ON")
    name = cursor.qualified()
    where = place.full(name)
    while cursor.take("ALGORITHM", "LOCK"):
        cursor.take("=")
        cursor.word()
    cursor.end()
    if place.made(name):
        return [found(change_rules.DROP_NEW, where)]
    if index.upper() == "PRIMARY":
        return [found(table.DROP_KEY, where), *place.odd(name)]
    return [found(table.DROP_INDEX, where, name=index), *place.odd(name)]


def truncate(cursor: Cursor, place: Place) -> list[Finding]:
    cursor.take("TABLE")
    name = cursor.qualified()
    cursor.end()
    which = row_rules.FILL_NEW if place.made(name) else change_rules.TRUNCATE
    return [found(which, place.full(name)), *place.odd(name)]


def rename_tables(cursor: Cursor, place: Place) -> list[Finding]:
    cursor.want("TABLE", "TABLES")
    results: list[Finding] = []
    while True:
        old = cursor.qualified()
        cursor.want("TO")
        results += renamed(old, cursor.qualified(), place)
        if not cursor.take(","):
            break
    if not cursor.ended:
        raise Refused("something stands behind the last name")
    return results
