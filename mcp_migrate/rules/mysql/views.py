"""What does CREATE VIEW do?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found, unknown
from mcp_migrate.rules.mysql import table
from mcp_migrate.rules.mysql.cursor import Cursor, shown
from mcp_migrate.rules.mysql.lexer import Refused
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.readers import glot
from mcp_migrate.rules.mysql.rows import rows

_CODE = ("TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "AGGREGATE")


def create_view(cursor: Cursor, place: Place) -> list[Finding]:
    """A view. Any other code is unknown: its body is not looked into."""
    replaces = bool(cursor.take("OR REPLACE"))
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
        cursor.group()
    cursor.want("AS")
    query = Cursor(cursor.tokens[cursor.at :])
    tree = glot(shown(query.tokens))
    if tree is None or type(tree).__name__ not in {"Select", "Union"}:
        raise Refused("the query of the view is not read")
    inner = [f for f in rows(tree, query, place, replaces=False) if f.rule.id != "read"]
    results = [found(table.CREATE_VIEW, place.full(name)), *inner, *place.odd(name)]
    if not invoker or definer:
        results.append(found(table.DEFINER, place.full(name)))
    if replaces and not place.made(name, "view"):
        results.append(found(table.DROP_VIEW, place.full(name)))
    elif not replaces:
        place.make(name, "view")
    return results


def _past_definer(cursor: Cursor) -> None:
    while not cursor.ended and not any(map(cursor.sees, ("SQL", "VIEW", *_CODE))):
        cursor.at += 1
