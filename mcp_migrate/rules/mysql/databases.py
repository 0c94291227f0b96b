"""What does CREATE DATABASE do?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql import change_rules
from mcp_migrate.rules.mysql.cursor import Cursor
from mcp_migrate.rules.mysql.names import Place, is_system

_OPTIONS = ("DEFAULT CHARACTER SET", "DEFAULT CHARSET", "CHARACTER SET", "CHARSET", "DEFAULT COLLATE", "COLLATE")


def create_database(cursor: Cursor, place: Place) -> list[Finding]:
    cursor.want("DATABASE", "SCHEMA")
    cursor.take("IF NOT EXISTS")
    name = cursor.name()
    while cursor.take(*_OPTIONS):
        cursor.take("=")
        cursor.word()
    cursor.end()
    return [found(change_rules.CREATE_DATABASE, name), *(place.odd((name, name)) if is_system((name, name)) else [])]
