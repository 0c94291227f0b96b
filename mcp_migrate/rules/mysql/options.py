"""What do the clauses of an ALTER TABLE do that set an option, or work on partitions and files?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql import column_rules as rules
from mcp_migrate.rules.mysql.allowed import ENGINES
from mcp_migrate.rules.mysql.cursor import Cursor

_CHARSETS = ("DEFAULT CHARACTER SET", "DEFAULT CHARSET", "CHARACTER SET", "CHARSET", "DEFAULT COLLATE", "COLLATE")
_LOSES = ("TRUNCATE PARTITION", "EXCHANGE PARTITION")
_MOVES = ("REORGANIZE PARTITION", "COALESCE PARTITION", "REBUILD PARTITION", "REMOVE PARTITIONING", "PARTITION BY")


def option(cursor: Cursor, where: str) -> list[Finding]:
    """The finding of one clause; the cursor stands behind it."""
    if cursor.take("CONVERT TO CHARACTER SET", "CONVERT TO CHARSET"):
        return _convert(cursor, where)
    if words := cursor.take(*_LOSES, *_MOVES, "DISCARD", "IMPORT"):
        cursor.at = len(cursor.tokens)
        return [_partition(words, where)]
    if cursor.take("FORCE"):
        return [found(rules.REBUILD, where, what="FORCE")]
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
    return [_set(words, value, where)]


def _convert(cursor: Cursor, where: str) -> list[Finding]:
    charset = cursor.word()
    if cursor.take("COLLATE"):
        cursor.word()
    if charset.lower() == "utf8mb4":
        return [found(rules.CONVERT_WIDE, where)]
    return [found(rules.CONVERT, where, charset=charset)]


def _partition(words: str, where: str) -> Finding:
    if words in {"DISCARD", "IMPORT"}:
        return found(rules.TABLESPACE, where, what=words.capitalize())
    if words in _LOSES:
        return found(rules.DROP_PARTITION, where, what=words.capitalize())
    return found(rules.REBUILD, where, what=words)


def _set(words: str, value: str, where: str) -> Finding:
    if words == "ENGINE" and value.upper() not in ENGINES:
        return found(rules.ENGINE, where, what=value)
    if words in {"ENGINE", "ROW_FORMAT", "KEY_BLOCK_SIZE"}:
        return found(rules.REBUILD, where, what=words)
    if words == "AUTO_INCREMENT":
        return found(rules.COUNTER, where, what=value)
    return found(rules.TABLE_OPTION, where, what=words)
