"""What makes two recordings of the same revision give the same statements in the same order?

What is left of chance is SQLAlchemy's own: a table keeps its indexes and constraints in sets of objects, so that they
come in the order of memory addresses.
"""

from __future__ import annotations

from typing import Any


def keep_order() -> None:
    """Have every table of this process keep its indexes and constraints in the order they were made."""
    from sqlalchemy import Table

    for name in ("indexes", "constraints"):
        setattr(Table, name, _ordered(name))


def _ordered(name: str) -> property:
    from sqlalchemy.util import OrderedSet

    place = f"_{name}_in_order"

    def get(table: Any) -> Any:
        return table.__dict__[place]

    def put(table: Any, values: Any) -> None:
        table.__dict__[place] = OrderedSet(values)

    return property(get, put)
