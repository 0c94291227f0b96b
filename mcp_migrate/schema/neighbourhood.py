"""Which tables does a change concern, before and after it, and what stands beside them? As values that a page draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_migrate.schema.diagram import keys_of, marks, near, touched
from mcp_migrate.schema.diff import diff
from mcp_migrate.schema.model import Column, Schema, Table
from mcp_migrate.schema.pairing import refers

_MOST_TABLES = 8
_MOST_COLUMNS = 20


def neighbourhood(schema: Schema, objects: Iterable[str]) -> list[Mapping[str, Any]]:
    """The tables that `objects` are or belong to, and their neighbours by foreign keys; of many, some.

    A neighbour shows only what takes part in a key.
    """
    named = frozenset(objects)
    centre = [table for table in schema.tables if any(_belongs(name, table) for name in named)]
    beside = near(schema, {table.qualified for table in centre})
    return [_told(table, named, whole=table in centre) for table in [*centre, *beside][:_MOST_TABLES]]


def afterwards(before: Schema, after: Schema) -> list[Mapping[str, Any]]:
    """The tables in which the two differ, as they are in `after`, with neighbours; and what became of each part."""
    changes = diff(before, after)
    words = marks(changes, "after")
    return [
        {
            **table,
            "change": words.get(table["table"]),
            "columns": [{**column, "change": words.get(column["object"])} for column in table["columns"]],
        }
        for table in neighbourhood(after, {*touched(changes), *words})
    ]


def _belongs(name: str, table: Table) -> bool:
    return name == table.qualified or name.startswith(f"{table.qualified}.")


def _told(table: Table, named: frozenset[str], *, whole: bool) -> Mapping[str, Any]:
    keys = keys_of(table.constraints)
    wanted = [column for column in table.columns if whole or column.name in keys]
    shown = sorted(wanted, key=lambda column: f"{table.qualified}.{column.name}" not in named)[:_MOST_COLUMNS]
    return {
        "table": table.qualified,
        "concerned": whole,
        "columns": [_column(column, table, keys) for column in table.columns if column in shown],
        "more": len(table.columns) - len(shown),
        "refers": list(_refers(table)),
    }


def _column(column: Column, table: Table, keys: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "name": column.name,
        "object": f"{table.qualified}.{column.name}",
        "type": column.type,
        "keys": keys.get(column.name, ""),
    }


def _refers(table: Table) -> Iterator[str]:
    for key in table.constraints:
        if key.kind == "foreign_key" and key.refers_to:
            yield f"{', '.join(key.columns)} → {refers(key, table)}"
