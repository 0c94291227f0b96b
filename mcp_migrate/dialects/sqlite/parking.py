"""Which SQL takes a SQLite table out of the way instead of destroying it, and brings it back?

It gets a name that no reader sees, and the statement that drops it meets a stand-in. Columns are not parked: the next
table that is made anew, which is how SQLite changes tables, would leave a hidden column behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.dialects.sqlite.spelling import folded, quote, tokens
from mcp_migrate.schema.model import Schema, Table

STAND_IN = "_mcp_migrate_undo"


def parked(loss: Loss, *, name: str, schema: Schema) -> tuple[Texts, ...] | str:
    """The texts for a table, or why it cannot be parked. `name` is the one it gets."""
    table = loss.table
    if loss.kind != "table":
        return "SQLite parks whole tables only"
    if any(constraint.kind == "foreign_key" for constraint in table.constraints):
        return f"{table.qualified} refers to others, whose rows could not go any more"
    if named := next((each for each in _texts(schema, table) if _names(each[1], table.name)), None):
        return f"{named[0]} names {table.qualified}"
    place = f"main.{quote(name)}"
    before = (
        *(f"DROP INDEX IF EXISTS main.{quote(index.name)}" for index in table.indexes),
        f"ALTER TABLE main.{quote(table.name)} RENAME TO {quote(name)}",
        f"CREATE TABLE main.{quote(table.name)} ({STAND_IN})",
    )
    instead = (f"ALTER TABLE {place} RENAME TO {quote(table.name)}",)
    there = (f"SELECT 1 FROM {place} WHERE 0", f"what was parked of {table.qualified} is not there any more")  # noqa: S608  quoted
    return (Texts(place, "parked", before, guards=(there,), instead=instead, ends=f"DROP TABLE {place}"),)


def remade(statements: Sequence[str], loss: Loss, made: Callable[[str], str | None]) -> tuple[int, ...]:
    """Where a way back makes the table again; `made` tells the table that a statement makes. Its indexes come after."""
    found = [at for at, sql in enumerate(statements) if made(sql) == loss.table.name]
    return tuple(found) if len(found) == 1 else ()


def _texts(schema: Schema, table: Table) -> list[tuple[str, str]]:
    """Whatever could name the table: renaming it would write them anew."""
    tables = [(other.qualified, other.definition or "") for other in schema.tables if other.name != table.name]
    return [*tables, *((other.qualified, other.text or "") for other in schema.others)]


def _names(text: str, name: str) -> bool:
    return any(folded(token.value) == folded(name) for token in tokens(text) if token.kind in {"name", "text"})
