"""SQLite: files, one writer at a time, DDL that rolls back."""

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


class Sqlite:
    """The SQLite dialect."""

    name = "sqlite"
    quote_mark = '"'
    maker: str | None = None
    marks_stay = False

    def open_reader(self, url: str) -> AbstractContextManager[Reader]:
        """A read-only session."""
        from mcp_migrate.dialects.sqlite.reader import open_reader

        return open_reader(url)

    def open_writer(
        self, url: str, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """A session that runs exactly `statements`."""
        from mcp_migrate.dialects.sqlite.writer import open_writer

        return open_writer(url, statements, limits=limits)

    def clear_marks(self, url: str, *, keep: Collection[str]) -> None:
        """Marks stand among the user's tables, where other tools would find them."""
        from mcp_migrate.dialects.sqlite.writer import clear_marks

        clear_marks(url, keep=keep)

    def prune(self, url: str, *, keys: Collection[str]) -> tuple[str, ...]:
        """Remove undo data whose time is over."""
        from mcp_migrate.dialects.sqlite.keeping import prune

        return prune(url, keys=keys)

    def open_scratch(self, url: str) -> AbstractContextManager[Scratch]:
        """A copy of the target's schema."""
        from mcp_migrate.dialects.sqlite.scratch import open_scratch

        return open_scratch(url)

    def freeze(self, sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        """Frozen text and rows of what the driver was sent."""
        from mcp_migrate.dialects.sqlite.freeze import freeze

        return freeze(sql, rows, no_parameters=no_parameters)

    def reads(self, sql: str) -> tuple[str, ...] | None:
        """The user tables that a plain read looks at."""
        from mcp_migrate.dialects.sqlite.reads import reads

        return reads(sql)

    def keeper(self) -> Keeper | None:
        """What keeps undo data."""
        from mcp_migrate.dialects.sqlite.preserve import SqliteKeeper

        return SqliteKeeper()

    def inverter(self) -> Inverter | None:
        """What takes a schema back."""
        from mcp_migrate.dialects.sqlite.inverse import SqliteInverter

        return SqliteInverter()

    def open_rehearsal(
        self, scratch: Scratch, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """The same session on a scratch database."""
        from mcp_migrate.dialects.sqlite.writer import open_writer

        return open_writer(scratch.url, statements, limits=limits, durable=False)

    def copy_rows(self, source: str, scratch: Scratch, tables: Iterable[str], *, most: int) -> bool:
        """Rows, as they are."""
        from mcp_migrate.dialects.sqlite.rows import copy_rows

        return copy_rows(source, scratch.url, tables, most=most)

    def copy_kept(self, source: str, scratch: Scratch, keys: Collection[str], *, most: int) -> int | None:
        """Places, as they are."""
        from mcp_migrate.dialects.sqlite.rows import copy_kept

        return copy_kept(source, scratch.url, keys, most=most)

    def remake(
        self,
        scratch: Scratch,  # noqa: ARG002  never
        schema: Schema,  # noqa: ARG002  never
        *,
        source: str,  # noqa: ARG002  never
        version_table: str,  # noqa: ARG002  never
        revisions: Sequence[str] | None,  # noqa: ARG002  never
    ) -> bool:
        """No: a scratch database is a copy already."""
        return False

    def listing(self, sql: str) -> str:
        """The same: the driver's values are the database's."""
        return sql

    def commits(self, sql: str) -> bool:  # noqa: ARG002  no statement does
        """DDL rolls back; what cannot is refused inside a transaction."""
        return False
