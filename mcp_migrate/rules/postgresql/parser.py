"""What did PostgreSQL's own grammar make of a text? The only module that knows which library answers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any

Tree = Any
"""A message of libpg_query's parse tree."""

_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement: what kind of node it is, and the node."""

    kind: str
    node: Tree


def parse(sql: str) -> Parsed | str:
    """The one statement in `sql`, or why there is not exactly one."""
    statements = parse_all(sql)
    if isinstance(statements, str):
        return statements
    if len(statements) != 1:
        return f"it holds {len(statements)} statements, not one"
    return statements[0] if statements[0].kind else "it holds no statement"


def parse_all(sql: str) -> list[Parsed] | str:
    """Every statement in `sql`, or why it is not understood."""
    if "\0" in sql or len(sql) > _LONGEST:  # the C library stops reading at a NUL, the server may not
        return "the text is too long or holds a character that PostgreSQL does not take"
    import postgast

    try:
        statements = postgast.parse(sql).stmts
    except postgast.PgQueryError:
        return "PostgreSQL's grammar does not accept it"
    except (_decode_error(), UnicodeError):
        return "it is nested too deeply or is no text"
    return [parsed(statement.stmt) for statement in statements]


def parsed(node: Tree) -> Parsed:
    """What a node of any kind holds; of no kind where it is empty."""
    kind = node.WhichOneof("node")
    return Parsed(kind, getattr(node, kind)) if kind else Parsed("", node)


def tokens(text: str) -> list[tuple[str, int]] | None:
    """The words and signs of a text and where each ends, without comments; None where it is not made of them."""
    import postgast

    try:
        scanned = postgast.scan(text).tokens
    except (postgast.PgQueryError, UnicodeError):
        return None
    comments = _comments()
    spans = [(token.start, token.end) for token in scanned if token.token not in comments]
    if text.isascii():
        return [(text[start:end], end) for start, end in spans]
    data = text.encode()  # the scanner counts bytes
    return [(data[start:end].decode(), len(data[:end].decode())) for start, end in spans]


@cache
def _comments() -> frozenset[int]:
    return frozenset({enum("Token").Value("SQL_COMMENT"), enum("Token").Value("C_COMMENT")})


def parse_plpgsql(sql: str) -> dict[str, Any] | str:
    """The tree of the one PL/pgSQL function or DO block in `sql`, or why there is none."""
    import postgast

    try:
        functions = postgast.parse_plpgsql(sql)
    except postgast.PgQueryError:
        return "the PL/pgSQL parser does not accept the code"
    except (ValueError, UnicodeError, RecursionError):
        return "the PL/pgSQL parser has no clear answer to the code"
    tree = functions[0].get("PLpgSQL_function") if len(functions) == 1 else None
    return tree if isinstance(tree, dict) else "the PL/pgSQL parser has no clear answer to the code"


def render(kind: str, node: Tree) -> str | None:
    """The text of a statement, or None when it cannot be written."""
    import postgast

    tree = new("ParseResult")
    getattr(tree.stmts.add().stmt, kind).CopyFrom(node)
    try:
        return str(postgast.deparse(tree))
    except postgast.PgQueryError:
        return None


def copy(node: Tree) -> Tree:
    """A copy that may be changed."""
    twin = type(node)()
    twin.CopyFrom(node)
    return twin


def enum(name: str) -> Any:
    """One of the grammar's enumerations, to look its members up by name."""
    return getattr(_messages(), name)


def new(name: str) -> Tree:
    """An empty node."""
    return getattr(_messages(), name)()


def _messages() -> Any:
    # Named late and as text: the generated stubs of this module are not valid for type checkers.
    return importlib.import_module("postgast.pg_query_pb2")


def _decode_error() -> Any:
    return importlib.import_module("google.protobuf.message").DecodeError
