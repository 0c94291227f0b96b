"""Which checks do other tools make, and what answers each here? Data; the text of the page is made in `docs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LEFT: dict[str, str] = {}
PENDING: frozenset[str] = frozenset()


class Row(NamedTuple):
    """One check of one tool: the ids of our rules, or one key of `LEFT`."""

    tool: str
    check: str
    answer: str


def rows() -> Iterator[Row]:
    yield from ()
