"""How do rows come back that refer to rows of their own table? In any order, unchecked, after a question of ours.

These servers check a foreign key with each row and never later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mcp_migrate.dialects.keeper import Loss, Texts
from mcp_migrate.drivers.mysql import quote
from mcp_migrate.schema.model import Table

UNCHECKED, CHECKED = "SET SESSION foreign_key_checks = 0", "SET SESSION foreign_key_checks = 1"


def own_keys(table: Table) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The foreign keys of a table to itself: its columns, and those they refer to."""
    place = f"{table.qualified}("
    return [
        (c.columns, tuple(c.refers_to.removeprefix(place).removesuffix(")").split(", ")))
        for c in table.constraints
        if c.kind == "foreign_key" and c.refers_to and c.refers_to.startswith(place)
    ]


def in_any_order(loss: Loss, texts: Texts) -> Texts:
    """The texts for a table with such keys. A dropped column comes back into rows that are there."""
    if loss.kind == "columns":
        return texts
    guards = (*texts.guards, *(_gone(loss, texts.place) if loss.kind != "table" else ()))
    return replace(texts, back=(UNCHECKED, *texts.back, CHECKED), guards=guards)


def _gone(loss: Loss, place: str) -> Iterator[tuple[str, str]]:
    """Whether a row would refer to one that neither is there nor comes back."""
    numbers = {column.name: f"o{i}" for i, column in enumerate(loss.columns, 1)}
    why = f"what would come back into {loss.table.qualified} refers to rows of it that are gone"
    for columns, to in own_keys(loss.table):
        if not numbers.keys() >= {*columns, *to}:
            continue  # an UPDATE is kept by the columns it writes: no row of it went
        pairs = [(numbers[name], numbers[other], quote(other)) for name, other in zip(columns, to, strict=True)]
        there = " AND ".join(f"t.{name} = u.{one}" for one, _other, name in pairs)
        kept = " AND ".join(f"p.{other} = u.{one}" for one, other, _name in pairs)
        given = " AND ".join(f"u.{one} IS NOT NULL" for one, _other, _name in pairs)
        sql = (
            f"SELECT 1 FROM {place} AS u WHERE {given}"  # noqa: S608  quoted
            f" AND NOT EXISTS (SELECT 1 FROM {quote(loss.table.name)} AS t WHERE {there})"
            f" AND NOT EXISTS (SELECT 1 FROM {place} AS p WHERE {kept})"
        )
        yield sql, why
