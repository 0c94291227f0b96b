"""Which expressions read the same, so that the server has to write only one of them?

To write one it opens the table, which takes longer than all else that is read of it. How an expression is stored says
everything but the names of the columns that it uses, and tells these by number: what is stored alike and has the same
names there is the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mcp_migrate.dialects.postgresql.definitions import Keys, place

Which = tuple[str, int]
"""The kind of an expression and its number: of the constraint, of the index, or the place of the column."""

_USED = re.compile(r":varattno (-?\d+)")


def alike(rows: Iterable[tuple[Any, ...]], keys: Keys) -> list[list[Which]]:
    """Groups of expressions of the same text; those of relations that are not read are in none."""
    groups: dict[tuple[Any, ...], list[Which]] = {}
    for kind, stored, numbers, relations in rows:
        used = sorted({int(number) for number in _USED.findall(stored)})
        for number, relation in zip(numbers, relations, strict=True):
            names = _names(keys, relation, used)
            if names is not None:
                groups.setdefault((kind, stored, names), []).append((kind, number))
    return list(groups.values())


def spelt(groups: Iterable[list[Which]], written: Mapping[Which, str | None]) -> dict[Which, str | None]:
    """The text of each expression, of a check its definition; the first of each group was written by the server."""
    found: dict[Which, str | None] = {}
    for group in groups:
        text = written.get(group[0])
        if text is not None and group[0][0] == "check":
            text = f"CHECK ({text})"
        found.update(dict.fromkeys(group, text))
    return found


def _names(keys: Keys, relation: int, used: Iterable[int]) -> tuple[str | int, ...] | None:
    """What the columns are called; None where they are not read. The number 0 is the whole row, called as its table."""
    names: list[str | int] = []
    for number in used:
        key = keys.get(place(relation, number))
        if key is None and number > 0:
            return None
        names.append(key.column.name if key else (relation if number == 0 else number))
    return tuple(names)
