"""What do the clauses of an ALTER TABLE do that set an option, or work on files?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql import change_rules
from mcp_migrate.rules.mysql import column_rules as rules
from mcp_migrate.rules.mysql.allowed import ENGINES
from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.names import Place

_CHARSETS = ("DEFAULT CHARACTER SET", "DEFAULT CHARSET", "CHARACTER SET", "CHARSET", "DEFAULT COLLATE", "COLLATE")


def rebuilt(name: Name, place: Place, what: str) -> Finding:
    """The table is written again: in place where it is known that it can be."""
    which = change_rules.REBUILD_ONLINE if place.online(name) else rules.REBUILD
    return found(which, place.full(name), what=what)


def option(cursor: Cursor, name: Name, place: Place) -> list[Finding]:
    """The finding of one clause; the cursor stands behind it."""
    where = place.full(name)
    if cursor.take("CONVERT TO CHARACTER SET", "CONVERT TO CHARSET"):
        return _convert(cursor, where)
    if words := cursor.take("DISCARD TABLESPACE", "IMPORT TABLESPACE"):
        return [found(rules.TABLESPACE, where, what=words.capitalize())]
    if cursor.take("FORCE"):
        return [rebuilt(name, place, "FORCE")]
    if cursor.take("ORDER BY"):
        cursor.name()
        cursor.take("ASC", "DESC")
        return [found(rules.REBUILD, where, what="in another order")]
    words = cursor.want("ENGINE", "AUTO_INCREMENT", "COMMENT", "ROW_FORMAT", "KEY_BLOCK_SIZE", *_CHARSETS)
    cursor.take("=")
    value = cursor.word()
    while words in _CHARSETS and cursor.take(*_CHARSETS):
        cursor.take("=")
        cursor.word()
    return [_set(words, value, name, place)]


def _convert(cursor: Cursor, where: str) -> list[Finding]:
    charset = cursor.word()
    if cursor.take("COLLATE"):
        cursor.word()
    if charset.lower() == "utf8mb4":
        return [found(rules.CONVERT_WIDE, where)]
    return [found(rules.CONVERT, where, charset=charset)]


def _set(words: str, value: str, name: Name, place: Place) -> Finding:
    where = place.full(name)
    if words == "ENGINE" and value.upper() not in ENGINES:
        return found(rules.ENGINE, where, what=value)
    if words in {"ENGINE", "ROW_FORMAT", "KEY_BLOCK_SIZE", *_CHARSETS}:
        return rebuilt(name, place, words)
    if words == "AUTO_INCREMENT":
        return found(rules.COUNTER, where, what=value)
    return found(rules.TABLE_OPTION, where, what=words)
