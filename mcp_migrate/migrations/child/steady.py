"""What makes two recordings of the same revision give the same statements in the same order?

The hash seed is fixed by the environment. What is left is SQLAlchemy's own: a table keeps its indexes in a set of
objects, so that CREATE INDEX statements come in the order of memory addresses.
"""

from __future__ import annotations

from typing import Any


def keep_order() -> None:
    """Have every table of this process keep its indexes in the order they were made."""
    from sqlalchemy import Table
    from sqlalchemy.util import OrderedSet

    def get(table: Table) -> Any:
        return table.__dict__["_indexes_in_order"]

    def put(table: Table, indexes: Any) -> None:
        table.__dict__["_indexes_in_order"] = OrderedSet(indexes)

    setattr(Table, "indexes", property(get, put))  # noqa: B010  a plain assignment does not type-check
