"""What of others' rows does CASCADE take along with tables, or with a schema, as far as the schema shows it?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mcp_migrate.dialects.keeper import above
from mcp_migrate.schema.model import Schema

_NAME = re.compile(r'"?(?P<schema>[^".]+)"?\."?(?P<name>[^"(\[]+)"?')


def along(schema: Schema, tables: Collection[str], namespace: str | None) -> str | None:
    """Columns of types that go, and children that inherit; None where there are none."""
    return next(_taken(schema, frozenset(tables), namespace), None)


def _taken(schema: Schema, tables: frozenset[str], namespace: str | None) -> Iterator[str]:
    plain = {table.qualified for table in schema.tables if table.kind == "table"} & tables
    for table in schema.tables:
        if table.qualified in tables:
            continue
        for column in table.columns:
            found = _NAME.match(column.type)
            if found and (found["schema"] == namespace or f"{found['schema']}.{found['name']}" in tables):
                yield f"CASCADE takes {table.qualified}.{column.name} away, whose type goes"
        if plain & set(above(schema, table.qualified)):
            yield f"CASCADE takes {table.qualified} away, which inherits from what goes"
