"""What does a query inside another statement look at?"""

from __future__ import annotations

from mcp_migrate.rules.interface import Finding, found
from mcp_migrate.rules.mysql.cursor import Cursor, shown
from mcp_migrate.rules.mysql.lexer import Refused
from mcp_migrate.rules.mysql.names import Place
from mcp_migrate.rules.mysql.readers import glot
from mcp_migrate.rules.mysql.row_rules import LOCKING_READ, LOOKS, READ
from mcp_migrate.rules.mysql.rows import rows


def query(cursor: Cursor, place: Place) -> list[Finding]:
    """The findings of the query that makes up the rest; the cursor stands at the end.

    Raises:
        Refused: it is not a query, or a second reader cannot read it.
    """
    rest = cursor.inner(cursor.tokens[cursor.at :])
    tree = glot(shown(rest.tokens))
    if tree is None or type(tree).__name__ not in {"Select", "Union", "Except", "Intersect"}:
        raise Refused("its query is not read")
    findings = rows(tree, rest, place, replaces=False)
    cursor.queries = True
    cursor.at = len(cursor.tokens)
    return [
        found(LOOKS, *f.objects) if f.rule in {READ, LOCKING_READ} and f.objects else f
        for f in findings
        if f.objects or f.rule is not READ
    ]
