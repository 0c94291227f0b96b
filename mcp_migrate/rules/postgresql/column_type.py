"""What does ALTER TABLE … ALTER COLUMN … TYPE do?"""

from __future__ import annotations

import re

from mcp_migrate.rules.context import Context
from mcp_migrate.rules.interface import Finding, found, rule
from mcp_migrate.rules.postgresql.names import full, split, words
from mcp_migrate.rules.postgresql.parser import Tree

WIDEN = rule(
    "widen-column-type",
    "A type that holds every old value as it is",
    "additive",
    "Widens {object} from {before}; no row is rewritten and no value changes.",
    "ACCESS EXCLUSIVE",
)
CHANGE = rule(
    "change-column-type",
    "A type that may change or lose values",
    "destructive blocking",
    "Rewrites {object} to another type while nobody can use the table; values may be changed or cut.",
    "ACCESS EXCLUSIVE",
)
_VARCHAR = re.compile(r"(?:character varying|varchar)\((\d+)\)")


def change_type(command: Tree, table: Tree, where: str, context: Context) -> list[Finding]:
    name = f"{where}.{command.name}"
    before = _known_type(table, command.name, context)
    if before and _widens(before, getattr(command, "def").column_def):
        return [found(WIDEN, name, before=before)]
    return [found(CHANGE, name)]


def _known_type(table: Tree, column: str, context: Context) -> str | None:
    known = context.table(full(table))
    found_column = known.column(column) if known else None
    return found_column.type if found_column else None


def _widens(before: str, new: Tree) -> bool:
    """A longer ``varchar``, or ``text``; the catalog's own spelling of the type before is compared whole."""
    length = _VARCHAR.fullmatch(before.lower())
    if length is None or new.HasField("raw_default") or new.HasField("coll_clause") or new.type_name.array_bounds:
        return False
    schema, name = split(words(new.type_name.names))
    if schema in {"", "pg_catalog"} and name == "text":
        return not new.type_name.typmods
    longer = [t.a_const.ival.ival for t in new.type_name.typmods]
    return (schema, name) == ("pg_catalog", "varchar") and len(longer) == 1 and longer[0] >= int(length[1])
