"""Which SQL takes a MySQL or MariaDB table out of the way instead of destroying it, and brings it back?

It gets a name that no reader sees and a stand-in gets its own, by one RENAME TABLE: at no moment is none there. The
statement that drops it then meets the stand-in. Columns are not parked: one that is hidden would still be in
whatever index, check and trigger names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.dialects.mysql.adding import tokens
from mcp_migrate.dialects.mysql.defining import constraint_text
from mcp_migrate.dialects.mysql.reader import UNDO
from mcp_migrate.drivers.mysql import quote
from mcp_migrate.schema.model import Constraint, Schema, Table
from mcp_migrate.schema.pairing import refers

_MADE_UP = ("CONSTRAINT_", "_chk_")
"""What is in the name of a check that nobody named: such a name goes with its table, or is its own."""

Orphans = Callable[[Loss, str, dict[str, str]], Iterable[tuple[str, str]]]
"""The guards for foreign keys of what was parked, in a place ``u`` where its columns are called so."""


def parked(loss: Loss, *, place: str, schema: Schema, orphans: Orphans) -> tuple[Texts, ...] | str:
    """The texts for a table, or why it cannot be parked. `place` is the quoted name it gets."""
    table = loss.table
    if loss.kind != "table":
        return "only whole tables are parked on this database"
    if why := _hindrance(table, schema):
        return why
    here, stand_in = quote(table.name), f"{place.removesuffix('`')}_s`"
    away = [c for c in table.constraints if c.kind == "foreign_key" and refers(c, table) != table.qualified]
    column = f"{place} INT"  # of a stand-in, by which it is known
    instead = (
        f"CREATE TABLE IF NOT EXISTS {here} ({column})",
        f"ALTER TABLE {here} MODIFY COLUMN {column}",  # it fails on a table of the user's
        f"RENAME TABLE {here} TO {stand_in}, {place} TO {here}",
        f"DROP TABLE IF EXISTS {stand_in}",
    )
    there = (f"SELECT 1 FROM {place} LIMIT 0", f"what was parked of {table.qualified} is not there any more")  # noqa: S608  quoted
    return (
        Texts(
            place,
            "parked",
            (),
            back=tuple(f"ALTER TABLE {here} ADD {constraint_text(table, each)}" for each in away),
            guards=(there, *orphans(loss, place, {each.name: f"u.{quote(each.name)}" for each in table.columns})),
            instead=instead,
            ends=f"DROP TABLE {place}",
            holds=(here, quote(UNDO)),
            places=(
                *(f"ALTER TABLE {here} DROP FOREIGN KEY {quote(str(each.name))}" for each in away),
                f"CREATE TABLE IF NOT EXISTS {stand_in} ({column})",
                f"RENAME TABLE {here} TO {place}, {stand_in} TO {here}",
            ),
        ),
    )


def remade(statements: Sequence[str], loss: Loss, made: Callable[[str], str | None]) -> tuple[int, ...]:
    """Where a way back makes the table, and then parts of it that it has already; `made` tells what a statement makes.

    None where it does anything else to it.
    """
    name = loss.table.name
    first = [at for at, sql in enumerate(statements) if made(sql) == name]
    parts = [at for at, sql in enumerate(statements) if at not in first and _concerns(sql, name)]
    return (*first, *parts) if len(first) == 1 else ()


def _hindrance(table: Table, schema: Schema) -> str | None:
    referring = [t.qualified for t in schema.tables for c in t.constraints if refers(c, t) == table.qualified]
    if others := [name for name in referring if name != table.qualified]:
        return f"{others[0]} refers to it, and would refer to it still"
    if any(_named(each) for each in table.constraints):
        return f"a check of {table.qualified} has a name that would stay taken"
    if any("nextval" in (column.default or "").lower() for column in table.columns):
        return f"{table.qualified} needs a sequence, which could be dropped"
    return None


def _named(constraint: Constraint) -> bool:
    """Whether it is a check that somebody gave a name, which MySQL knows once in a whole database."""
    return constraint.kind == "check" and not any(each in (constraint.name or "") for each in _MADE_UP)


def _concerns(sql: str, name: str) -> bool:
    """Whether it makes an index, or alters the table: what it adds to it is there already."""
    read: list[Any] = tokens(sql)
    words = [sql[token.start : token.end + 1].upper() for token in read]
    if words[:2] == ["ALTER", "TABLE"]:
        return bool(read[2:]) and read[2].text == name
    makes = words[:1] == ["CREATE"] and "INDEX" in words[1:3]
    on = words.index("ON") if makes and "ON" in words else -1
    return 0 < on < len(read) - 1 and read[on + 1].text == name
