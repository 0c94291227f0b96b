"""MySQL 8 and MariaDB 10.6 or newer, through pymysql. Their DDL ends the transaction: an apply can stop half-way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a child that records needs none of these
    from mcp_migrate.dialects.interface import Limits, Reader, Scratch, Writer
    from mcp_migrate.dialects.inverting import Inverter
    from mcp_migrate.dialects.keeper import Keeper
    from mcp_migrate.model import Statement
    from mcp_migrate.schema.model import Schema


class MySQL:
    """The dialect of both products; `name` is the one that the target's URL says."""

    quote_mark = "`"
    marks_stay = False

    def __init__(self, name: str, maker: str | None = None) -> None:
        self.name, self.maker = name, maker

    def open_reader(self, url: str) -> AbstractContextManager[Reader]:
        """A read-only session."""
        from mcp_migrate.dialects.mysql.reader import open_reader

        return open_reader(url)

    def open_writer(
        self, url: str, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """A session that runs exactly `statements`."""
        from mcp_migrate.dialects.mysql.opening import open_writer

        return open_writer(url, statements, limits=limits)

    def clear_marks(self, url: str, *, keep: Collection[str]) -> None:
        """Marks in a database of our own stay; those among the user's tables go."""
        from mcp_migrate.dialects.mysql.marks import clear_marks

        clear_marks(url, keep=keep)

    def prune(self, url: str, *, keys: Collection[str]) -> tuple[str, ...]:
        """Remove undo data whose time is over."""
        from mcp_migrate.dialects.mysql.keeping import prune

        return prune(url, keys=keys)

    def open_scratch(self, url: str) -> AbstractContextManager[Scratch]:
        """An empty database beside the target, with a user of its own."""
        from mcp_migrate.dialects.mysql.scratch import open_scratch

        return open_scratch(url, maker=self.maker)

    def freeze(self, sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        """Frozen text and rows of what the driver was sent."""
        from mcp_migrate.dialects.mysql.freeze import freeze

        return freeze(sql, rows, no_parameters=no_parameters)

    def reads(self, sql: str) -> tuple[str, ...] | None:
        """The user tables that a plain read looks at."""
        from mcp_migrate.dialects.mysql.reads import reads

        return reads(sql)

    def keeper(self) -> Keeper | None:
        """Tables beside the user's."""
        from mcp_migrate.dialects.mysql.preserve import MysqlKeeper

        return MysqlKeeper()

    def inverter(self) -> Inverter | None:
        """What takes tables and views back, step by step."""
        from mcp_migrate.dialects.mysql.inverse import MysqlInverter

        return MysqlInverter()

    def open_rehearsal(
        self, scratch: Scratch, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """The same session on a scratch database."""
        from mcp_migrate.dialects.mysql.opening import open_writer

        return open_writer(scratch.url, statements, limits=limits)

    def copy_rows(self, source: str, scratch: Scratch, tables: Iterable[str], *, most: int) -> bool:
        """Rows, as they are."""
        from mcp_migrate.dialects.mysql.rows import copy_rows

        return copy_rows(source, scratch.url, tables, most=most)

    def copy_kept(self, source: str, scratch: Scratch, keys: Collection[str], *, most: int) -> int | None:
        """Places, as they are."""
        from mcp_migrate.dialects.mysql.rows import copy_kept

        return copy_kept(source, scratch.url, keys, most=most)

    def remake(
        self, scratch: Scratch, schema: Schema, *, source: str, version_table: str, revisions: Sequence[str] | None
    ) -> bool:
        """From what the server says of the target."""
        from mcp_migrate.dialects.mysql.remake import remake

        return remake(source, scratch.url, schema, version_table=version_table, revisions=revisions)

    def listing(self, sql: str) -> str:
        """The same: the driver's values are the database's."""
        return sql

    def commits(self, sql: str) -> bool:
        """All but statements on rows end the transaction they come in."""
        from mcp_migrate.dialects.mysql.words import stays_inside

        return not stays_inside(sql)
