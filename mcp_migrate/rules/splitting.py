"""Where does one statement of a file end and the next begin? Told by the lexer of the database, never guessed.

A comment is left out only where that same lexer says that it is one. Nothing else is ever left out.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

_BLANK = " \t\n\r\f"


class Cut(NamedTuple):
    """The statements of a text in order, and the rest of it (perhaps all) where nobody can tell how it goes on."""

    statements: tuple[str, ...]
    rest: str = ""


def split(text: str, dialect: str) -> Cut:
    """Cut `text` into statements. A wrong cut never makes one milder: a piece that is none is judged unknown."""
    if "\0" in text:  # some readers stop there, others do not
        return Cut((), text)
    if dialect == "postgresql":
        return _postgresql(text)
    if dialect == "sqlite":
        return _sqlite(text)
    if dialect in {"mysql", "mariadb"}:
        return _mysql(text)
    return Cut((), text)


def _postgresql(text: str) -> Cut:
    import postgast

    try:
        return _whole(postgast.split(text, method="parser"))
    except (postgast.PgQueryError, UnicodeError):
        pass  # something in it is no statement, so only its tokens can be asked
    try:
        return _scanned(text)
    except (postgast.PgQueryError, UnicodeError):
        return Cut((), text)


def _scanned(text: str) -> Cut:
    """Cut at every semicolon that is a token, also inside a body: postgast's own way leaves out what has no keyword."""
    import postgast

    from mcp_migrate.rules.postgresql.parser import enum

    token_of = enum("Token").Value
    semicolon, comments = token_of("ASCII_59"), {token_of("SQL_COMMENT"), token_of("C_COMMENT")}
    raw, pieces, start, full = text.encode(), [], 0, False
    for token in postgast.scan(text).tokens:
        if token.token == semicolon:
            pieces += [raw[start : token.start].decode()] if full else []
            start, full = token.end, False
        elif token.token not in comments:
            full = True
    return _whole([*pieces, raw[start:].decode()] if full else pieces)


def _sqlite(text: str) -> Cut:
    pieces, start, at = [], 0, text.find(";")
    while at >= 0:
        piece = text[start : at + 1]
        if sqlite3.complete_statement(piece):
            pieces.append(piece[:-1])
            start = at + 1
        at = text.find(";", at + 1)
    last = text[start:]
    told = [piece for piece in pieces if not _says_nothing(piece)]
    if _says_nothing(last):
        return _whole(told)
    # A last piece that a semicolon does not complete ends inside a string, a comment or a trigger.
    if sqlite3.complete_statement(f"{last}\n;"):
        return _whole([*told, last])
    return Cut(_whole(told).statements, last.strip(_BLANK))


def _says_nothing(piece: str) -> bool:
    """Whether SQLite's lexer meets no token: behind a semicolon it still waits for a statement to begin."""
    return sqlite3.complete_statement(f";{piece}")


def _mysql(text: str) -> Cut:
    from mcp_migrate.rules.mysql.lexer import split as cut

    pieces, rest = cut(text)
    return Cut(_whole(pieces).statements, rest.strip(_BLANK))


def _whole(pieces: list[str]) -> Cut:
    return Cut(tuple(piece.strip(_BLANK) for piece in pieces if piece.strip(_BLANK)))
