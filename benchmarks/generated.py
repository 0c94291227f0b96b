"""Rows for any table of a real application: of each type something, within its checks, and parents that are there."""
# ruff: noqa: S608  names and values of ours

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from mcp_migrate.schema import Column, Schema, Table

Ask = Callable[[str], list[Any]]
ROWS = 3
_LITERALS = re.compile(r"'((?:[^']|'')*)'")
_READ_BACK = {
    "direction": "MAXIMIZE",
    "state": "COMPLETE",
    "value_type": "FINITE",
    "intermediate_value_type": "FINITE",
    "distribution_json": '{"name": "IntUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}',
    "value_json": "1",
}
"""What a column of this name has to hold for the application's own revisions to read it: no check says so."""

_KINDS = (
    (("bool",), lambda n: "true" if n % 2 else "false"),
    (("int", "serial"), str),
    (("float", "double", "real", "numeric", "decimal"), lambda n: f"{n}.5"),
    (("time", "date"), lambda n: f"'2024-01-0{n} 00:00:00'"),
    (("json",), lambda n: f"""'{{"n": {n}}}'"""),
    (("bytea",), lambda n: f"'\\x0{n}'"),
    (("blob",), lambda n: f"x'0{n}'"),
    (("uuid",), lambda n: f"'00000000-0000-0000-0000-00000000000{n}'"),
)


def fill(ask: Ask, schema: Schema) -> list[str]:
    """Put some rows into each table that has none, parents first; the tables into which none would go."""
    left = [table for table in schema.tables if not _count(ask, table)]
    for _ in schema.tables:
        left = [table for table in left if not _filled(ask, schema, table)]
    return [table.qualified for table in left]


def contents(ask: Ask, tables: Iterable[Table]) -> dict[str, list[str]]:
    """Every row of every table, in one order."""
    found = {}
    for table in tables:
        columns = ", ".join(f'"{column.name}"' for column in sorted(table.columns, key=lambda column: column.name))
        found[table.qualified] = sorted(map(repr, ask(f"SELECT {columns} FROM {_name(table)}")))
    return found


def _filled(ask: Ask, schema: Schema, table: Table) -> bool:
    columns = [column for column in table.columns if not column.generated and column.identity != "ALWAYS"]
    names = ", ".join(f'"{column.name}"' for column in columns)
    try:
        for n in range(1, ROWS + 1):
            values = ", ".join(_parent(ask, table, column, n) or _value(schema, table, column, n) for column in columns)
            ask(f"INSERT INTO {_name(table)} ({names}) VALUES ({values})")
    except Exception:  # noqa: BLE001  of whichever driver: a parent is not there yet, or a check is beyond us
        return _count(ask, table) > 0
    return True


def _parent(ask: Ask, table: Table, column: Column, n: int) -> str | None:
    """A value that a foreign key may have."""
    for constraint in table.constraints:
        if constraint.kind == "foreign_key" and column.name in constraint.columns:
            told = re.search(r"REFERENCES (?:\"?\w+\"?\.)?\"?(\w+)\"? ?\(([^)]*)\)", constraint.definition)
            if told:
                there = told[2].split(",")[constraint.columns.index(column.name)].strip().strip('"')
                rows = ask(f'SELECT "{there}" FROM "{told[1]}" ORDER BY 1')
                return _literal(rows[(n - 1) % len(rows)][0]) if rows else None
    return None


def _value(schema: Schema, table: Table, column: Column, n: int) -> str:
    checks = " ".join(c.definition for c in table.constraints if c.kind == "check" and column.name in c.definition)
    labels = [o.definition for o in schema.others if o.kind == "enum" and o.qualified == column.type.replace('"', "")]
    if allowed := _LITERALS.findall(labels[0] if labels else checks):
        return _literal(allowed[n % len(allowed)])
    if column.name in _READ_BACK:
        return _literal(_READ_BACK[column.name])
    kind = column.type.lower()
    made = next((make(n) for words, make in _KINDS if any(word in kind for word in words)), None)
    size = re.search(r"\((\d+)\)", kind)
    return made or _literal(f"v{n}"[: int(size[1]) if size else 9])


def _count(ask: Ask, table: Table) -> int:
    return int(ask(f"SELECT count(*) FROM {_name(table)}")[0][0])


def _name(table: Table) -> str:
    return f'"{table.schema}"."{table.name}"'


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
