"""How would a newer server write the definition of this view?

Up to version 15 each column of a view stands with its table; since 16 it does not where the view reads one table only.
The text stays as it is but for these prefixes of the outermost query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def as_newer_servers_write(definition: str) -> str:
    """The definition without the prefixes; what the parser does not know stays."""
    import postgast

    try:
        [parsed] = postgast.parse(definition).stmts
    except (postgast.PgQueryError, ValueError):
        return definition
    query = parsed.stmt.select_stmt
    if len(query.from_clause) != 1 or query.from_clause[0].WhichOneof("node") == "join_expr":
        return definition
    text = definition.encode()
    for place in sorted(set(_prefixed(query)), reverse=True):
        text = text[:place] + text[_after_dot(text, place) :]
    return text.decode()


def _prefixed(node: Any) -> Iterator[int]:
    """Where the columns stand that are written as ``table.column``, in this query but in none inside it."""
    for _field, value in node.ListFields():
        for part in value if hasattr(value, "__len__") and not isinstance(value, (str, bytes)) else [value]:
            if not hasattr(part, "ListFields"):
                continue
            kind = part.WhichOneof("node") if part.DESCRIPTOR.name == "Node" else None
            if kind in {"select_stmt", "range_subselect"}:
                continue
            if kind == "column_ref":
                if len(part.column_ref.fields) > 1:
                    yield part.column_ref.location
                continue
            yield from _prefixed(part)


def _after_dot(text: bytes, place: int) -> int:
    """The place behind the dot that ends the name at `place`."""
    quoted = False
    while quoted or text[place : place + 1] != b".":
        quoted ^= text[place : place + 1] == b'"'
        place += 1
    return place + 1
