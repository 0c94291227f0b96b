"""Which of the queries beside this module is asked, and how of this server?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mcp_migrate.dialects.postgresql.ahead import Ahead, Row

_LEAVING_OUT = frozenset({"tables", "others"})
"""Queries that are told our schemas and the version table."""
_HASHED = "columns"
"""The query whose groups are hashed; the planner would sort all columns by all that is told of them."""


class Catalogs:
    """The queries beside this module, for a server of this major version."""

    def __init__(self, asking: Ahead, version: int, left_out: tuple[str, str, str]) -> None:
        self._asking, self._version, self._left_out = asking, version, left_out

    def ask(self, name: str, *values: Any) -> None:
        sql = query(name, self._version)
        if name == "others":
            [(kinds,)] = self.rows("kinds")
            sql = _only(sql, kinds)
        if name == _HASHED:
            self._sort("off")
        self._asking.ask(name, sql, self._left_out if name in _LEAVING_OUT else values)
        if name == _HASHED:
            self._sort("on")

    def rows(self, name: str) -> Iterator[Row]:
        return self._asking.rows(name)

    def _sort(self, how: str) -> None:
        self._asking.ask(f"sort {how}", "SELECT set_config('enable_sort', $1, false)", [how])


@cache
def query(name: str, version: int) -> str:
    """The block of that name. A line that ends in ``-- 15`` is for servers from version 15 on."""
    lines = _blocks()[name].splitlines()
    told = (line.rpartition(" -- ") for line in lines)
    return "\n".join(
        sql if mark else since for sql, mark, since in told if not (mark and since.isdigit() and version < int(since))
    )


def _only(sql: str, kinds: Collection[str]) -> str:
    """The query without the parts for kinds of things that there are none of."""
    first, *parts = sql.split("\n-- when ")
    told = (part.partition("\n") for part in parts)
    return "\n".join([first, *(body for kind, _, body in told if kind in kinds or kind == "anything")])


@cache
def _blocks() -> dict[str, str]:
    folder = Path(__file__).with_name("catalog")
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))]
    blocks = [block for text in texts for block in text.split("-- name: ")[1:]]
    return {name.strip(): body for name, _, body in (block.partition("\n") for block in blocks)}
