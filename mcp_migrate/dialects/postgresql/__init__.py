"""PostgreSQL 14 to 18, through psycopg 3."""

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


class PostgreSQL:
    """The PostgreSQL dialect."""

    name = "postgresql"
    quote_mark = '"'
    marks_stay = True

    def __init__(self, maker: str | None = None) -> None:
        self.maker = maker

    def open_reader(self, url: str) -> AbstractContextManager[Reader]:
        """A read-only session."""
        from mcp_migrate.dialects.postgresql.reader import open_reader

        return open_reader(url)

    def open_writer(
        self, url: str, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """A session that runs exactly `statements`."""
        from mcp_migrate.dialects.postgresql.writer import open_writer

        return open_writer(url, statements, limits=limits)

    def clear_marks(self, url: str, *, keep: Collection[str]) -> None:
        """Marks stay: they stand in a schema of their own."""

    def prune(self, url: str, *, keys: Collection[str]) -> tuple[str, ...]:
        """Remove undo data whose time is over."""
        from mcp_migrate.dialects.postgresql.keeping import prune

        return prune(url, keys=keys)

    def open_scratch(self, url: str) -> AbstractContextManager[Scratch]:
        """An empty database of its own, beside the target or on an embedded server."""
        from mcp_migrate.dialects.postgresql.scratch import open_scratch

        return open_scratch(self.maker or url)

    def freeze(self, sql: str, rows: Sequence[Any], *, no_parameters: bool) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        """Frozen text and rows of what the driver was sent."""
        from mcp_migrate.dialects.postgresql.freeze import freeze

        return freeze(sql, rows, no_parameters=no_parameters)

    def reads(self, sql: str) -> tuple[str, ...] | None:
        """The user tables that a plain read looks at."""
        from mcp_migrate.dialects.postgresql.reads import reads

        return reads(sql)

    def keeper(self) -> Keeper | None:
        """What keeps undo data."""
        from mcp_migrate.dialects.postgresql.preserve import PostgresKeeper

        return PostgresKeeper()

    def inverter(self) -> Inverter | None:
        """What takes a schema back."""
        from mcp_migrate.dialects.postgresql.inverse import PostgresInverter

        return PostgresInverter()

    def open_rehearsal(
        self, scratch: Scratch, statements: Sequence[Statement], *, limits: Limits
    ) -> AbstractContextManager[Writer]:
        """The same session on a scratch database, with the place for undo data that a plan counts on to be there."""
        from mcp_migrate.dialects.postgresql.scratch import open_on_scratch

        return open_on_scratch(scratch.url, statements, limits=limits)

    def copy_rows(self, source: str, scratch: Scratch, tables: Iterable[str], *, most: int) -> bool:
        """Rows, as they are."""
        from mcp_migrate.dialects.postgresql.rows import copy_rows

        return copy_rows(source, scratch.url, tables, most=most)

    def copy_kept(self, source: str, scratch: Scratch, keys: Collection[str], *, most: int) -> int | None:
        """Places, as they are."""
        from mcp_migrate.dialects.postgresql.rows import copy_kept

        return copy_kept(source, scratch.url, keys, most=most)

    def remake(
        self,
        scratch: Scratch,
        schema: Schema,
        *,
        source: str,  # noqa: ARG002  what was read of it is enough
        version_table: str,
        revisions: Sequence[str] | None,
    ) -> bool:
        """From what was read."""
        from mcp_migrate.dialects.postgresql.remake import remake

        return remake(scratch.url, schema, version_table=version_table, revisions=revisions)

    def listing(self, sql: str) -> str:
        """Rows as the text that the server writes for them."""
        from mcp_migrate.dialects.postgresql.reads import listing

        return listing(sql)

    def commits(self, sql: str) -> bool:  # noqa: ARG002  no statement does
        """DDL rolls back; what cannot is refused inside a transaction."""
        return False
