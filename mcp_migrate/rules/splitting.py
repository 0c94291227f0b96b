"""Where does one statement of a file end and the next begin? Told by the lexer of the database, never guessed."""

from __future__ import annotations

import sqlite3
from typing import Literal


def split(text: str, dialect: str) -> list[str] | None:
    """The statements of `text`, without those that are empty; None where nobody can tell.

    A piece that is no statement of its own is judged unknown by the rules, so a wrong cut never makes one milder.
    """
    if dialect == "postgresql":
        return _postgresql(text)
    if dialect == "sqlite":
        return _sqlite(text)
    return _mysql(text)


def _postgresql(text: str) -> list[str] | None:
    import postgast

    methods: tuple[Literal["parser", "scanner"], ...] = ("parser", "scanner")
    for method in methods:  # the scanner also cuts what the grammar does not accept
        try:
            return _full(postgast.split(text, method=method))
        except (postgast.PgQueryError, UnicodeError):
            continue
    return None


def _sqlite(text: str) -> list[str] | None:
    if "\0" in text:
        return None
    pieces, start, at = [], 0, text.find(";")
    while at >= 0:
        piece = text[start : at + 1]
        if sqlite3.complete_statement(piece):
            pieces.append(piece[:-1])
            start = at + 1
        at = text.find(";", at + 1)
    rest = text[start:]
    # A rest that a semicolon does not complete ends inside a string, a comment or a trigger.
    if rest.strip() and not sqlite3.complete_statement(f"{rest}\n;"):
        return None
    return _full([*pieces, rest], comments="sqlite")


def _mysql(text: str) -> list[str] | None:
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.tokens import TokenType

    try:
        tokens = sqlglot.tokenize(text, read="mysql")
    except SqlglotError:
        return None
    if any(token.text.upper() == "DELIMITER" for token in tokens):  # a command of the client, which changes the rest
        return None
    ends = [token for token in tokens if token.token_type is TokenType.SEMICOLON]
    pieces, start = [], 0
    for end in ends:
        pieces.append(text[start : end.start])
        start = end.end + 1
    return _full([*pieces, text[start:]], comments="mysql")


def _full(pieces: list[str], *, comments: str = "postgres") -> list[str]:
    return [piece.strip() for piece in pieces if piece.strip() and not _only_comments(piece, comments)]


def _only_comments(piece: str, dialect: str) -> bool:
    """Whether no token is left; an executable comment of MySQL is a statement."""
    if not piece.lstrip().startswith(("--", "/*", "#")) or "/*!" in piece or "/*M!" in piece:
        return False
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return not sqlglot.tokenize(piece, read=dialect)
    except SqlglotError:
        return False
