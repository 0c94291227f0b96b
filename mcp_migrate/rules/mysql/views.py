"""What does CREATE VIEW do?"""

from __future__ import annotations

from collections.abc import Sequence

from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.mysql import change_rules, table
from mcp_migrate.rules.mysql.columns import names
from mcp_migrate.rules.mysql.cursor import Cursor
from mcp_migrate.rules.mysql.lexer import Token
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.queries import query

_CODE = ("TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "AGGREGATE")


def alter_view(cursor: Cursor, place: Place) -> list[Finding]:
    """ALTER VIEW replaces the whole view."""
    return create_view(cursor, place, altered=True)


def create_view(cursor: Cursor, place: Place, *, altered: bool = False) -> list[Finding]:
    """A view. Any other code is unknown: its body is not looked into."""
    replaces = not altered and bool(cursor.take("OR REPLACE"))
    if cursor.take("ALGORITHM ="):
        cursor.want("UNDEFINED", "MERGE", "TEMPTABLE")
    definer = bool(cursor.take("DEFINER"))
    if definer:
        _past_definer(cursor)
    invoker = bool(cursor.take("SQL SECURITY INVOKER"))
    cursor.take("SQL SECURITY DEFINER")
    if cursor.take(*_CODE):
        return [unknown("the body of code in the database is not looked into")]
    cursor.want("VIEW")
    cursor.take("IF NOT EXISTS")
    name = cursor.qualified()
    if cursor.sees("("):
        names(cursor)
    cursor.want("AS")
    end = unchecked(cursor.tokens)
    inner = query(cursor.inner(cursor.tokens[cursor.at : end]), place)
    cursor.queries, cursor.at = True, len(cursor.tokens)
    replaced = (replaces or altered) and not place.made(name, "view")
    which = change_rules.REPLACE_VIEW if replaced else table.CREATE_VIEW
    results = [found(which, place.full(name)), *inner, *place.odd(name)]
    if not invoker or definer:
        results.append(found(table.DEFINER, place.full(name)))
    if not replaces and not altered:
        place.make(name, "view")
    return results


def unchecked(tokens: Sequence[Token]) -> int:
    """Where WITH CHECK OPTION begins, which the other readers of a query do not know; else the end."""
    words = [token.value if token.kind == "word" else "" for token in tokens[-4:]]
    if words[-3:] == ["WITH", "CHECK", "OPTION"]:
        return len(tokens) - 3
    if words in (["WITH", "CASCADED", "CHECK", "OPTION"], ["WITH", "LOCAL", "CHECK", "OPTION"]):
        return len(tokens) - 4
    return len(tokens)


def _past_definer(cursor: Cursor) -> None:
    while not cursor.ended and not any(map(cursor.sees, ("SQL", "VIEW", *_CODE))):
        cursor.at += 1
