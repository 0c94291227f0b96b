"""Is this really the movement of Alembic's version table? The planner compared its text; here its shape is checked."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_migrate.rules.mysql.cursor import Cursor, Name
from mcp_migrate.rules.mysql.lexer import Refused, Token
from mcp_migrate.rules.mysql.names import is_system


def is_version_step(tokens: Sequence[Token]) -> bool:
    """One INSERT, UPDATE, DELETE, CREATE TABLE or DROP TABLE of one table, with nothing else in it."""
    cursor = Cursor(tokens)
    try:
        name = _step(cursor)
        cursor.end()
    except Refused:
        return False
    return not is_system(name)


def _step(cursor: Cursor) -> Name:
    word = cursor.want("INSERT INTO", "UPDATE", "DELETE FROM", "CREATE TABLE", "DROP TABLE")
    name = cursor.qualified()
    if word == "INSERT INTO":
        if cursor.take("("):
            cursor.name()
            cursor.want(")")
        cursor.want("VALUES")
        cursor.want("(")
        _value(cursor)
        cursor.want(")")
    elif word == "UPDATE":
        cursor.want("SET")
        _equals(cursor, name)
        _where(cursor, name)
    elif word == "DELETE FROM":
        _where(cursor, name)
    elif word == "CREATE TABLE":
        _columns(cursor)
    if word in {"INSERT INTO", "DELETE FROM"} and cursor.take("RETURNING"):  # MariaDB has it
        _column(cursor, name)
    return name


def _where(cursor: Cursor, name: Name) -> None:
    if cursor.take("WHERE"):
        _equals(cursor, name)


def _column(cursor: Cursor, table: Name) -> None:
    first = cursor.name()
    if cursor.take(".") and (first != table[1] or not cursor.name()):
        raise Refused("it names another table")


def _equals(cursor: Cursor, table: Name) -> None:
    _column(cursor, table)
    cursor.want("=")
    _value(cursor)


def _value(cursor: Cursor) -> None:
    if not cursor.take("?", "% S"):
        cursor.text()


def _columns(cursor: Cursor) -> None:
    """``(version_num VARCHAR(32) NOT NULL, [CONSTRAINT name] PRIMARY KEY (version_num))``."""
    cursor.want("(")
    column = cursor.name()
    cursor.want("VARCHAR")
    cursor.group()
    cursor.want("NOT NULL")
    cursor.take("PRIMARY KEY")
    if cursor.take(","):
        if cursor.take("CONSTRAINT"):
            cursor.name()
        cursor.want("PRIMARY KEY")
        cursor.want("(")
        if cursor.name() != column:
            raise Refused("the key is not the column")
        cursor.want(")")
    cursor.want(")")
