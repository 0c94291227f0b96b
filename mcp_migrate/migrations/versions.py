"""Which statements does Alembic itself send to move its version table, letter for letter?

Only those count as the movement of the version table. Anything else that touches it is a change like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from mcp_migrate.migrations.info import ProjectInfo

_LOADING = threading.Lock()
"""SQLAlchemy loads a dialect when it is first named, and two threads that do so at once can meet half a module."""


class VersionTexts:
    """The texts for one project on one database product."""

    def __init__(self, dialect_name: str, info: ProjectInfo) -> None:
        from sqlalchemy.engine import make_url

        schema, _, name = info.version_table.rpartition(".")
        self._info = info
        with _LOADING:
            self._dialect = make_url(f"{dialect_name}://").get_dialect()()
        self._tables = [_table(name, schema or None, keyed=keyed) for keyed in (True, False)]

    def creations(self) -> frozenset[str]:
        """The texts that create the version table."""
        from sqlalchemy.schema import CreateTable

        return frozenset(self._text(CreateTable(table)) for table in self._tables)

    def of(self, revision: str, *, upgrade: bool) -> frozenset[str]:
        """The texts by which a step over `revision` moves the version table."""
        down = self._info.by_id[revision].down
        return frozenset(self._upward(revision, down) if upgrade else self._downward(revision, down))

    def back_over(self, revision: str) -> str | None:
        """The text by which a step back over `revision` moves the version table; None where that takes several."""
        down = self._info.by_id[revision].down
        if len(down) > 1:
            return None
        return self._moved(revision, down[0]) if down else self._deleted(revision)

    def _upward(self, revision: str, down: tuple[str, ...]) -> Iterator[str]:
        yield from self._inserted(revision)
        for below in down:
            yield self._moved(below, revision)
            if len(down) > 1:
                yield self._deleted(below)

    def _downward(self, revision: str, down: tuple[str, ...]) -> Iterator[str]:
        yield self._deleted(revision)
        for below in down:
            yield self._moved(revision, below)
            if len(down) > 1:
                yield from self._inserted(below)

    def _inserted(self, revision: str) -> Iterator[str]:
        """With and without RETURNING: that depends on the version of the database."""
        from sqlalchemy import literal_column

        for table in self._tables:
            insert = table.insert().values(version_num=literal_column(f"'{revision}'"))
            yield self._text(insert)
            yield self._text(insert.inline())

    def _deleted(self, revision: str) -> str:
        from sqlalchemy import literal_column

        table = self._tables[0]
        return self._text(table.delete().where(table.c.version_num == literal_column(f"'{revision}'")))

    def _moved(self, before: str, after: str) -> str:
        from sqlalchemy import literal_column

        table = self._tables[0]
        update = table.update().values(version_num=literal_column(f"'{after}'"))
        return self._text(update.where(table.c.version_num == literal_column(f"'{before}'")))

    def _text(self, construct: Any) -> str:
        return str(construct.compile(dialect=self._dialect))


def _table(name: str, schema: str | None, *, keyed: bool) -> Any:
    """The table as Alembic's `version_table_impl` makes it."""
    from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table

    table = Table(name, MetaData(), Column("version_num", String(32), nullable=False), schema=schema)
    if keyed:
        table.append_constraint(PrimaryKeyConstraint("version_num", name=f"{name}_pkc"))
    return table
