"""Are two schemas the same, whoever read them and in whatever order?"""

from __future__ import annotations

from typing import Any

from mcp_migrate.model import digest
from mcp_migrate.schema.model import Constraint, Other, Schema, Table


def fingerprint(schema: Schema) -> str:
    """One hash of everything in the model; order, also of columns, does not matter."""
    return digest({"dialect": schema.dialect, "objects": object_fingerprints(schema)})


def object_fingerprints(schema: Schema) -> dict[str, str]:
    """A hash for each object, by ``kind schema.name``, so that a drift can be named."""
    tables = {f"table {table.qualified}": digest(_table(table)) for table in schema.tables}
    others = {_key(other): digest([other.definition, other.table]) for other in schema.others}
    return {**tables, **others}


def constraint_key(constraint: Constraint) -> str:
    """What tells a constraint from its siblings: its name, or where that was generated its text."""
    return constraint.name or constraint.definition


def _key(other: Other) -> str:
    where = f" on {other.table}" if other.table else ""
    return f"{other.kind} {other.qualified}{where}"


def _table(table: Table) -> dict[str, Any]:
    return {
        "kind": table.kind,
        "options": sorted(table.options),
        "comment": table.comment,
        "columns": {
            c.name: [c.type, c.nullable, c.default, c.identity, c.generated, c.collation, c.comment]
            for c in table.columns
        },
        "constraints": sorted([c.kind, c.name or "", c.definition] for c in table.constraints),
        "indexes": sorted([i.name, i.definition, i.unique, i.valid] for i in table.indexes),
    }
